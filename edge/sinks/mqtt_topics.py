"""What the device is called, and where it publishes what."""

import re
import unicodedata
import zlib

import msgspec

from edge.sinks.mqtt_settings import MqttSettings

ONLINE, OFFLINE = "online", "offline"
"""What `availability` says, and what Home Assistant says of itself."""


class Topics(msgspec.Struct, frozen=True):
    """Where things are published, and listened to.

    Attributes:
        name: of the device, for people.
        id: the same of letters, digits, `_` and `-` only, see `identity`.
        availability: `online` or `offline`, retained.
        state: the newest state.
        events: records, each once.
        addresses: of page, still and stream, retained.
        still: address of the still picture, told again whenever there is something new to see on it, retained.
        discovery: what Home Assistant is to know of the device, retained.
        birth: where Home Assistant says that it has started.
    """

    name: str
    id: str
    availability: str
    state: str
    events: str
    addresses: str
    still: str
    discovery: str
    birth: str


def topics(settings: MqttSettings, hostname: str) -> Topics:
    """All topics of a device.

    Args:
        settings: as configured.
        hostname: of this machine.
    """
    name = settings.device.strip() or hostname
    own = identity(name)
    base = settings.topic.rstrip("/") or f"emotion_edge/{own}"
    prefix = settings.discovery_prefix.rstrip("/")
    return Topics(
        name=name,
        id=own,
        availability=f"{base}/availability",
        state=f"{base}/state",
        events=f"{base}/events",
        addresses=f"{base}/addresses",
        still=f"{base}/still",
        discovery=f"{prefix}/device/emotion_edge_{own}/config",
        birth=f"{prefix}/status",
    )


def identity(name: str) -> str:
    """A name, made fit for topics: of letters, digits, `_` and `-` of ASCII.

    Letters lose their accents; all else becomes `_`. If letters, digits or signs got lost by that, the CRC-32 of the
    name follows: 厨房 and 客厅 are not to be one device.
    """
    plain = unicodedata.normalize("NFKD", name)
    made = re.sub(r"[^A-Za-z0-9_-]+", "_", "".join(char for char in plain if not unicodedata.combining(char)))
    if not any(unicodedata.category(char)[0] in "LNS" for char in plain if not char.isascii()):
        return made
    return f"{made.strip('_')}_{zlib.crc32(name.encode()):08x}".lstrip("_")


class Addresses(msgspec.Struct, frozen=True):
    """Where a browser finds what this program serves; empty: nobody else can reach it, or it must not be told.

    Attributes:
        page: the page.
        still: the newest picture.
        stream: the moving one.
        fetchable: whether a program gets the still without logging in and with a certificate that it trusts.
    """

    page: str = ""
    still: str = ""
    stream: str = ""
    fetchable: bool = False


def addresses(base_url: str, *, query: str = "", pictures: bool = True, fetchable: bool = False) -> Addresses:
    """What may be told of where things are.

    Args:
        base_url: of the program, as others reach it; empty: they cannot.
        query: with the token, where that may be told.
        pictures: whether pictures are shown to anybody.
        fetchable: as in `Addresses`.
    """
    base = base_url.rstrip("/")
    if not base:
        return Addresses()
    if not pictures:
        return Addresses(page=f"{base}/{query}")
    return Addresses(f"{base}/{query}", f"{base}/snapshot.jpg{query}", f"{base}/stream.mjpg{query}", fetchable)
