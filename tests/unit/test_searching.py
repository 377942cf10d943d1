"""Parts of a frame are searched as frames of their own."""

import cv2
import numpy as np
import pytest

from edge.searching import Searcher, Thorough
from edge.types import Box, Face, Frame, PixelBox, PixelFormat
from tests.fakes import FakeDetector


def frame(width: int = 640, height: int = 480) -> Frame:
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    return Frame(7, 70, np.stack([x % 256, y % 256, (x + y) % 256], axis=2).astype(np.uint8))


def near(*boxes: Box, sure: bool = True) -> FakeDetector:
    return FakeDetector(tuple(Face(box, 0.9, None, sure) for box in boxes))


def test_a_face_in_a_part_is_where_it_is_in_the_frame():
    marks = np.array([(0.5, 0.5)] * 6, np.float32)
    part = FakeDetector((Face(Box(0.25, 0.5, 0.5, 0.25), 0.8, marks),))
    (found,) = Searcher(FakeDetector(()), part).find(frame(), Box(0.5, 0.25, 0.25, 0.5))
    assert found.box == Box(0.5625, 0.5, 0.125, 0.125)
    assert found.keypoints is not None
    assert found.keypoints.dtype == np.float32
    np.testing.assert_allclose(found.keypoints, [(0.625, 0.5)] * 6)
    assert (part.frames[0].width, part.frames[0].height) == (160, 240)
    np.testing.assert_array_equal(part.frames[0].bgr, frame().bgr[120:360, 320:480])


def test_a_face_that_the_border_of_a_part_cuts_is_left_to_others():
    cut = near(Box(0.0, 0.3, 0.3, 0.3), Box(0.3, 0.8, 0.3, 0.2), Box(0.4, 0.4, 0.2, 0.2))
    assert len(Searcher(FakeDetector(()), cut).find(frame(), Box(0.25, 0.25, 0.5, 0.5))) == 1


def test_a_face_at_the_border_of_the_frame_is_not():
    border = near(Box(0.0, 0.0, 0.3, 0.3), Box(-0.1, 0.4, 0.3, 0.3))
    assert len(Searcher(FakeDetector(()), border).find(frame(), Box(0, 0, 0.5, 0.9))) == 2


def test_the_whole_frame_is_searched_by_its_own_detector():
    wide, part = FakeDetector(), FakeDetector()
    Searcher(wide, part).find(frame(), None)
    assert (len(wide.frames), len(part.frames)) == (1, 0)


@pytest.mark.parametrize("region", [Box(1.2, 0.1, 0.2, 0.2), Box(0.5, 0.5, 0.001, 0.001), Box(0.999, 0.999, 0.5, 0.5)])
def test_nothing_is_found_where_there_is_no_picture(region: Box):
    assert Searcher(FakeDetector(), FakeDetector()).find(frame(), region) == ()


@pytest.mark.parametrize("format", [PixelFormat.BGR, PixelFormat.GREY, PixelFormat.I420])
def test_a_part_looks_as_it_does_in_the_frame(format: PixelFormat):
    codes = {PixelFormat.GREY: cv2.COLOR_BGR2GRAY, PixelFormat.I420: cv2.COLOR_BGR2YUV_I420}
    pixels = cv2.cvtColor(frame().bgr, codes[format]) if format in codes else frame().bgr
    whole, again = Frame(1, 0, pixels, format), Frame(1, 0, pixels, format)
    part = whole.part(PixelBox(100, 60, 64, 48))
    assert (part.width, part.height, part.seq) == (64, 48, 1)
    np.testing.assert_array_equal(part.bgr, again.bgr[60:108, 100:164])
    np.testing.assert_array_equal(part.luma, again.luma[60:108, 100:164])


def test_of_a_picture_alone_every_part_is_searched_once():
    wide, part = FakeDetector(()), FakeDetector(())
    Thorough(Searcher(wide, part), 24).detect(frame())
    assert (len(wide.frames), len(part.frames)) == (1, 6)


def test_the_same_face_in_the_whole_and_in_a_part_is_one():
    wide = near(Box(0.1, 0.1, 0.2, 0.2))
    side = 275
    again = near(Box(0.1 * 640 / side, 0.1 * 480 / side, 0.2 * 640 / side, 0.2 * 480 / side))
    again._found = (again._found[0], (), (), (), (), ())
    assert len(Thorough(Searcher(wide, again), 24).detect(frame())) == 1


@pytest.mark.parametrize(("sure", "faces"), [(True, 1), (False, 0)])
def test_what_may_be_a_face_needs_a_second_look(sure: bool, faces: int):
    wide = near(Box(0.4, 0.4, 0.1, 0.1), sure=False)
    # parts show nothing, but for the closer look, whose middle is the face
    part = FakeDetector(*[()] * 6, (Face(Box(0.375, 0.375, 0.25, 0.25), 0.9, None, sure),))
    assert len(Thorough(Searcher(wide, part), 24).detect(frame())) == faces


def test_without_a_detector_for_parts_only_what_is_sure_counts():
    wide = FakeDetector((Face(Box(0.1, 0.1, 0.1, 0.1), 0.9), Face(Box(0.5, 0.5, 0.1, 0.1), 0.55, None, False)))
    assert [face.score for face in Thorough(Searcher(wide), 24).detect(frame())] == [0.9]
