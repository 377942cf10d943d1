"""What is drawn."""

import cv2
import numpy as np
import pytest

from edge.annotate import Annotator
from edge.encode import encode_jpeg
from edge.errors import PermanentError
from edge.palette import face_colour
from edge.types import Box
from tests.drawn import scene, track


def colours(picture: np.ndarray) -> set[tuple[int, ...]]:
    return {tuple(colour) for colour in picture.reshape(-1, 3).tolist()}


def test_a_face_gets_a_box_in_its_own_colour():
    picture = Annotator().draw(scene(track(2)))
    assert face_colour(2)[::-1] in colours(picture)
    assert tuple(picture[60, 160]) == face_colour(2)[::-1], "the box's upper edge"


def test_a_face_that_was_missed_is_grey():
    assert face_colour(1)[::-1] not in colours(Annotator().draw(scene(track(1, misses=1))))


def test_a_source_that_was_chosen_for_the_user_is_named_at_the_foot_of_the_picture():
    plain, named = Annotator().draw(scene(track())), Annotator("auto: demo, no camera answers").draw(scene(track()))
    changed = (plain != named).any(axis=(1, 2)).nonzero()[0]
    assert changed.min() > 200, "only the last rows of 240"
    assert changed.max() == 239


def test_the_frame_itself_is_never_drawn_on():
    shown = scene(track())
    before = shown.frame.bgr.copy()
    Annotator().draw(shown)
    np.testing.assert_array_equal(shown.frame.bgr, before)


def test_a_picture_without_faces_is_the_frame():
    shown = scene()
    np.testing.assert_array_equal(Annotator().draw(shown), shown.frame.bgr)


def test_nothing_of_the_scene_before_is_left_on_the_canvas():
    annotator = Annotator()
    annotator.draw(scene(track()))
    np.testing.assert_array_equal(annotator.draw(scene()), scene().frame.bgr)


@pytest.mark.parametrize("box", [Box(-0.5, -0.5, 0.6, 0.6), Box(0.9, 0.9, 0.5, 0.5), Box(0, 0, 1, 1), Box(2, 2, 1, 1)])
def test_a_face_at_the_border_can_be_drawn(box: Box):
    assert Annotator().draw(scene(track(box=box))).shape == (240, 320, 3)


def test_labels_are_kept_drawn_but_not_for_ever():
    annotator = Annotator()
    for number in range(600):
        annotator.draw(scene(track(label=f"l{number}")))
    assert len(annotator._labels) <= 256


def test_a_notice_shows_its_words():
    blank = Annotator().notice(640, 480, "", "")
    notice = Annotator().notice(640, 480, "Camera reconnecting", "/dev/video0 is not there: plug it in " * 3)
    assert (blank != notice).any()


def test_an_encoded_picture_can_be_decoded_and_one_without_pixels_is_refused():
    picture = Annotator().draw(scene(track()))
    again = cv2.imdecode(np.frombuffer(encode_jpeg(picture, 90), np.uint8), cv2.IMREAD_COLOR)
    assert np.abs(again.astype(int) - picture).mean() < 3
    with pytest.raises(PermanentError, match="shape"):
        encode_jpeg(np.empty((0, 0, 3), np.uint8), 80)
