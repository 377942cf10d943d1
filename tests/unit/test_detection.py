"""The parts of BlazeFace that are ours: anchors, letterbox, NMS."""

import numpy as np
import pytest

from edge.detectors.anchors import FULL_RANGE, SHORT_RANGE, anchor_centres
from edge.detectors.letterbox import letterbox_into
from edge.detectors.nms import iou, weighted_nms
from edge.types import Frame


def test_there_are_as_many_anchors_as_the_networks_have_outputs():
    assert anchor_centres(128, SHORT_RANGE).shape == (896, 2)
    assert anchor_centres(192, FULL_RANGE).shape == (2304, 2)


def test_anchors_lie_at_the_cells_centres_row_by_row():
    centres = anchor_centres(128, SHORT_RANGE)
    np.testing.assert_allclose(centres[:3], [[1 / 32, 1 / 32], [1 / 32, 1 / 32], [3 / 32, 1 / 32]])
    np.testing.assert_allclose(centres[512:518], np.full((6, 2), 1 / 16))
    np.testing.assert_allclose(centres[-1], [15 / 16, 15 / 16])


@pytest.mark.parametrize(("width", "height"), [(640, 480), (480, 640), (100, 100), (1, 1), (4000, 30)])
def test_the_letterbox_keeps_the_aspect_and_maps_back_to_the_frame(width: int, height: int):
    target = np.zeros((192, 192, 3), np.float32)
    place = letterbox_into(Frame(1, 0, np.full((height, width, 3), 255, np.uint8)), target)
    corners = place.to_frame(np.array([[place.x, place.y], [place.x + place.w, place.y + place.h]], np.float32))
    np.testing.assert_allclose(corners, [[0, 0], [1, 1]], atol=1e-5)
    white = (target == 1.0).all(axis=2)
    assert white.sum() == round(place.w * 192) * round(place.h * 192)
    assert (target[~white] == -1.0).all()


def test_the_network_sees_red_first_from_minus_one_to_one():
    target = np.zeros((4, 4, 3), np.float32)
    letterbox_into(Frame(1, 0, np.full((4, 4, 3), (0, 127, 255), np.uint8)), target)
    np.testing.assert_allclose(target[0, 0], [1, 127 / 127.5 - 1, -1], atol=1e-6)


def test_iou_of_equal_boxes_is_one_and_of_empty_ones_zero():
    box = (0.0, 0.0, 1.0, 1.0)
    assert iou(box, box) == pytest.approx(1)
    assert iou(box, (0.5, 0.0, 1.5, 1.0)) == pytest.approx(1 / 3)
    assert iou(box, (0.0, 0.0, 0.0, 0.0)) == iou(box, (2.0, 0.0, 3.0, 1.0)) == 0


def boxes(*corners: tuple[float, float, float, float]) -> np.ndarray:
    return np.array(corners, np.float32).reshape(-1, 2, 2)


def test_overlapping_boxes_merge_into_their_weighted_mean():
    merged = weighted_nms(boxes((0, 0, 10, 10), (1, 0, 11, 10)), np.array([0.9, 0.3], np.float32), 0.3)
    assert len(merged) == 1
    np.testing.assert_allclose(merged[0][0].ravel(), [0.25, 0, 10.25, 10], atol=1e-6)
    assert merged[0][1] == pytest.approx(0.9)


def test_boxes_apart_stay_apart_best_first():
    merged = weighted_nms(boxes((0, 0, 1, 1), (5, 5, 6, 6)), np.array([0.6, 0.9], np.float32), 0.3)
    assert [round(score, 1) for _, score in merged] == [0.9, 0.6]


def test_a_degenerate_box_does_not_hang_the_loop():
    merged = weighted_nms(boxes((1, 1, 1, 1), (1, 1, 1, 1)), np.array([0.9, 0.8], np.float32), 0.3)
    assert len(merged) == 2
