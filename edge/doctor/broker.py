"""Whether the MQTT broker can be reached, if one is named. Nothing is told to it."""

import socket
import ssl
from collections.abc import Callable, Iterator
from typing import Final

from edge.doctor.findings import Finding
from edge.doctor.world import World
from edge.errors import ConfigError
from edge.sinks.mqtt_client import load_paho, tls_context
from edge.sinks.mqtt_failures import unreachable
from edge.sinks.mqtt_settings import MqttSettings

CONNECT_S: Final = 5.0

Connect = Callable[[MqttSettings, ssl.SSLContext | None], None]


def connect(settings: MqttSettings, context: ssl.SSLContext | None) -> None:
    """Connect as a client would, and hang up. Raises OSError, or UnicodeError for what can be no name."""
    with socket.create_connection((settings.host, settings.tcp_port), CONNECT_S) as plain:
        if context is not None:
            context.wrap_socket(plain, server_hostname=settings.host).close()


def check(world: World, connect: Connect = connect) -> Iterator[Finding]:
    """Package, certificates, connection.

    Args:
        world: what to look at.
        connect: raises OSError or UnicodeError.
    """
    settings = world.settings.mqtt
    if not settings.host:
        return
    try:
        load_paho()
        context = tls_context(settings)
    except ConfigError as error:
        yield world.finding("mqtt-unusable", str(error))
        return
    try:
        connect(settings, context)
    except (OSError, UnicodeError) as error:  # the latter: a name that cannot be one
        yield world.finding("broker-unreachable", str(unreachable(error, settings)))
    else:
        yield world.finding("broker-ok", f"the broker {settings.broker} takes connections")
