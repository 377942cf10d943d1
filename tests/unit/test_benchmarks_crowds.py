"""Many viewers: what is made of the figures, and what is said about them."""

import cv2
import msgspec
import numpy as np
import pytest

from benchmarks.streaming import timecode
from benchmarks.streaming.crowds import OWN, Crowd, Crowds
from benchmarks.streaming.fake_camera import Format
from benchmarks.streaming.streamers import PLAIN, SERVERS, USTREAMER
from benchmarks.streaming.viewers import _turns
from benchmarks.streaming.viewers_page import document, sections
from benchmarks.streaming.viewers_picture import draw_processor
from benchmarks.streaming.watchers import ages
from edge.machine import describe
from training.reporting.document import markdown
from training.reporting.style import new_figure

MACHINE = describe()


def crowd(server: str, camera: Format, viewers: int, cpu_share: float, **other: float) -> Crowd:
    plain = {
        "least_fps": 29.9,
        "median_fps": 30.0,
        "p50_ms": 6.0,
        "p95_ms": 10.0,
        "rss_mib": 99.0,
        "rss_before_mib": 70.0,
        "rss_after_mib": 70.5,
        "picture_kib": 18.0,
        "encodes_per_scene": 1.0 if server == OWN else None,
        "lost": 0,
    }
    return Crowd(server=server, camera=camera, viewers=viewers, cpu_share=cpu_share, **{**plain, **other})


CROWDS = (
    *(crowd(OWN, "MJPG", 1, 0.20), crowd(OWN, "MJPG", 51, 0.25, p95_ms=14.0)),
    *(crowd(PLAIN, "MJPG", 1, 0.01), crowd(PLAIN, "MJPG", 51, 0.035)),
    *(crowd(USTREAMER, "MJPG", 1, 0.01), crowd(USTREAMER, "MJPG", 51, 0.02)),
    *(crowd(PLAIN, "MJPG", 1, 0.02), crowd(PLAIN, "MJPG", 51, 0.27)),
    *(crowd(USTREAMER, "MJPG", 1, 0.01), crowd(USTREAMER, "MJPG", 51, 0.03)),
    *(crowd(OWN, "MJPG", 1, 0.22), crowd(OWN, "MJPG", 51, 0.32, p95_ms=13.0)),
)
GOOD = Crowds(MACHINE, 20, 2, 5, CROWDS, 1.5, "4.9", "")


def test_one_more_viewer_has_a_price_in_each_round():
    assert GOOD.costs(OWN, "MJPG") == pytest.approx((0.001, 0.002))
    assert GOOD.costs(PLAIN, "MJPG") == pytest.approx((0.0005, 0.005))
    assert GOOD.times(PLAIN, "MJPG") == pytest.approx((2.0, 0.4))
    assert GOOD.times(USTREAMER, "MJPG") == pytest.approx((5.0, 5.0))


def test_without_a_second_crowd_it_has_none_and_the_page_says_so():
    few = msgspec.structs.replace(GOOD, crowds=tuple(one for one in CROWDS if one.viewers == 1))
    assert few.costs(OWN, "MJPG") == ()
    assert few.times(PLAIN, "MJPG") == ()
    assert "| emotion-edge, MJPG | – |" in markdown(document(few))


def test_a_server_that_costs_nothing_more_is_compared_with_nothing():
    free = tuple(
        msgspec.structs.replace(one, cpu_share=0.01) if one.server == USTREAMER else one for one in GOOD.crowds
    )
    assert msgspec.structs.replace(GOOD, crowds=free).times(USTREAMER, "MJPG") == ()


def test_the_page_has_the_figures_with_their_spread_and_says_which_is_cheaper():
    page = markdown(document(GOOD))
    assert "| emotion-edge, MJPG, 51 | 29.90 | 30.00 | 6.0 | 13.5 | 28.5 (25.0–32.0) | 99.0 | 18.0 | 1.000 |" in page
    assert "| ustreamer, MJPG, 51 | 29.90 | 30.00 | 6.0 | 10.0 | 2.5 (2.0–3.0) | 99.0 | 18.0 | – |" in page
    assert "| plain server, MJPG | 0.275 (0.050–0.500) |" in page
    assert "pays 5.00 (5.00–5.00) times what ustreamer pays for one viewer more: 400% more." in page
    assert "pays 1.20 (0.40–2.00) times what plain server pays for one viewer more: no clear difference." in page
    assert "ustreamer 4.9" in page
    assert "Left out" not in page
    assert page.count("- kept: ") == 4


