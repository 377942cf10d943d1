"""Faces keep their ids, and are let go in time."""

import numpy as np
import pytest

from edge.tracker import TrackerSettings, Tracks, advance, iou
from edge.types import Box, Face, Frame

SETTINGS = TrackerSettings(max_misses=2, max_age_ms=1000)


def frame(seq: int) -> Frame:
    return Frame(seq, seq * 33_000_000, np.zeros((2, 2, 3), np.uint8))


def face(x: float, y: float = 0.4, size: float = 0.2) -> Face:
    return Face(Box(x, y, size, size), 0.9)


def follow(*detections: tuple[Face, ...] | None) -> list[Tracks]:
    states = [Tracks()]
    for seq, faces in enumerate(detections, start=1):
        states.append(advance(states[-1], frame(seq), faces, SETTINGS))
    return states[1:]


def ids(state: Tracks) -> list[int]:
    return [track.id for track in state.items]


def test_iou_of_a_box_with_itself_is_one_and_with_a_stranger_zero():
    assert iou(Box(0, 0, 0.5, 0.5), Box(0, 0, 0.5, 0.5)) == pytest.approx(1)
    assert iou(Box(0, 0, 0.5, 0.5), Box(0.5, 0.5, 0.5, 0.5)) == 0
    assert iou(Box(0, 0, 0.2, 0.2), Box(0.1, 0, 0.2, 0.2)) == pytest.approx(1 / 3)


def test_a_moving_face_keeps_its_id():
    states = follow(*[(face(0.1 + 0.02 * n),) for n in range(10)])
    assert all(ids(state) == [1] for state in states)
    assert states[-1].items[0].age == 10


def test_two_faces_are_told_apart_whatever_their_order():
    states = follow((face(0.1), face(0.6)), (face(0.61), face(0.12)))
    assert [(t.id, t.box.x) for t in states[1].items] == [(1, 0.12), (2, 0.61)]


def test_the_cached_roi_stays_while_no_detector_runs():
    states = follow((face(0.3),), None, None)
    kept = states[-1].items[0]
    assert kept.box == Box(0.3, 0.4, 0.2, 0.2)
    assert (kept.seen_seq, kept.misses, kept.age) == (1, 0, 3)


def test_a_face_survives_a_few_misses_and_no_more():
    states = follow((face(0.3),), (), (), ())
    assert [len(state.items) for state in states] == [1, 1, 1, 0]
    assert states[1].items[0].misses == 1


def test_a_miss_is_forgiven_when_the_face_is_back():
    states = follow((face(0.3),), (), (face(0.31),))
    assert ids(states[2]) == [1]
    assert states[2].items[0].misses == 0


def test_a_face_not_detected_for_too_long_is_never_kept_as_live():
    states = follow((face(0.3),), *[None] * 31)
    assert len(states[29].items) == 1
    assert states[31].items == ()


def test_who_comes_to_the_same_place_an_hour_later_is_somebody_else():
    first = advance(Tracks(), frame(1), (face(0.3),), SETTINGS)
    later = Frame(2, 3_600_000_000_000, np.zeros((2, 2, 3), np.uint8))
    second = advance(first, later, (face(0.3),), SETTINGS)
    assert [(track.id, track.age) for track in second.items] == [(2, 1)]


def test_an_id_is_never_used_twice():
    states = follow((face(0.3),), (), (), (), (face(0.3),))
    assert ids(states[-1]) == [2]


def test_a_face_elsewhere_is_another_face():
    states = follow((face(0.1),), (face(0.7),))
    assert ids(states[1]) == [1, 2]


def test_the_state_before_is_left_as_it_was():
    before = follow((face(0.3),))[-1]
    advance(before, frame(2), (face(0.5),), SETTINGS)
    assert before.items[0].box.x == 0.3
