"""What counts as found, and where the marked faces lie when a photo is changed."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.faces.face_counts import Counts, Outline, count, look, outline
from benchmarks.faces.photos import CONDITIONS, KnownFace, Photo, darkened, load_photos, rolled, shrunk
from edge.errors import ConfigError
from edge.types import Box, Face, Frame, Framing

FACE = KnownFace(Box(100, 60, 40, 60), scored=True, size=1)
IGNORED = KnownFace(Box(10, 10, 20, 20), scored=False, size=0)


def spotted(box: Box) -> Photo:
    """A black photo with a white ellipse where the face is."""
    picture = np.zeros((200, 300, 3), np.uint8)
    centre = (round(box.x + box.w / 2), round(box.y + box.h / 2))
    cv2.ellipse(picture, centre, (round(box.w / 2), round(box.h / 2)), 0, 0, 360, (255, 255, 255), -1)
    return Photo("spot.png", picture, (KnownFace(box, scored=True, size=1),))


def spot(photo: Photo) -> Box:
    """Where the white ellipse is."""
    rows, columns = np.nonzero(photo.picture[:, :, 0] > 127)
    left, top = float(columns.min()), float(rows.min())
    return Box(left, top, float(columns.max()) + 1 - left, float(rows.max()) + 1 - top)


def test_a_box_on_a_face_finds_it_and_one_beside_it_is_a_false_alarm():
    counts = count([Box(102, 62, 40, 60), Box(200, 100, 40, 40)], (FACE, IGNORED))
    assert counts == Counts((0, 1, 0), (0, 1, 0), 1)


def test_a_box_of_too_little_overlap_is_a_missed_face_and_a_false_alarm():
    assert count([Box(120, 80, 40, 60)], (FACE,)) == Counts((0, 1, 0), (0, 0, 0), 1)


def test_an_ignored_face_is_neither_rewarded_nor_punished():
    assert count([Box(10, 10, 20, 20)], (IGNORED,)) == Counts((0, 0, 0), (0, 0, 0), 0)
    assert count([], (IGNORED,)) == Counts()


def test_counts_add_up_and_recall_is_over_all_sizes():
    total = Counts((1, 2, 0), (0, 1, 0), 1) + Counts((0, 1, 1), (0, 1, 1), 2)
    assert total == Counts((1, 3, 1), (0, 2, 1), 3)
    assert total.recall == pytest.approx(3 / 5)
    assert Counts().recall == 0


def test_the_outline_is_learnt_from_the_found_faces_and_puts_their_boxes_right():
    truth = Outline(0.8, 1.25, 0.1)
    boxes = [Box(10.0 * i, 50, 50, 50) for i in range(6)]
    seen = [([box], (KnownFace(truth.of(box), scored=True, size=1),)) for box in boxes]
    learnt = outline(seen)
    assert (learnt.width, learnt.height, learnt.up) == pytest.approx((0.8, 1.25, 0.1), abs=1e-3)
    assert truth.of(Box(0, 0, 100, 100)) == Box(10, -22.5, 80, 125)


def test_no_outline_is_learnt_from_a_few_faces_or_from_other_things():
    assert outline([([FACE.box], (FACE,))] * 4) == Outline()
    assert outline([([Box(0, 0, 9, 9)], (FACE,))] * 9) == Outline()


@pytest.mark.parametrize("degrees", [15, -30, 45])
def test_a_rolled_photo_has_its_face_where_it_is_marked(degrees: float):
    photo = rolled(spotted(Box(120, 60, 60, 90)), degrees)
    found, marked = spot(photo), photo.faces[0].box
    assert (found.x, found.y, found.w, found.h) == pytest.approx((marked.x, marked.y, marked.w, marked.h), abs=2.5)


def test_a_face_that_leaves_the_rolled_photo_is_not_scored():
    assert not rolled(spotted(Box(0, 0, 40, 40)), 45).faces[0].scored
    assert rolled(spotted(Box(130, 80, 40, 40)), 45).faces[0].scored


def test_at_half_the_size_the_photo_lies_in_the_middle():
    photo = shrunk(spotted(Box(120, 60, 60, 90)), 0.5)
    found, marked = spot(photo), photo.faces[0].box
    assert photo.picture.shape == (200, 300, 3)
    assert (found.x, found.y, found.w, found.h) == pytest.approx((marked.x, marked.y, marked.w, marked.h), abs=2)
    assert (marked.w, marked.h) == (30, 45)


def test_in_the_dark_the_picture_is_darker_and_the_same_in_every_run():
    photo = spotted(Box(120, 60, 60, 90))
    dark = darkened(photo, 1 / 8).picture
    assert dark.max() < 130
    np.testing.assert_array_equal(dark, darkened(photo, 1 / 8).picture)


def test_no_condition_loses_a_face_or_changes_the_photo_itself():
    photo = spotted(Box(120, 60, 60, 90))
    before = photo.picture.copy()
    for condition in CONDITIONS:
        for change in condition.changes:
            changed = change(photo)
            assert changed.picture.shape == photo.picture.shape
            assert changed.picture.dtype == np.uint8
            assert [face.scored for face in changed.faces] == [True]
    np.testing.assert_array_equal(photo.picture, before)


def test_boxes_are_looked_at_in_pixels():
    class Fixed:
        name, framing = "fixed", Framing(1, 0)

        def detect(self, frame: Frame) -> tuple[Face, ...]:
            return (Face(Box(0.5, 0.25, 0.1, 0.2), 1.0),)

    ((boxes, faces),), ms = look(Fixed(), [spotted(Box(120, 60, 60, 90))])
    assert boxes == [Box(150, 50, 30, 40)]
    assert len(faces) == 1
    assert ms >= 0


def written(folder: Path, table: str) -> Path:
    (folder / "annotations.csv").write_text(table)
    cv2.imwrite(str(folder / "a.png"), np.zeros((90, 120, 3), np.uint8))
    return folder


def test_photos_are_read_with_the_sizes_of_their_faces(tmp_path: Path):
    table = "file,x,y,w,h,ignore\na.png,1,2,20,39,0\na.png,1,2,30,80,0\na.png,1,2,30,81,1\n"
    (photo,), sha256 = load_photos(written(tmp_path, table))
    assert [(face.size, face.scored) for face in photo.faces] == [(0, True), (1, True), (2, False)]
    assert photo.faces[0].box == Box(1, 2, 20, 39)
    assert len(sha256) == 64


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("file,x,y,w,h\na.png,1,2,3,4\n", "no column ignore"),
        ("file,x,y,w,h,ignore\na.png,1,2,3,wide,0\n", "line 2"),
        ("file,x,y,w,h,ignore\nb.png,1,2,3,4,0\n", "b.png is missing"),
    ],
)
def test_bad_tables_are_refused(tmp_path: Path, table: str, said: str):
    with pytest.raises(ConfigError, match=said):
        load_photos(written(tmp_path, table))
