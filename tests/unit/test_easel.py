import numpy as np
import pytest

from edge.sources.easel import BOTTOM, LEFT, RIGHT, TOP, Easel

SCALE = 40.0
"""Pixels per radius."""


@pytest.mark.parametrize(("centre", "share"), [((0.0, 0.0), 1.0), ((LEFT, 0.2), 0.5), ((RIGHT, BOTTOM), 0.25)])
def test_a_shape_covers_its_area_as_far_as_it_lies_on_the_canvas(centre: tuple[float, float], share: float):
    plane = Easel(SCALE).ellipse(centre, (0.3, 0.2), 0.0)
    area = share * np.pi * 0.3 * 0.2 * SCALE**2
    assert plane.sum() == pytest.approx(area, rel=0.1)
    assert (plane.min(), plane.max()) == (0.0, 1.0)


def test_a_shape_lies_where_it_was_put():
    easel = Easel(SCALE)
    plane = easel.ellipse((0.5, -0.25), (0.1, 0.1))
    rows, columns = np.nonzero(plane)
    assert easel.x[0, columns].mean() == pytest.approx(0.5, abs=0.01)
    assert easel.y[rows, 0].mean() == pytest.approx(-0.25, abs=0.01)


@pytest.mark.parametrize("centre", [(RIGHT + 1, 0.0), (0.0, TOP - 1)])
def test_what_lies_beside_the_canvas_paints_nothing(centre: tuple[float, float]):
    easel = Easel(SCALE)
    plane = easel.ellipse(centre, (0.3, 0.3))
    assert not plane.any()
    easel.lay(plane, (10, 20, 30))
    assert not easel.colour.any()
    assert not easel.alpha.any()


def test_paint_covers_as_much_as_its_mask_and_a_tint_adds_no_substance():
    easel = Easel(SCALE)
    mask = np.zeros((easel.height, easel.width), np.float32)
    mask[10:20, 30:50] = 0.5
    slope = np.broadcast_to(np.arange(easel.width, dtype=np.float32)[None, :, None], easel.colour.shape)
    easel.lay(mask, slope)
    assert easel.colour[15, 40].tolist() == [20.0] * 3
    assert easel.alpha[15, 40] == 0.5
    easel.tint(mask, (100, 0, 20))
    assert easel.colour[15, 40].tolist() == [60.0, 10.0, 20.0]
    assert easel.alpha[15, 40] == 0.5
    assert not easel.colour[:, :30].any()
    assert not easel.colour[20:].any()
