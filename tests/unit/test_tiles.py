"""Parts of the frame at a larger scale."""

from itertools import pairwise

import numpy as np
import pytest

from edge.tiles import MOST, NEAR_FACE_PX, NEAR_INPUT_PX, OVERLAP, tiles

SIZES = [(640, 480), (480, 640), (1280, 720), (1920, 1080), (1080, 1920), (3840, 2160), (5000, 400)]


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("least", [0, 24, 60])
def test_they_cover_the_frame_and_overlap(width: int, height: int, least: int):
    found = tiles(width, height, least)
    assert len(found) <= MOST
    covered = np.zeros((200, 200), int)
    for tile in found:
        assert tile.x >= 0
        assert tile.x + tile.w <= 1 + 1e-9
        assert tile.y + tile.h <= 1 + 1e-9
        covered[
            int(tile.y * 200) : round((tile.y + tile.h) * 200), int(tile.x * 200) : round((tile.x + tile.w) * 200)
        ] += 1
    if found:
        assert covered.min() >= 1
    columns = sorted({tile.x for tile in found})
    for left, right in pairwise(columns):
        assert found[0].w - (right - left) >= OVERLAP * found[0].w * 0.999


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_they_are_squares_unless_the_frame_is_too_narrow(width: int, height: int):
    for tile in tiles(width, height, 24):
        across, down = round(tile.w * width), round(tile.h * height)
        assert across == down or min(across, down) == min(width, height)


def test_the_smallest_face_wanted_is_large_enough_in_them():
    side = tiles(640, 480, 24)[0].w * 640
    assert 24 / side * NEAR_INPUT_PX >= NEAR_FACE_PX / 1.11


def test_larger_faces_want_fewer_of_them():
    counts = [len(tiles(640, 480, least)) for least in (20, 24, 30, 40)]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > counts[-1]


@pytest.mark.parametrize(
    ("width", "height", "least"), [(160, 120, 24), (320, 240, 24), (640, 480, 80), (3840, 2160, 400)]
)
def test_there_are_none_where_the_whole_frame_shows_enough(width: int, height: int, least: int):
    assert tiles(width, height, least) == ()
