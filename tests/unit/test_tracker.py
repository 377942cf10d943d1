"""Faces keep their ids, and are let go in time."""

import numpy as np
import pytest

from edge.geometry import iou
from edge.tracker import WHOLE_FRAME, TrackerSettings, Tracks, advance
from edge.types import Box, Face, Frame, Search

SETTINGS = TrackerSettings(max_misses=2, max_age_ms=1000, memory_ms=2000)


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
    assert [(t.id, round(t.box.x, 2)) for t in states[1].items] == [(1, 0.12), (2, 0.61)]


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
    states = follow((face(0.3),), *[()] * 70, (face(0.3),))
    assert ids(states[-1]) == [2]


def test_who_comes_back_shortly_is_the_same():
    states = follow((face(0.3),), *[()] * 20, (face(0.35),))
    assert states[10].items == (), "in between nobody is shown"
    assert ids(states[-1]) == [1]
    assert states[-1].lost == ()


def test_who_comes_from_elsewhere_meanwhile_is_somebody_else():
    states = follow((face(0.1),), *[()] * 20, (face(0.7),))
    assert ids(states[-1]) == [2]


def test_who_is_twice_as_large_is_somebody_else():
    states = follow((face(0.3, size=0.1),), *[()] * 20, (face(0.3, size=0.3),))
    assert ids(states[-1]) == [2]


def test_two_who_cross_keep_their_ids():
    """One passes in front of the other, who is not seen for a third of a second."""
    found = []
    for step in range(60):
        left, right = 0.1 + 0.01 * step, 0.7 - 0.01 * step
        found.append((face(left),) if abs(left - right) < 0.1 else (face(left), face(right)))
    states = follow(*found)
    assert ids(states[0]) == ids(states[-1]) == [1, 2]
    assert [track.box.x for track in states[-1].items] == pytest.approx([0.69, 0.11], abs=0.01)
    assert states[-1].next_id == 3, "nobody else came"


def test_a_doubtful_face_goes_on_with_a_track_and_begins_none():
    doubtful = Face(Box(0.31, 0.4, 0.2, 0.2), 0.5, None, sure=False)
    states = follow((doubtful,), (face(0.3),), (doubtful,))
    assert states[0].items == ()
    assert states[0].doubtful == (doubtful.box,)
    assert [(track.id, track.misses, track.score) for track in states[2].items] == [(1, 0, 0.5)]
    assert states[2].doubtful == ()


PART = Box(0.2, 0.2, 0.5, 0.5)


def after(state: Tracks, seq: int, faces: tuple[Face, ...], search: Search = WHOLE_FRAME) -> Tracks:
    return advance(state, frame(seq), faces, SETTINGS, search)


def test_a_part_of_the_frame_does_not_miss_whom_nobody_looked_for():
    state = after(Tracks(), 1, (face(0.3), face(0.7)))
    state = after(state, 2, (), Search(PART))
    assert [track.misses for track in state.items] == [0, 0]


def test_a_search_for_one_face_misses_that_one_alone():
    state = after(Tracks(), 1, (face(0.3), face(0.7)))
    state = after(state, 2, (), Search(PART, track=1))
    assert [track.misses for track in state.items] == [1, 0]


def test_the_whole_frame_does_not_miss_whom_only_a_part_showed():
    small = face(0.3, size=0.04)
    state = after(Tracks(), 1, (small,), Search(PART))
    state = after(state, 2, ())
    assert [(track.id, track.misses) for track in state.items] == [(1, 0)]


def test_a_part_says_nothing_new_of_whom_the_whole_frame_shows():
    state = after(Tracks(), 1, (face(0.3),))
    state = after(state, 2, (face(0.31),), Search(PART))
    assert [(track.id, track.box.x, track.seen_seq) for track in state.items] == [(1, 0.3, 1)]


def test_but_it_finds_again_whom_that_missed():
    state = after(Tracks(), 1, (face(0.3),))
    state = after(state, 2, ())
    state = after(state, 3, (face(0.3),), Search(PART, track=1))
    assert [(track.id, track.misses, track.seen_seq) for track in state.items] == [(1, 0, 3)]


def test_the_same_face_at_another_size_is_not_a_second_one():
    state = after(Tracks(), 1, (face(0.3, size=0.3),))
    state = after(state, 2, (face(0.36, y=0.46, size=0.1),), Search(PART))
    assert ids(state) == [1]


def test_a_small_face_beside_a_large_one_is_somebody_else():
    beside = face(0.72, y=0.5, size=0.05)
    state = after(Tracks(), 1, (face(0.3, y=0.3, size=0.4),))
    assert ids(after(state, 2, (beside,), Search(Box(0.6, 0.4, 0.3, 0.3)))) == [1, 2]
    whole = after(state, 2, (beside,))
    assert [(track.id, track.misses, track.box.w) for track in whole.items] == [(1, 1, 0.4), (2, 0, 0.05)]


def test_keypoints_move_on_with_the_face():
    marks = np.full((6, 2), 0.5, np.float32)
    states = [Tracks()]
    for seq in range(1, 31):
        found = Face(Box(0.1 + 0.02 * seq, 0.4, 0.2, 0.2), 0.9, marks + np.float32([0.02 * seq, 0]))
        states.append(advance(states[-1], frame(seq), (found,) if seq < 30 else None, SETTINGS))
    before, now = states[-2].items[0], states[-1].items[0]
    assert now.box.x > before.box.x
    assert now.keypoints is not None
    assert before.keypoints is not None
    np.testing.assert_allclose(now.keypoints - before.keypoints, [(now.box.x - before.box.x, 0)] * 6, atol=1e-6)
    assert not now.keypoints.flags.writeable


def test_a_face_elsewhere_is_another_face():
    states = follow((face(0.1),), (face(0.7),))
    assert ids(states[1]) == [1, 2]


def test_the_state_before_is_left_as_it_was():
    before = follow((face(0.3),))[-1]
    advance(before, frame(2), (face(0.5),), SETTINGS)
    assert before.items[0].box.x == 0.3
