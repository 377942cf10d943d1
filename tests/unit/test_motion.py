"""What changed, and where."""

import cv2
import numpy as np
import pytest

from edge.motion import CHANGE, Motion
from edge.types import Box, Frame, PixelFormat, Pixels

WHERE = Box(0.5, 0.5, 0.25, 0.25)
ELSEWHERE = Box(0, 0, 0.25, 0.25)


def picture(level: int = 90, lit: int | None = None) -> Pixels:
    pixels = np.full((240, 320, 3), level, np.uint8)
    if lit is not None:
        pixels[120:180, 160:240] = lit
    return pixels


def seen(*pictures: Pixels) -> Motion:
    motion = Motion()
    for seq, pixels in enumerate(pictures, 1):
        motion.look(Frame(seq, 0, pixels.copy()))
    return motion


def test_a_new_picture_is_new_everywhere():
    assert seen(picture()).since(0)
    assert not seen(picture()).since(1)


def test_a_picture_at_rest_does_not_change():
    assert not seen(*[picture()] * 5).since(1)


def test_it_tells_where_something_changed():
    motion = seen(picture(), picture(lit=200))
    assert motion.since(1)
    assert motion.since(1, WHERE)
    assert not motion.since(1, ELSEWHERE)
    assert not motion.since(2)
    assert motion.share(1, WHERE) == pytest.approx(1)
    assert motion.share(1, ELSEWHERE) == 0
    assert motion.share(1, Box(0.25, 0.5, 0.5, 0.25)) == pytest.approx(0.5, abs=0.1)


def test_a_cameras_noise_is_no_motion():
    random = np.random.default_rng(1)
    noisy = [np.clip(picture().astype(float) + random.normal(0, 3, (240, 320, 3)), 0, 255) for _ in range(30)]
    motion = seen(*[each.astype(np.uint8) for each in noisy])
    assert motion.share(1, Box(0, 0, 1, 1)) < 0.02


def test_what_changes_slowly_adds_up():
    slow = [picture(lit=90 + 2 * step) for step in range(CHANGE)]
    assert not seen(*slow[:3]).since(1)
    assert seen(*slow).since(1, WHERE)


def test_a_part_beyond_the_border_is_looked_at_as_far_as_it_is_there():
    motion = seen(picture(), picture(lit=200))
    assert motion.share(1, Box(-0.5, -0.5, 0.6, 0.6)) == 0
    assert not motion.since(1, Box(1.5, 1.5, 0.2, 0.2))


def test_another_size_begins_anew():
    motion = seen(picture(), picture())
    motion.look(Frame(3, 0, np.full((480, 640, 3), 90, np.uint8)))
    assert motion.since(2)


@pytest.mark.parametrize("format", [PixelFormat.GREY, PixelFormat.I420])
def test_other_formats_are_read_as_they_come(format: PixelFormat):
    code = cv2.COLOR_BGR2GRAY if format is PixelFormat.GREY else cv2.COLOR_BGR2YUV_I420
    motion = Motion()
    for seq, pixels in enumerate((picture(), picture(lit=200)), 1):
        frame = Frame(seq, 0, cv2.cvtColor(pixels, code), format)
        motion.look(frame)
        assert not frame._bgr, "no colours were made for it"
    assert motion.since(1, WHERE)
    assert not motion.since(1, ELSEWHERE)


def test_a_picture_of_a_few_pixels_is_one_too():
    motion = Motion()
    motion.look(Frame(1, 0, np.zeros((1, 2, 3), np.uint8)))
    motion.look(Frame(2, 0, np.full((1, 2, 3), 255, np.uint8)))
    assert motion.since(1)