def test_what_is_left_out_is_said():
    without = tuple(one for one in CROWDS if one.server != USTREAMER)
    found = msgspec.structs.replace(GOOD, crowds=without, ustreamer="", left_out="ustreamer is not installed")
    page = markdown(document(found))
    assert "Left out: ustreamer is not installed." in page
    assert "| ustreamer" not in page


@pytest.mark.parametrize(
    ("index", "change"),
    [(0, {"least_fps": 28.9}), (1, {"encodes_per_scene": 1.5}), (2, {"p95_ms": 18.0}), (3, {"rss_after_mib": 76.0})],
)
def test_what_does_not_hold_is_said(index: int, change: dict[str, float]):
    worse = msgspec.structs.replace(CROWDS[1], **change)
    found = msgspec.structs.replace(GOOD, crowds=(CROWDS[0], worse, *CROWDS[2:]))
    assert [well for _, well in found.musts()] == [number != index for number in range(4)]
    assert "**not kept**" in markdown(document(found))


def test_each_camera_has_to_keep_it():
    raw = (crowd(OWN, "YUYV", 1, 0.1, p95_ms=4.0), crowd(OWN, "YUYV", 51, 0.1, p95_ms=8.0))
    found = msgspec.structs.replace(GOOD, crowds=(*CROWDS, *raw))
    assert [well for _, well in found.musts()] == [True, True, False, True]


def test_the_page_and_the_report_have_the_same_parts_and_figures_survive_as_json():
    assert [part.title for part in document(GOOD).sections] == [part.title for part in sections(GOOD)]
    assert document(GOOD).name == "streaming"
    assert msgspec.json.decode(msgspec.json.encode(GOOD), type=Crowds) == GOOD


def test_lines_lie_at_the_medians_and_each_server_has_its_name_at_its_end():
    raw = tuple(msgspec.structs.replace(one, camera="YUYV", cpu_share=2 * one.cpu_share) for one in CROWDS)
    found = msgspec.structs.replace(GOOD, crowds=(*CROWDS, *raw))
    with new_figure((9, 4.2)) as figure:
        draw_processor(figure, found)
        jpegs, raws = figure.axes
        medians = [tuple(box.lines[0].get_ydata()) for box in jpegs.containers]
        assert medians == [pytest.approx((21, 28.5)), pytest.approx((1.5, 15.25)), pytest.approx((1, 2.5))]
        assert tuple(raws.containers[0].lines[0].get_ydata()) == pytest.approx((42, 57))
        assert sorted(text.get_text() for text in jpegs.texts) == [OWN, PLAIN, USTREAMER]


def test_one_camera_alone_is_drawn_too():
    with new_figure((9, 4.2)) as figure:
        draw_processor(figure, GOOD)
        assert len(figure.axes) == 1


def test_servers_take_turns_and_each_round_begins_with_another_one():
    turns = list(_turns(tuple(SERVERS), 2))
    assert turns[:2] == [(OWN, "MJPG"), (OWN, "YUYV")]
    assert turns[6:8] == [(PLAIN, "MJPG"), (PLAIN, "YUYV")]
    assert set(turns[:6]) == set(turns[6:])


def test_the_age_of_a_picture_is_read_off_it_and_a_picture_without_a_moment_has_none():
    grey = np.full((480, 640, 3), 120, np.uint8)
    stamped, bare = (cv2.imencode(".jpg", one)[1].tobytes() for one in (timecode.stamped(grey, 5_000_000_000), grey))
    assert ages([(5_012_000_000, stamped), (5_012_000_000, bare), (5_012_000_000, b"no JPEG")]) == [pytest.approx(12)]
