"""Boxes are smoothed without lagging behind, and faces that move are where they went."""

import numpy as np
import pytest

from edge.paths import Path
from edge.types import Box

MS = 1_000_000
STEP_NS = 100 * MS
"""Between two detections."""


def box(x: float, y: float = 0.4, size: float = 0.2) -> Box:
    return Box(x, y, size, size)


def walk(boxes: list[Box]) -> list[Path]:
    """The path after each detection."""
    paths = [Path(boxes[0], 0)]
    for step, each in enumerate(boxes[1:], 1):
        paths.append(paths[-1].seen(each, step * STEP_NS, near=False))
    return paths


def test_a_face_at_rest_jitters_less_than_its_detections():
    random = np.random.default_rng(1)
    boxes = [box(0.4 + dx, 0.4 + dy, 0.2 + dw) for dx, dy, dw in random.normal(0, 0.002, (200, 3))]
    smooth = [path.box for path in walk(boxes)]
    for found in (lambda each: each.x, lambda each: each.y, lambda each: each.w):
        assert np.std(np.diff([found(each) for each in smooth])) < 0.7 * np.std(
            np.diff([found(each) for each in boxes])
        )


def test_a_face_that_moves_is_not_followed_late():
    boxes = [box(0.1)] * 10 + [box(0.1 + 0.02 * step) for step in range(1, 30)]
    behind = [abs(path.box.x - each.x) for path, each in zip(walk(boxes), boxes, strict=True)]
    assert max(behind) < 0.005, "a fortieth of its width"


def test_a_face_that_comes_near_grows_at_once():
    boxes = [box(0.3, size=0.2)] * 5 + [box(0.25, size=0.3)] * 2
    assert walk(boxes)[-1].box.w == pytest.approx(0.3, abs=0.005)


def test_between_two_detections_a_face_is_moved_on():
    path = walk([box(0.1 + 0.03 * step) for step in range(12)])[-1]
    expected = path.at(path.t_ns + STEP_NS)
    assert expected.x == pytest.approx(0.1 + 0.03 * 12, abs=0.006)
    assert (expected.y, expected.w) == pytest.approx((0.4, 0.2), abs=1e-3)


def test_it_is_not_moved_on_for_ever():
    path = walk([box(0.1 + 0.03 * step) for step in range(12)])[-1]
    assert path.at(path.t_ns + 10 * STEP_NS) == path.at(path.t_ns + 100 * STEP_NS)


def test_a_face_at_rest_stays_where_it_is():
    random = np.random.default_rng(2)
    path = walk([box(0.4 + dx) for dx in random.normal(0, 0.002, 50)])[-1]
    assert path.at(path.t_ns + STEP_NS) == path.box


def test_two_detections_at_the_same_moment_do_no_harm():
    path = Path(box(0.4), 0, 0.1, 0.0).seen(box(0.5), 0, near=True)
    assert (path.vx, path.near) == (0.1, True)
    assert np.isfinite(path.box.x)
