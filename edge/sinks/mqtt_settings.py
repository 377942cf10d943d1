"""The `[mqtt]` section of the configuration."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from edge.errors import ConfigError

PLAIN_PORT = 1883
TLS_PORT = 8883
"""As IANA has them: `mqtt` and `secure-mqtt`."""

Topic = Annotated[
    str,
    Meta(
        max_length=200,
        pattern=r"^([^#+$\s][^#+\s]*)?$",
        description="a topic to publish to: no #, + or blank, and no $ at its begin, which is the broker's own",
    ),
]
Host = Annotated[
    str,
    Meta(
        max_length=253,
        # what no name can be is refused here: looked up, it would fail in ways that blame something else
        pattern=r"^([^\s/.\[\]\x00]{1,63}(\.[^\s/.\[\]\x00]{1,63})*\.?)?$",
        description="a name such as broker.lan, or an address without brackets; the port is a setting of its own",
    ),
]


class MqttSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which MQTT broker is told what is seen, and how Home Assistant finds it.

    Attributes:
        host: name or address of the broker; empty: nothing is told to any.
        port: of the broker; 0: 1883, with `tls` 8883.
        tls: whether the connection is encrypted and the broker's certificate checked.
        ca: path of a PEM file with the authority that signed the broker's certificate; empty: those the system trusts.
        username: as the broker knows this device.
        password: that goes with it; better as the credential `mqtt-password`.
        client_id: no two clients of a broker may have the same; empty: `emotion-edge-` and the device.
        device: what this device is called, in topics and in Home Assistant; empty: its host name.
        topic: what all topics begin with; empty: `emotion_edge/` and the device.
        discovery: `on`: Home Assistant is told of this device; `off`: it is not; `remove`: it is told to forget it.
        discovery_prefix: what the topics begin with that Home Assistant listens to.
        base_url: address of this program as others reach it, such as `http://192.168.1.7:8080`; empty: found out, if it
            listens to others at all.
        login_in_urls: put `server.token` into the addresses that are told: who may read the broker may then watch.
        state_s: the state is told on each change, and at least so often.
        events_hz: event records a second at most, of changes only; 0: none.
        retain: whether the broker keeps the newest state for those who come later; if not, an empty one at the start
            takes away what it kept.
        buffer: event records that wait for a broker that is away; of more, the oldest are dropped.
    """

    host: Host = ""
    port: Annotated[int, Meta(ge=0, le=65535)] = 0
    tls: bool = False
    ca: str = ""
    username: str = ""
    password: str | None = None
    client_id: Annotated[str, Meta(max_length=128)] = ""
    device: Annotated[str, Meta(max_length=64)] = ""
    topic: Topic = ""
    discovery: Literal["on", "off", "remove"] = "on"
    discovery_prefix: Annotated[Topic, Meta(min_length=1)] = "homeassistant"
    base_url: Annotated[
        str,
        Meta(
            max_length=500,
            pattern=r"^(https?://[^\s?#]+)?$",
            description="an address with http:// or https://, without ? and #",
        ),
    ] = ""
    login_in_urls: bool = False
    state_s: Annotated[float, Meta(ge=1.0, le=3600.0)] = 30.0
    events_hz: Annotated[float, Meta(ge=0.0, le=100.0)] = 1.0
    retain: bool = True
    buffer: Annotated[int, Meta(ge=1, le=10_000)] = 1000

    def __repr__(self) -> str:
        """As usual, but without the password: settings end up in logs and tracebacks."""
        fields = ((name, getattr(self, name)) for name in self.__struct_fields__)
        shown = (f"{name}={'***' if name == 'password' and value else repr(value)}" for name, value in fields)
        return f"{type(self).__name__}({', '.join(shown)})"

    @property
    def broker(self) -> str:
        """`HOST:PORT`, for people."""
        return f"[{self.host}]:{self.tcp_port}" if ":" in self.host else f"{self.host}:{self.tcp_port}"

    @property
    def tcp_port(self) -> int:
        """The port that is meant."""
        return self.port or (TLS_PORT if self.tls else PLAIN_PORT)


def check_mqtt(settings: MqttSettings) -> None:
    """Refuse what would not be as safe as it looks, or cannot be.

    Raises:
        ConfigError: a password without a name, an authority without TLS.
    """
    if settings.password and not settings.username:
        raise ConfigError("there is a password for the broker, and no name that it goes with; set mqtt.username")
    if settings.ca and not settings.tls:
        raise ConfigError(
            "mqtt.ca names an authority, and mqtt.tls is off: nothing would be encrypted; set mqtt.tls = true"
        )
