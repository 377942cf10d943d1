"""Which faces are read on a frame, and which are shown."""

import itertools
from collections import defaultdict

import pytest
from msgspec.structs import replace

from edge.attention import Attention
from edge.types import Box, Track

FRAME_NS = 40_000_000


def track(number: int, size: float = 0.2, looked_ns: int | None = None) -> Track:
    return Track(number, Box(0.1, 0.1, size, size), 0.9, None, 1, 0, 1, 0, looked_ns=looked_ns)


def ids(tracks: object) -> list[int]:
    return [face.id for face in tracks]  # type: ignore[attr-defined]


def readings(attention: Attention, faces: list[Track], frames: int, step_ns: int = FRAME_NS) -> dict[int, list[int]]:
    """The numbers of the frames on which each face was read, by id."""
    read: dict[int, list[int]] = defaultdict(list)
    for index in range(frames):
        due = attention.due(tuple(faces), index * step_ns)
        for face in due[: attention.max_faces or None]:
            read[face.id].append(index)
            faces = [replace(f, looked_ns=index * step_ns) if f.id == face.id else f for f in faces]
    return read


def test_a_new_face_is_due_at_once():
    assert ids(Attention().due((track(1),), 0)) == [1]


def test_a_face_is_due_again_when_its_scores_are_as_old_as_the_interval():
    attention = Attention(interval_ms=60)
    assert ids(attention.due((track(1, looked_ns=0),), 59_999_999)) == []
    assert ids(attention.due((track(1, looked_ns=0),), 60_000_000)) == [1]


@pytest.mark.parametrize(("fps", "every"), [(5, 1), (15, 1), (25, 2), (30, 2), (60, 4)])
def test_by_default_a_face_is_read_as_often_as_tells_something_new(fps: int, every: int):
    read = readings(Attention(), [track(1)], 20, 1_000_000_000 // fps)
    assert read[1] == list(range(0, 20, every))


def test_no_interval_means_on_every_frame():
    assert readings(Attention(interval_ms=0), [track(1)], 5)[1] == [0, 1, 2, 3, 4]


def test_of_too_many_new_faces_the_largest_come_first():
    faces = [track(1, 0.1), track(2, 0.3), track(3, 0.2)]
    assert ids(Attention(max_faces=2).due(tuple(faces), 0))[:2] == [2, 3]


@pytest.mark.parametrize(("faces", "most"), [(5, 2), (7, 3), (9, 4), (20, 4), (3, 3)])
def test_the_largest_is_read_whenever_it_is_due_and_all_others_within_a_bounded_time(faces: int, most: int):
    sizes = [0.1 + 0.01 * number for number in range(faces)]
    attention = Attention(interval_ms=0, max_faces=most)
    read = readings(attention, [track(n, size) for n, size in enumerate(sizes)], 60)
    assert read[faces - 1] == list(range(60))
    bound = -(-(faces - 1) // (most - 1))
    for number in range(faces):
        waits = [b - a for a, b in itertools.pairwise([-1, *read[number], 60])]
        assert max(waits) <= bound, number


def test_if_only_one_may_be_read_all_take_turns():
    read = readings(Attention(interval_ms=0, max_faces=1), [track(n, 0.1 * n) for n in (1, 2, 3)], 9)
    assert read == {3: [0, 3, 6], 2: [1, 4, 7], 1: [2, 5, 8]}


def test_no_limit_means_all_that_are_due():
    faces = tuple(track(number) for number in range(50))
    assert len(Attention(max_faces=0).due(faces, 0)) == 50


def test_all_faces_are_shown_unless_only_the_largest_is_asked_for():
    faces = (track(1, 0.2), track(2, 0.3), track(3, 0.1))
    assert Attention().shown(faces, None) is faces
    assert ids(Attention(faces="largest").shown(faces, None)) == [2]
    assert Attention(faces="largest").shown((), 2) == ()


def test_the_face_that_is_followed_stays_until_another_is_much_larger():
    attention = Attention(faces="largest")
    assert ids(attention.shown((track(1, 0.20), track(2, 0.22)), 1)) == [1]
    assert ids(attention.shown((track(1, 0.20), track(2, 0.23)), 1)) == [2]
    assert ids(attention.shown((track(2, 0.20), track(3, 0.22)), 1)) == [3], "who was followed is gone"
