"""Many viewers: what is measured, and what is said about it."""

import sys
from pathlib import Path

import msgspec
import pytest

from benchmarks import viewers
from benchmarks.crowds import Crowd, Crowds
from benchmarks.viewers_page import document
from edge.machine import describe
from training.reporting.document import markdown, write

OWN = Crowd("emotion-edge", 1, 29.9, 30.0, 6.0, 10.0, 0.2, 70.0, 70.5, 1.0, 0)
CROWDED = msgspec.structs.replace(OWN, viewers=51, p95_ms=14.0, cpu_share=0.3)
PLAIN = msgspec.structs.replace(OWN, server="plain server", encodes_per_scene=None)
GOOD = Crowds(describe(), 60, 5, (OWN, CROWDED, PLAIN), 1.5, "nothing")


def test_what_holds_is_said_and_one_more_viewer_has_a_price():
    assert all(well for _, well in GOOD.musts())
    assert GOOD.cost("emotion-edge") == pytest.approx(0.002)
    assert GOOD.cost("plain server") is None
    page = markdown(document(GOOD))
    assert page.count("- kept: ") == 4
    assert "| emotion-edge | 0.200 |" in page


@pytest.mark.parametrize(
    ("index", "change"),
    [(0, {"least_fps": 28.9}), (1, {"encodes_per_scene": 1.5}), (2, {"p95_ms": 16.0}), (3, {"rss_after_mib": 76.0})],
)
def test_what_does_not_hold_is_said(index: int, change: dict[str, float]):
    found = msgspec.structs.replace(GOOD, crowds=(OWN, msgspec.structs.replace(CROWDED, **change), PLAIN))
    assert [well for _, well in found.musts()] == [number != index for number in range(4)]
    assert "**not kept**" in markdown(document(found))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="epoll, and clocks of other processes, as Linux has")
def test_program_and_plain_server_are_measured_with_viewers_some_of_them_stalled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(viewers, "WARM_S", 1.0)
    monkeypatch.setattr(viewers, "PICTURES", 5)
    said: list[str] = []
    found = viewers.survey(0.7, (1, 3), said.append)
    assert [(crowd.server, crowd.viewers) for crowd in found.crowds] == [
        ("emotion-edge", 1),
        ("emotion-edge", 3),
        ("plain server", 1),
        ("plain server", 3),
    ]
    for crowd in found.crowds:
        assert 0 < crowd.least_fps <= crowd.median_fps
        assert 0 < crowd.p50_ms <= crowd.p95_ms
        assert crowd.cpu_share > 0
        assert crowd.lost == 0
    assert len(said) == 4
    page = write(document(found), tmp_path)
    assert "emotion-edge, 3" in page.read_text(encoding="utf-8")
