"""The whole program and a real broker: what others learn of its end, and whether a bad broker matters to it."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.broker import Broker, Listener, broker
from tests.e2e.program import Program, get, running
from tests.home_assistant import check_discovery
from tests.wire import eventually

WINDOW_S = 1.2


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Broker]:
    """A broker that takes everybody."""
    with broker(tmp_path) as made:
        yield made


def settings(port: int, **more: str) -> dict[str, str]:
    """The environment of a program that tells this broker."""
    given = {"host": "127.0.0.1", "port": str(port), "device": "hall", **more}
    return {f"EMOTION_EDGE_MQTT_{key.upper()}": value for key, value in given.items()}


def metric(url: str, name: str) -> float:
    families = text_string_to_metric_families(get(f"{url}metrics").decode())
    (value,) = (sample.value for family in families for sample in family.samples if sample.name == name)
    return value


def scenes_a_second(url: str) -> float:
    """Over a window from now on."""
    before, began_s = metric(url, "emotion_edge_scenes_total"), time.monotonic()
    time.sleep(WINDOW_S)
    return (metric(url, "emotion_edge_scenes_total") - before) / (time.monotonic() - began_s)


def test_a_broker_that_hangs_or_goes_costs_no_frame_and_no_time_at_the_end(home: Broker):
    every_frame = {"EMOTION_EDGE_BUDGET_UNWATCHED_FPS": "0"}
    with (
        Listener(home.port) as listener,
        running("--source", "demo", **every_frame, **settings(home.port, events_hz="50")) as program,
    ):
        url = program.url()
        program.wait_for(url, "mqtt.connected", equals=True)
        program.wait_for(url, "mqtt.sent", above=0)
        assert metric(url, "emotion_edge_mqtt_connected") == 1
        check_discovery(listener.wait_for("/config").json)
        assert listener.wait_for("/addresses", lambda heard: True).payload == b"", "nobody else can reach it"
        with_broker = scenes_a_second(url)
        home.freeze()
        without = scenes_a_second(url)
        assert without / with_broker > 0.9, (with_broker, without)
        code, took_s = program.terminate()
        assert (code, took_s <= 2.0) == (0, True), took_s
        home.thaw()
        assert listener.wait_for("/availability", lambda heard: heard.payload == b"offline")


def test_a_killed_program_is_reported_by_the_broker(home: Broker):
    with Listener(home.port) as listener, running("--source", "demo", **settings(home.port)) as program:
        program.url()
        listener.wait_for("emotion_edge/hall/availability", lambda heard: heard.payload == b"online")
        program.process.send_signal(signal.SIGKILL)
        listener.wait_for("emotion_edge/hall/availability", lambda heard: heard.payload == b"offline", within_s=5.0)


def test_a_stopped_program_says_goodbye_within_two_seconds(home: Broker):
    with Listener(home.port) as listener, running("--source", "demo", **settings(home.port)) as program:
        program.url()
        listener.wait_for("/state")
        code, took_s = program.terminate()
        assert (code, took_s <= 2.0) == (0, True), took_s
        listener.wait_for("/availability", lambda heard: heard.payload == b"offline")
        assert "mqtt.connected" in program.errors()


def test_without_a_broker_everything_else_works_and_the_password_is_nowhere(tmp_path: Path):
    given = settings(9, username="cam", password="geheim-4711")
    with running("--source", "demo", "--log-level", "debug", **given) as program:
        url = program.url()
        state = program.wait_for(url, "mqtt.reason", holds="nothing listens")
        assert state["mqtt"]["connected"] is False
        program.wait_for(url, "source.frames", above=30)
        eventually(lambda: "mqtt.away" in program.errors(), "the log says so")
        assert program.errors().count("mqtt.away") == 1
        pages = b"".join(get(f"{url}{page}") for page in ("state", "metrics", "api/v1/config"))
        assert b"geheim-4711" not in pages
        assert b'"username":"cam"' in pages
        assert program.terminate()[0] == 0
        assert "geheim-4711" not in program.errors()


def test_with_a_token_addresses_are_told_without_it_unless_that_is_wanted(home: Broker):
    lan = {"EMOTION_EDGE_SERVER_HOST": "0.0.0.0", "EMOTION_EDGE_SERVER_TOKEN": "open-sesame-1"}
    for wanted in ("false", "true"):
        with (
            Listener(home.port, name=f"listener-{wanted}") as listener,
            running("--source", "demo", **lan, **settings(home.port, login_in_urls=wanted)) as program,
        ):
            _started(program)
            told = listener.wait_for("/addresses", lambda heard: bool(heard.payload) and not heard.kept).json
            assert told["still"].partition("?")[0].endswith("/snapshot.jpg")
            listener.wait_for("/state", lambda heard: not heard.kept)
            everything = b"".join(heard.payload for heard in listener.messages if not heard.kept)
            assert (b"open-sesame-1" in everything) == (wanted == "true")
            picture = "picture" in listener.of("/config")[-1].json["components"]
            assert picture == (wanted == "true"), "one that cannot be fetched is no entity"


def _started(program: Program) -> None:
    """Wait until it has printed where it is."""
    assert program.process.stdout is not None
    assert program.process.stdout.readline().startswith("Open one of these")
