import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from edge.batch.plan import MOST, RUN_IN_S, SEGMENT_S, WHOLE, Segment, segment_length_s, segments
from edge.errors import ConfigError


def owners(times_ns: NDArray[np.int64], plan: tuple[Segment, ...]) -> NDArray[np.intp]:
    """Which segment each frame belongs to; fails where that is not exactly one."""
    begins, ends = (np.array(column) for column in zip(*((s.begin_ns, s.end_ns) for s in plan), strict=True))
    owned = (begins <= times_ns[:, np.newaxis]) & (times_ns[:, np.newaxis] < ends)
    assert (owned.sum(axis=1) == 1).all()
    return owned.argmax(axis=1)


@pytest.mark.parametrize("fps", [0.5, 10.0, 12.5, 23.976, 24_000 / 1001, 25.0, 29.97, 30_000 / 1001, 59.94, 240.0])
@pytest.mark.parametrize("segment_s", [1.0, 1.1, 7.3, 60.0])
def test_each_frame_belongs_to_one_segment_in_order(fps: float, segment_s: float):
    for frames in (1, 2, 29, 30, 31, 599, 600, 601):
        plan = segments(frames / fps, segment_s)
        # a container may be wrong about its length
        owned = owners(np.array([round(index / fps * 1e9) for index in range(frames + 100)]), plan)
        assert owned[0] == 0
        assert (np.diff(owned) >= 0).all()


def test_so_do_frames_at_any_times():
    chance = np.random.default_rng(7)
    for _ in range(200):
        duration_s, segment_s = chance.uniform(0.01, 5000), chance.uniform(1, 300)
        plan = segments(duration_s, segment_s)
        assert len(plan) == max(1, round(duration_s / segment_s))
        borders = np.array([segment.begin_ns for segment in plan])
        assert (owners(borders, plan) == np.arange(len(plan))).all()
        assert (owners(borders[1:] - 1, plan) == np.arange(len(plan) - 1)).all()
        owners(chance.integers(0, round(duration_s * 1e9) + 1, 50), plan)


def test_segments_are_about_as_long_as_asked_for_and_the_last_has_no_end():
    assert segments(150.0, 60.0) == (Segment(0, 60), Segment(60, None))
    assert segments(151.0, 60.0) == (Segment(0, 60), Segment(60, 120), Segment(120, None))
    assert segments(89.0, 60.0) == (WHOLE,)
    for duration_s in np.linspace(31, 2000, 77):
        plan = segments(float(duration_s), 60.0)
        lengths = [(segment.end_s or duration_s) - segment.begin_s for segment in plan]
        assert all(length == 60 for length in lengths[:-1])
        assert 30 <= lengths[-1] <= 90


def test_what_has_no_length_or_is_not_to_be_cut_is_whole():
    assert segments(None, 60.0) == segments(1e4, 0.0) == segments(0.0, 60.0) == (WHOLE,)


def test_a_length_that_cannot_be_is_not_believed():
    assert segments(1e9, 60.0) == segments(MOST * 60.0 + 60.0, 60.0) == (WHOLE,)
    assert len(segments(MOST * 60.0, 60.0)) == MOST


def test_a_plan_follows_from_length_and_segment_alone_and_survives_the_way():
    plan = segments(1234.5, 17.25)
    assert plan == segments(1234.5, 17.25)
    assert msgspec.json.decode(msgspec.json.encode(plan), type=tuple[Segment, ...]) == plan


def test_the_run_in_begins_before_the_segment_but_not_before_the_film():
    assert Segment(60.0, 120.0).run_in_s == 60.0 - RUN_IN_S
    assert Segment(1.0, 2.0).run_in_s == 0.0


def test_segments_are_of_60_s_on_a_cluster_and_none_here_unless_asked_for():
    assert segment_length_s(None, "ray") == SEGMENT_S == 60.0
    assert segment_length_s(None, "local") == 0.0
    assert segment_length_s(7.5, "local") == segment_length_s(7.5, "ray") == 7.5
    assert segment_length_s(0.0, "ray") == 0.0
    for wrong in (-1.0, 0.5, float("inf"), float("nan")):
        with pytest.raises(ConfigError, match="--segment-s is a number of seconds from 1 on"):
            segment_length_s(wrong, "local")
