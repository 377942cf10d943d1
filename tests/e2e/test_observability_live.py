"""The dashboard and the rules ask for what the running program exports, and leave nothing out unsaid."""

import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.program import get, running
from tests.observability import OWN, asked_by_dashboard, asked_by_rules, exported, families, recorded

LEFT_OUT: dict[str, str] = {}
"""Families of the program that no panel shows, and why."""


def hot_board(folder: Path) -> str:
    """Something like /sys of a Raspberry Pi that is too hot and gets too little voltage."""
    zone, firmware = folder / "class/thermal/thermal_zone0", folder / "devices/platform/soc/soc:firmware"
    zone.mkdir(parents=True)
    firmware.mkdir(parents=True)
    (zone / "type").write_text("cpu-thermal\n")
    (zone / "temp").write_text("85000\n")
    (firmware / "get_throttled").write_text("5\n")
    return str(folder)


@pytest.fixture(scope="module")
def scraped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`/metrics` of a program that has had faces, a viewer, skipped frames, and something to save on."""
    settings = {
        "EMOTION_EDGE_BUDGET_SYSFS": hot_board(tmp_path_factory.mktemp("board") / "sys"),
        "EMOTION_EDGE_BUDGET_CPU_BUDGET": "8",
        "EMOTION_EDGE_BUDGET_TARGET_FPS": "12",
        "EMOTION_EDGE_MQTT_HOST": "127.0.0.1",
        "EMOTION_EDGE_MQTT_PORT": "9",  # nobody listens there
    }
    with running("--source", "demo", **settings) as program:
        url = program.url()
        program.wait_for(url, "faces", above=0)
        with urllib.request.urlopen(f"{url}stream.mjpg", timeout=20) as stream:
            stream.read(100_000)
            program.wait_for(url, "skipped", holds="budget")
            program.wait_for(url, "budget.counts", holds="temperature")
            yield get(f"{url}metrics").decode()


@pytest.fixture(scope="module")
def known(scraped: str) -> dict[str, set[str]]:
    found = {**exported(scraped), **OWN}
    return {**found, **recorded(found)}


def test_all_that_is_asked_for_is_exported(known: dict[str, set[str]]):
    unknown = [fault for query in (*asked_by_dashboard(), *asked_by_rules()) for fault in query.unknown(known)]
    assert unknown == []


def test_all_that_is_exported_is_on_the_dashboard_or_left_out_for_a_reason(scraped: str):
    asked = {name for query in asked_by_dashboard() for name, _ in query.metrics}
    own = {name: samples for name, samples in families(scraped) if name.startswith("emotion_edge_")}
    assert len(own) > 30
    shown = {name for name, samples in own.items() if samples & asked}
    assert own.keys() - shown == LEFT_OUT.keys()
    assert all(LEFT_OUT.values())


def test_all_that_the_rules_need_is_there_from_the_first_scrape_on(tmp_path: Path):
    """A counter that appears with its first event has no increase then: the alert would sleep through it.

    Temperatures are gauges, and there are none without a sensor; skipped frames are looked at as a share.
    """
    broker = {"EMOTION_EDGE_MQTT_HOST": "127.0.0.1", "EMOTION_EDGE_MQTT_PORT": "9"}
    with running("--source", "v4l2:/dev/video77", **broker) as program:
        url = program.url()
        program.wait_for(url, "source.reason", holds="/dev/video77")
        first = exported(get(f"{url}metrics").decode())
    needless = {"emotion_edge_temperature_celsius", "emotion_edge_skipped_frames_total"}
    needed = (
        {name for query in asked_by_rules() for name, _ in query.metrics if ":" not in name} - OWN.keys() - needless
    )
    assert needed - first.keys() == set()
