import numpy as np
import pytest

from edge.sources.frozen import FrozenWatch
from edge.types import Pixels

SECOND_NS = 1_000_000_000


def noise(seed: int) -> Pixels:
    return np.random.default_rng(seed).integers(0, 255, (48, 64, 3), np.uint8)


def test_a_picture_that_never_changes_is_frozen_after_the_limit() -> None:
    watch = FrozenWatch(10.0, "camera 1")
    assert [watch.frozen(noise(1), t * SECOND_NS) for t in range(13)] == [False] * 11 + [True] * 2


def test_one_change_begins_anew() -> None:
    watch = FrozenWatch(10.0, "camera 2")
    for t in range(9):
        assert not watch.frozen(noise(1), t * SECOND_NS)
    assert not watch.frozen(noise(2), 9 * SECOND_NS)
    assert not watch.frozen(noise(2), 19 * SECOND_NS)
    assert watch.frozen(noise(2), 20 * SECOND_NS)


@pytest.mark.parametrize("level", [0, 16, 255])
def test_a_covered_lens_is_not_a_dead_camera(level: int) -> None:
    watch = FrozenWatch(10.0, "camera 3")
    dark = np.full((48, 64, 3), level, np.uint8)
    assert not any(watch.frozen(dark, t * SECOND_NS) for t in range(100))


def test_the_watch_can_be_switched_off() -> None:
    watch = FrozenWatch(0.0, "camera 4")
    assert not any(watch.frozen(noise(1), t * SECOND_NS) for t in range(100))


def test_a_camera_opened_again_with_the_picture_it_froze_on_is_frozen_from_the_start() -> None:
    watch = FrozenWatch(10.0, "hung")
    assert [watch.frozen(noise(1), t * SECOND_NS) for t in (0, 11)] == [False, True]
    assert FrozenWatch(10.0, "hung").frozen(noise(1), 12 * SECOND_NS)
    assert not FrozenWatch(10.0, "another").frozen(noise(1), 12 * SECOND_NS)
    again = FrozenWatch(10.0, "hung")
    assert not again.frozen(noise(2), 13 * SECOND_NS)
    assert not again.frozen(noise(1), 14 * SECOND_NS), "it moves again"
