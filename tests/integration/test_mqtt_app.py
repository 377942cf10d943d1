"""What the assembled program makes of the settings for a broker, without one."""

from typing import Any

import pytest

from edge.app import App
from edge.config import Config, DetectorConfig, PrivacyConfig, SourceConfig
from edge.errors import ConfigError
from edge.server.settings import ServerSettings
from edge.sinks.mqtt_settings import MqttSettings
from edge.sinks.mqtt_topics import Addresses

pytest.importorskip("paho.mqtt.client", reason="needs paho-mqtt: pip install -e '.[mqtt]'")


def app(server: ServerSettings, *, video: str = "full", **mqtt: Any) -> App:
    """A program that is not started."""
    privacy = PrivacyConfig(video=video)  # type: ignore[arg-type]
    return App(
        Config(
            source=SourceConfig(uri="demo:"),
            detector=DetectorConfig(name="haar"),
            server=server,
            privacy=privacy,
            mqtt=MqttSettings(**{"host": "broker", **mqtt}),
        )
    )


LAN = {"host": "192.0.2.7", "token": "open-sesame"}


def test_a_broker_is_nobody_who_watches():
    made = app(ServerSettings())
    assert made.status().mqtt is not None
    assert not any(interested() for interested in made._interests())


def test_without_a_host_there_is_none():
    assert app(ServerSettings(), host="").status().mqtt is None


@pytest.mark.parametrize(
    ("server", "mqtt", "still", "fetchable"),
    [
        ({}, {}, "", False),
        ({}, {"base_url": "http://cam.lan"}, "http://cam.lan/snapshot.jpg", True),
        (LAN, {}, "http://192.0.2.7:8080/snapshot.jpg", False),
        (LAN, {"login_in_urls": True}, "http://192.0.2.7:8080/snapshot.jpg?token=open-sesame", True),
        ({**LAN, "tls": True}, {"login_in_urls": True}, "https://192.0.2.7:8080/snapshot.jpg?token=open-sesame", False),
        ({"host": "192.0.2.7", "insecure": True}, {}, "http://192.0.2.7:8080/snapshot.jpg", True),
    ],
)  # fmt: skip
def test_addresses_are_told_as_far_as_they_are_of_use(
    server: dict[str, Any], mqtt: dict[str, Any], still: str, fetchable: bool
):
    told = app(ServerSettings(**server), **mqtt)._addresses(8080)
    assert (told.still, told.fetchable) == (still, fetchable)


def test_without_pictures_only_the_page_is_told():
    told = app(ServerSettings(**LAN), video="none")._addresses(8080)
    assert told == Addresses(page="http://192.0.2.7:8080/")


def test_settings_that_contradict_each_other_are_refused_at_the_start():
    with pytest.raises(ConfigError, match=r"mqtt\.username"):
        app(ServerSettings(), password="secret")
