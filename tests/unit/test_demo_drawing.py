import cv2
import numpy as np
import pytest

from edge.contract.labels import FER2013_LABELS
from edge.sources.drawing import Sitter
from edge.sources.expressions import EXPRESSIONS, between
from edge.sources.portrait import cast
from edge.sources.script import MAX_FACES
from edge.types import Pixels

GREY = (120, 120, 120)


def drawn(sitter: Sitter, label: str, roll_deg: float = 0.0) -> Pixels:
    frame = np.full((240, 240, 3), GREY, np.uint8)
    sitter.paste(frame, sitter.picture(EXPRESSIONS[label], 0.0, 1.0), (120.0, 110.0), 70.0, roll_deg)
    return frame


@pytest.fixture(scope="module")
def sitter() -> Sitter:
    return Sitter(cast(0, 1)[0], 80)


def test_there_is_an_expression_for_every_label() -> None:
    assert set(EXPRESSIONS) == set(FER2013_LABELS)


def test_expressions_look_different(sitter: Sitter) -> None:
    pictures = {label: drawn(sitter, label).astype(int) for label in FER2013_LABELS}
    for a in FER2013_LABELS:
        for b in FER2013_LABELS[: FER2013_LABELS.index(a)]:
            # at least 1.5 % of the face's square differ clearly
            changed = (np.abs(pictures[a] - pictures[b]).max(axis=2) > 40)[40:180, 50:190].mean()
            assert changed > 0.015, f"{a} and {b} look alike"


def test_a_change_begins_and_ends_at_its_expressions() -> None:
    assert between("happy", "sad", 0.0) == EXPRESSIONS["happy"]
    assert between("happy", "sad", 1.0) == EXPRESSIONS["sad"]
    middle = between("happy", "sad", 0.5)
    assert middle.corners == pytest.approx((EXPRESSIONS["happy"].corners + EXPRESSIONS["sad"].corners) / 2)


def test_only_the_person_is_painted(sitter: Sitter) -> None:
    frame = drawn(sitter, "neutral")
    assert tuple(frame[2, 2]) == GREY
    assert tuple(frame[110, 120]) != GREY


def test_a_face_beyond_the_edge_is_cut_and_one_outside_is_not_drawn(sitter: Sitter) -> None:
    frame = np.full((100, 100, 3), GREY, np.uint8)
    picture = sitter.picture(EXPRESSIONS["happy"], 0.0, 1.0)
    for centre_px in ((900.0, 50.0), (50.0, -900.0)):
        sitter.paste(frame, picture, centre_px, 60.0, 10.0)
    assert (frame == GREY).all()
    sitter.paste(frame, picture, (0.0, 0.0), 60.0, 10.0)
    assert tuple(frame[20, 20]) != GREY


def test_a_turn_is_clockwise_on_the_screen(sitter: Sitter) -> None:
    upright, turned = (drawn(sitter, "neutral", roll).astype(int) for roll in (0.0, 15.0))
    back = cv2.warpAffine(turned.astype(np.uint8), cv2.getRotationMatrix2D((120, 110), 15.0, 1.0), (240, 240))
    face = np.s_[60:170, 70:170]
    assert np.abs(back.astype(int)[face] - upright[face]).mean() < 5
    assert np.abs(turned[face] - upright[face]).mean() > 10


def test_shut_eyes_show_no_white(sitter: Sitter) -> None:
    eyes = np.s_[85:112, 80:160]
    open_eyes = drawn(sitter, "surprise")[eyes]
    frame = np.full((240, 240, 3), GREY, np.uint8)
    sitter.paste(frame, sitter.picture(EXPRESSIONS["surprise"], 0.0, 0.0), (120.0, 110.0), 70.0, 0.0)
    assert (frame[eyes].min(axis=2) > 225).sum() < (open_eyes.min(axis=2) > 225).sum()


def test_an_unchanged_face_is_not_drawn_again(sitter: Sitter) -> None:
    first = sitter.picture(EXPRESSIONS["happy"], 0.30, 1.0)
    assert sitter.picture(EXPRESSIONS["happy"], 0.31, 1.0) is first
    assert sitter.picture(EXPRESSIONS["happy"], -0.6, 1.0) is not first


def test_people_differ() -> None:
    people = cast(0, MAX_FACES)
    assert len({(p.skin, p.hair, p.style) for p in people}) == MAX_FACES
    assert cast(0, 3) == people[:3]
    assert cast(1, 3) != people[:3]


@pytest.mark.parametrize("radius_px", [12.0, 50.0, 220.0])
def test_faces_can_be_drawn_small_and_large(radius_px: float) -> None:
    sitter = Sitter(cast(2, 1)[0], radius_px)
    for label in FER2013_LABELS:
        picture = sitter.picture(EXPRESSIONS[label], 1.0, 0.5)
        assert picture.dtype == np.uint8
        assert picture[..., 3].max() == 255
        assert (picture[..., :3] <= picture[..., 3:]).all(), "colours are multiplied by alpha"
