"""Face data as folders: the usual layouts become the same contract, and what is wrong is refused by name."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.contract.labels import FER2013_LABELS
from edge.errors import ConfigError
from tests.face_sources import folder_of_classes, picture
from tests.training_fakes import noise_chips
from training.data import LoaderOptions, load_data
from training.data.summary import class_counts, describe


@pytest.mark.parametrize(("second", "split"), [("test", "Test"), ("validation", "Validation"), ("Val", "Validation")])
def test_folders_of_splits_are_read(tmp_path: Path, second: str, split: str):
    happy = picture(tmp_path / "train" / "happy" / "a.png", 1, (48, 48))
    picture(tmp_path / "train" / "angry" / "b.png", 2, (48, 48))
    picture(tmp_path / second / "happy" / "c.png", 3, (48, 48))
    data = load_data("folders", tmp_path)
    assert data.label_names == ("angry", "happy")
    assert sorted(data.split_names()) == sorted(["Training", split])
    first = data.names.tolist().index("train/happy/a.png")
    assert np.array_equal(data.chips[first, ..., 0], happy)
    assert data.label_names[data.labels[first]] == "happy"


def test_the_order_of_folders_and_their_spelling_do_not_matter(tmp_path: Path):
    folder_of_classes(tmp_path / "train", {"Surprised": 1, "ANGER": 1, "Happiness": 1})
    folder_of_classes(tmp_path / "test", {"ANGER": 1})
    assert load_data("folders", tmp_path).label_names == ("angry", "happy", "surprise")


def test_numbered_folders_of_raf_db_and_affectnet_mean_what_their_authors_say(tmp_path: Path):
    numbers = {str(number): 1 for number in range(1, 8)}
    folder_of_classes(tmp_path / "raf" / "train", numbers)
    folder_of_classes(tmp_path / "raf" / "test", {"1": 1})
    raf = load_data("raf-db", tmp_path / "raf")
    assert raf.label_names == FER2013_LABELS
    assert [raf.label_names[label] for label in raf.labels[-7:]] == [
        "surprise", "fear", "disgust", "happy", "sad", "angry", "neutral",
    ]  # fmt: skip
    folder_of_classes(tmp_path / "affect" / "train", {str(number): 1 for number in range(8)})
    folder_of_classes(tmp_path / "affect" / "val", {"0": 1})
    assert load_data("affectnet", tmp_path / "affect").label_names == (*FER2013_LABELS, "contempt")
    dropped = load_data("affectnet", tmp_path / "affect", None, LoaderOptions(classes={"contempt": ""}))
    assert dropped.label_names == FER2013_LABELS
    assert len(dropped) == 8


def test_one_folder_a_class_is_divided_and_may_be_coloured_and_large(tmp_path: Path):
    names = {"Angry": 10, "Happy": 10, "Neutral": 10, "Sad": 10, "Surprise": 10}
    folder_of_classes(tmp_path, names, size=(140, 160), colour=True)
    options = LoaderOptions(validation_share=0.2, size=128, channels=3)
    data = load_data("class-folders", tmp_path, None, options)
    assert data.chips.shape == (50, 128, 128, 3)
    assert set(class_counts(data)["Validation"].values()) == {2}


def test_colours_come_red_first(tmp_path: Path):
    for index, name in enumerate(("happy", "sad")):
        red = np.zeros((64, 64, 3), np.uint8)
        red[:, :32, 2] = 200
        red[index, 0] = 1
        (tmp_path / name).mkdir()
        cv2.imwrite(str(tmp_path / name / "red.png"), red)
    data = load_data("class-folders", tmp_path, None, LoaderOptions(size=64, channels=3))
    assert data.chips[0, 10, 10].tolist() == [200, 0, 0]


def test_equal_pictures_stay_on_one_side_of_a_split(tmp_path: Path):
    for name in ("happy", "sad"):
        for index in range(20):
            picture(tmp_path / name / f"{index:03}.png", index // 4 + (100 if name == "sad" else 0))
    data = load_data("class-folders", tmp_path, None, LoaderOptions(validation_share=0.4))
    held = {chip.tobytes() for chip in data.split("Validation").chips}
    assert len(held) == 4
    assert not held & {chip.tobytes() for chip in data.split("Training").chips}


def test_unreadable_and_blank_pictures_are_left_out_by_name(tmp_path: Path):
    folder_of_classes(tmp_path, {"happy": 3, "sad": 3})
    (tmp_path / "sad" / "broken.png").write_bytes(b"no picture")
    (tmp_path / "sad" / "empty.jpg").write_bytes(b"")
    whole = cv2.imencode(".jpg", noise_chips(1)[0])[1].tobytes()
    (tmp_path / "sad" / "half.jpg").write_bytes(whole[: len(whole) // 2])
    cv2.imwrite(str(tmp_path / "happy" / "grey.png"), np.full((30, 30), 7, np.uint8))
    (tmp_path / "happy" / "notes.txt").write_text("not a picture, and not meant as one")
    data = load_data("class-folders", tmp_path)
    assert len(data) == 6
    assert sorted(data.left_out) == [
        "happy/grey.png: blank, every pixel is [7, 7, 7]",
        "sad/broken.png: not a picture that OpenCV reads",
        "sad/empty.jpg: an empty file",
        f"sad/half.jpg: the file is cut off after {len(whole) // 2} bytes",
    ]
    assert "4 pictures left out:\n  happy/grey.png: blank" in describe(data)
    assert data.rows.tolist() == [0, 1, 2, 4, 5, 6]


def test_a_folder_that_is_named_as_a_picture_is_none(tmp_path: Path):
    folder_of_classes(tmp_path, {"happy": 2, "sad": 2})
    picture(tmp_path / "sad" / "album.jpg" / "inside.png", 7)
    assert sorted(load_data("class-folders", tmp_path).names.tolist()) == [
        "happy/000.png", "happy/001.png", "sad/000.png", "sad/001.png", "sad/album.jpg/inside.png",
    ]  # fmt: skip


def test_an_unknown_class_is_refused_with_the_known_ones(tmp_path: Path):
    folder_of_classes(tmp_path, {"happy": 1, "sad": 1, "bored": 1})
    with pytest.raises(ConfigError, match=r"class 'bored'; expected one of angry, disgust, .*classes = \{\"bored\""):
        load_data("class-folders", tmp_path)
    named = load_data("class-folders", tmp_path, None, LoaderOptions(labels=("sad", "bored", "happy")))
    assert [named.label_names[label] for label in named.labels] == ["bored", "happy", "sad"]
    renamed = load_data("class-folders", tmp_path, None, LoaderOptions(classes={"bored": "tired"}))
    assert renamed.label_names == ("happy", "sad", "tired")


def test_a_class_map_that_fits_nothing_is_refused(tmp_path: Path):
    folder_of_classes(tmp_path, {"happy": 1, "sad": 1})
    with pytest.raises(ConfigError, match="classes names 'hapy'; expected classes of the source, which are happy, sad"):
        load_data("class-folders", tmp_path, None, LoaderOptions(classes={"hapy": ""}))
    with pytest.raises(ConfigError, match="the classes happy are left; expected two at least"):
        load_data("class-folders", tmp_path, None, LoaderOptions(classes={"sad": ""}))


def test_a_folder_of_another_layout_is_refused(tmp_path: Path):
    folder_of_classes(tmp_path / "classes", {"happy": 1, "sad": 1})
    folder_of_classes(tmp_path / "splits" / "train", {"happy": 1, "sad": 1})
    (tmp_path / "bare" / "train").mkdir(parents=True)
    with pytest.raises(ConfigError, match=r"holds happy, sad; expected train, and test or validation.*class-folders"):
        load_data("folders", tmp_path / "classes")
    with pytest.raises(ConfigError, match="holds train; expected one folder a class: take the loader folders"):
        load_data("class-folders", tmp_path / "splits")
    with pytest.raises(ConfigError, match="no picture in folders of classes"):
        load_data("folders", tmp_path / "bare")
    with pytest.raises(ConfigError, match="no such folder"):
        load_data("folders", tmp_path / "absent")


def test_chips_of_folders_are_kept_and_follow_every_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    root, cache = folder_of_classes(tmp_path / "data", {"happy": 2, "sad": 2}), tmp_path / "cache"
    first = load_data("class-folders", root, cache)
    with monkeypatch.context() as patched:
        patched.setattr("training.data.chips.read_picture", lambda path: pytest.fail("read again"))
        again = load_data("class-folders", root, cache)
        assert np.array_equal(first.chips, again.chips)
        assert first.names.tolist() == again.names.tolist()
    picture(root / "happy" / "new.png", 9)
    assert len(load_data("class-folders", root, cache)) == 5
    assert load_data("class-folders", root, cache, LoaderOptions(size=32)).side_px == 32
