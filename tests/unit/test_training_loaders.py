"""The usual layouts of face data: each becomes the same contract, and what is wrong is refused by name."""

import hashlib
import tracemalloc
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.contract.labels import FER2013_LABELS
from edge.errors import ConfigError, PermanentError
from tests.training_fakes import fake_dataset, fer_rows, noise_chips, write_fer
from training.data import LOADERS, LoaderOptions, load_data, pack
from training.data.cache import sha256_of
from training.data.dataset import Dataset
from training.data.duplicates import duplicate_groups
from training.data.npy_values import as_bytes
from training.data.summary import class_counts, describe


def picture(path: Path, seed: int, size: tuple[int, int] = (60, 50), colour: bool = False) -> np.ndarray:
    """Write a picture of noise; returns it as BGR or grey."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (*size, 3) if colour else size, np.uint8)
    assert cv2.imwrite(str(path), pixels)
    return pixels


def folder_of_classes(root: Path, classes: dict[str, int], **kind: object) -> Path:
    for number, (name, count) in enumerate(classes.items()):
        for index in range(count):
            picture(root / name / f"{index:03}.png", 1000 * number + index, **kind)
    return root


def csv_of(path: Path, rows: list, *columns: str) -> Path:
    values = {"emotion": 0, "pixels": 1, "Usage": 2}
    lines = [",".join(columns)]
    for row in rows:
        fields = [row[values[name.strip()]] for name in columns]
        lines.append(",".join(" ".join(map(str, f.tolist())) if isinstance(f, np.ndarray) else str(f) for f in fields))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


# ── CSV ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_icml_face_data_with_blanks_in_its_header_is_fer2013(tmp_path: Path):
    rows = fer_rows(6, 3)
    icml = load_data("icml-csv", csv_of(tmp_path / "icml_face_data.csv", rows, "emotion", " Usage", " pixels"))
    usual = load_data("fer2013-csv", write_fer(tmp_path / "fer.csv", rows))
    assert np.array_equal(icml.chips, usual.chips)
    assert icml.splits.tolist() == usual.splits.tolist()


def test_a_training_csv_without_a_split_is_divided_class_by_class(tmp_path: Path):
    path = csv_of(tmp_path / "train.csv", fer_rows(140, 0), "emotion", "pixels")
    data = load_data("kaggle-csv", path, None, LoaderOptions(validation_share=0.2))
    counts = class_counts(data)
    assert set(counts["Training"].values()) == {16}
    assert set(counts["Validation"].values()) == {4}
    again = load_data("kaggle-csv", path, None, LoaderOptions(validation_share=0.2))
    other = load_data("kaggle-csv", path, None, LoaderOptions(validation_share=0.2, seed=2))
    assert again.splits.tolist() == data.splits.tolist() != other.splits.tolist()


def test_a_csv_without_labels_is_for_predictions_only(tmp_path: Path):
    data = load_data("kaggle-csv", csv_of(tmp_path / "test.csv", fer_rows(5, 0), "pixels"))
    assert data.split_names() == ("Unlabelled",)
    assert data.labels.tolist() == [-1] * 5
    assert "5 without labels, for predictions only" in describe(data)


def test_a_folder_of_kaggle_files_prefers_the_test_with_labels(tmp_path: Path):
    csv_of(tmp_path / "train.csv", fer_rows(70, 0), "emotion", "pixels")
    csv_of(tmp_path / "test.csv", fer_rows(7, 0, seed=1), "pixels")
    assert load_data("kaggle-csv", tmp_path).split_names() == ("Training", "Unlabelled", "Validation")
    csv_of(tmp_path / "test_with_emotions.csv", fer_rows(7, 0, seed=1), "emotion", "pixels")
    data = load_data("kaggle-csv", tmp_path, tmp_path / "cache")
    assert data.split_names() == ("Test", "Training", "Validation")
    assert data.rows.tolist() == list(range(77))


def test_the_name_of_a_kaggle_file_tells_what_it_is_for_with_a_cache_too(tmp_path: Path):
    rows = fer_rows(70, 0)
    for name, splits in (("train.csv", ("Training", "Validation")), ("test_with_emotions.csv", ("Test",))):
        path = csv_of(tmp_path / name, rows, "emotion", "pixels")
        assert load_data("kaggle-csv", path, tmp_path / "cache").split_names() == splits


def test_kaggle_files_of_the_wrong_kind_are_refused(tmp_path: Path):
    usage = write_fer(tmp_path / "fer.csv", fer_rows(2, 1))
    with pytest.raises(ConfigError, match=r"has a column Usage.*take the loader fer2013-csv"):
        load_data("kaggle-csv", usage)
    bare = csv_of(tmp_path / "train.csv", fer_rows(2, 0), "pixels")
    with pytest.raises(ConfigError, match="no column emotion in the header pixels; expected emotion,pixels"):
        load_data("kaggle-csv", bare)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match=r"none of train\.csv, test_with_emotions\.csv, test\.csv"):
        load_data("kaggle-csv", tmp_path / "empty")


def test_a_csv_comes_in_the_size_channels_and_classes_asked_for(tmp_path: Path):
    rows = fer_rows(14, 7)
    path = write_fer(tmp_path / "fer.csv", rows)
    options = LoaderOptions(classes={"disgust": "angry", "fear": ""}, size=96, channels=3)
    data = load_data("fer2013-csv", path, tmp_path / "cache", options)
    assert data.label_names == ("angry", "happy", "sad", "surprise", "neutral")
    assert data.chips.shape == (18, 96, 96, 3)
    assert data.labels[:6].tolist() == [0, 0, 1, 2, 3, 4]
    assert 2 not in data.rows
    assert np.array_equal(data.chips[..., 0], data.chips[..., 2])
    again = load_data("fer2013-csv", path, tmp_path / "cache", options)
    assert isinstance(again.chips.base, np.memmap) or isinstance(again.chips, np.memmap)
    assert np.array_equal(again.chips, data.chips)


def test_the_order_of_the_labels_is_the_one_asked_for(tmp_path: Path):
    path = write_fer(tmp_path / "fer.csv", fer_rows(7, 7))
    data = load_data("fer2013-csv", path, None, LoaderOptions(labels=tuple(sorted(FER2013_LABELS))))
    assert [data.label_names[label] for label in data.labels[:7]] == list(FER2013_LABELS)
    assert data.label_names == tuple(sorted(FER2013_LABELS))


# ── folders ──────────────────────────────────────────────────────────────────────────────────────────────────────────


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


# ── .npy ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

NUMBERS = LoaderOptions(classes={"0": "happy", "1": "sad"})


def npy(folder: Path, pictures: np.ndarray, labels: object = None, split: str = "") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / f"X{split}.npy", pictures)
    if labels is not None:
        np.save(folder / f"y{split}.npy", np.asarray(labels))
    return folder


@pytest.mark.parametrize(
    "form",
    [
        lambda chips: chips,
        lambda chips: chips[..., 0],
        lambda chips: chips.reshape(len(chips), -1),
        lambda chips: chips.astype(np.float32) / 255,
        lambda chips: chips.astype(np.float64),
        lambda chips: chips.astype(np.int64),
    ],
    ids=["uint8", "no channel", "flat", "0 to 1", "float 0 to 255", "int64"],
)
def test_arrays_of_every_usual_form_give_the_same_chips(tmp_path: Path, form):
    chips = noise_chips(4)
    npy(tmp_path, form(chips), [0, 1, 0, 1], "_train")
    npy(tmp_path, form(chips[:2]), [1, 0], "_test")
    data = load_data("npy", tmp_path, None, NUMBERS)
    assert np.array_equal(data.split("Training").chips, chips)
    assert data.split("Test").labels.tolist() == [1, 0]
    assert data.label_names == ("happy", "sad")


@pytest.mark.parametrize(
    "labels",
    [[1, 0, 1], [[1], [0], [1]], [1.0, 0.0, 1.0], [[0, 1], [1, 0], [0, 1]], ["sad", "happy", "sad"]],
    ids=["numbers", "a column", "floats", "one-hot", "names"],
)
def test_labels_of_every_usual_form_are_read(tmp_path: Path, labels: list):
    npy(tmp_path, noise_chips(3), labels)
    options = LoaderOptions() if isinstance(labels[0], str) else NUMBERS
    assert load_data("npy", tmp_path, None, options).labels.tolist() == [1, 0, 1]


def test_what_numbers_mean_is_never_guessed(tmp_path: Path):
    npy(tmp_path, noise_chips(2), [0, 1])
    with pytest.raises(ConfigError, match="class '0'; expected one of angry"):
        load_data("npy", tmp_path)
    (tmp_path / "labels.txt").write_text("tired\nawake\n")
    assert load_data("npy", tmp_path).label_names == ("awake", "tired")
    assert load_data("npy", tmp_path).labels.tolist() == [1, 0]


def test_a_test_array_without_labels_is_for_predictions_only(tmp_path: Path):
    npy(tmp_path, noise_chips(2), [0, 1], "_train")
    npy(tmp_path, noise_chips(3), None, "_test")
    data = load_data("npy", tmp_path, None, NUMBERS)
    assert data.splits.tolist() == ["Training"] * 2 + ["Unlabelled"] * 3
    (tmp_path / "y_train.npy").unlink()
    with pytest.raises(ConfigError, match=r"X_train\.npy: no labels beside it; expected y_train\.npy"):
        load_data("npy", tmp_path, None, NUMBERS)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x: x / 255 / 255, r"divided by 255 twice, divide once"),
        (lambda x: (x / 255).round().astype(np.uint8), r"values from 0 to 1 \(uint8\); expected 0..255"),
        (lambda x: x / 127.5 - 1, r"values from -1 to 1 .*before they are centred"),
        (lambda x: x / 170.0, "and this is neither"),
        (lambda x: x * 2.0, "expected 0..255"),
        (lambda x: np.where(x == x[1, 0, 0, 0], np.nan, x * 1.0), "row 0: NaN"),
        (lambda x: x[:, None, :, :, 0], r"shape \(4, 1, 48, 48\); expected .*colours last"),
        (lambda x: x.reshape(4, -1)[:, :2000], r"shape \(4, 2000\); expected"),
        (lambda x: x.astype(str), "expected uint8, or floating point"),
    ],
)
def test_pictures_that_are_scaled_twice_or_no_pictures_are_refused(tmp_path: Path, change, message: str):
    chips = noise_chips(4)
    chips[:, 0, 0], chips[:, 0, 1] = 0, 255
    chips[0, 5, 5] = chips[1, 0, 0, 0]
    npy(tmp_path, change(chips), [0, 1, 0, 1])
    with pytest.raises(PermanentError, match=message):
        load_data("npy", tmp_path, None, NUMBERS)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0, 1, 0], "expected 4 labels"),
        ([0.5, 1, 0, 1], "expected .N,. whole numbers or names"),
        ([[0.2, 0.8], [1, 0], [0, 1], [0, 1]], "row 0: .* expected one-hot"),
        ([["happy", "sad"]] * 4, "expected .N,. whole numbers or names"),
        (["glücklich".encode("latin-1")] * 4, "names in bytes that are not ASCII"),
    ],
)
def test_labels_that_are_none_are_refused(tmp_path: Path, labels: list, message: str):
    npy(tmp_path, noise_chips(4), labels)
    with pytest.raises(PermanentError, match=message):
        load_data("npy", tmp_path, None, NUMBERS)


def test_pickled_objects_are_not_loaded(tmp_path: Path):
    npy(tmp_path, np.array([{"a": 1}], dtype=object), [0])
    with pytest.raises(PermanentError, match=r"X\.npy: not an array"):
        load_data("npy", tmp_path, None, NUMBERS)


def test_blank_arrays_are_left_out_by_row(tmp_path: Path):
    chips = noise_chips(4)
    chips[2] = 9
    npy(tmp_path, chips, [0, 1, 0, 1])
    data = load_data("npy", tmp_path, tmp_path.parent / "cache", NUMBERS)
    assert data.rows.tolist() == [0, 1, 3]
    assert data.labels.tolist() == [0, 1, 1]
    assert data.left_out == ("X.npy, row 2: blank",)


def test_arrays_without_a_picture_to_learn_from_are_refused(tmp_path: Path):
    npy(tmp_path, np.full((4, 48, 48), 9, np.uint8), [0, 1, 0, 1])
    with pytest.raises(PermanentError, match="all of 4 pictures are blank"):
        load_data("npy", tmp_path, None, NUMBERS)


def test_names_in_another_encoding_are_refused(tmp_path: Path):
    npy(tmp_path, noise_chips(2), [0, 1])
    (tmp_path / "labels.txt").write_bytes("glücklich\nmüde\n".encode("latin-1"))
    with pytest.raises(PermanentError, match=r"labels\.txt: not UTF-8 text"):
        load_data("npy", tmp_path)


def test_large_arrays_are_converted_a_few_at_a_time(tmp_path: Path):
    pictures = np.zeros((120, 224, 224, 3), np.float32)
    pictures[:, 0, 0] = 1
    np.save(tmp_path / "X.npy", pictures)
    del pictures
    tracemalloc.start()
    for _ in as_bytes(tmp_path / "X.npy", np.arange(120)):
        pass
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 120 * 224 * 224 * 3 * 4


# ── all ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", LOADERS)
def test_every_loader_says_that_there_is_nothing(tmp_path: Path, name: str):
    with pytest.raises(ConfigError, match=r"no such (file|folder)"):
        load_data(name, tmp_path / "absent")


def test_an_unknown_loader_is_refused_with_the_known_ones(tmp_path: Path):
    with pytest.raises(ConfigError, match="loader 'csv': expected one of fer2013-csv, icml-csv"):
        load_data("csv", tmp_path)


def source_for(loader: str, folder: Path) -> Path:
    """Something that this loader reads."""
    numbers = (
        {"raf-db": "1", "affectnet": "0"}.get(loader, "angry"),
        {"raf-db": "4", "affectnet": "1"}.get(loader, "sad"),
    )
    folder.mkdir()
    match loader:
        case "fer2013-csv" | "icml-csv":
            return write_fer(folder / "fer.csv", fer_rows(14, 7))
        case "kaggle-csv":
            return csv_of(folder / "train.csv", fer_rows(14, 0), "emotion", "pixels").parent
        case "npy":
            (folder / "labels.txt").write_text("happy\nsad\n")
            return npy(folder, noise_chips(4), [0, 1, 0, 1])
        case "pack":
            pack.write(load_data("class-folders", source_for("class-folders", folder / "of")), folder / "data.pack")
            return folder / "data.pack"
        case "class-folders":
            return folder_of_classes(folder, {numbers[0]: 2, numbers[1]: 2})
    folder_of_classes(folder / "train", {numbers[0]: 2, numbers[1]: 2})
    return folder_of_classes(folder / "test", {numbers[0]: 1}).parent


@pytest.mark.parametrize("loader", LOADERS)
def test_results_of_other_options_are_kept_apart(tmp_path: Path, loader: str):
    path = source_for(loader, tmp_path / "data")
    keys = [load_data(loader, path, None, LoaderOptions(size=size)).key for size in (48, 64, 96)]
    assert len({*keys}) == 3
    assert load_data(loader, path).key == keys[0] != ""
    part = load_data(loader, path).take(np.array([0, 1]))
    assert part.key == "", "a part's key must not be taken for the whole's"


LAYOUTS = [
    ("fer2013-csv", "fer_csv.LAYOUT"),
    ("icml-csv", "fer_csv.LAYOUT"),
    ("kaggle-csv", "kaggle_csv._LAYOUT"),
    ("kaggle-csv", "fer_csv.LAYOUT"),
    ("npy", "npy_pairs._LAYOUT"),
    ("npy", "npy_pairs.CHIPS_LAYOUT"),
    *[(name, f"folders.{number}") for name in ("folders", "raf-db", "affectnet", "class-folders")
      for number in ("_LAYOUT", "CHIPS_LAYOUT")],
]  # fmt: skip


@pytest.mark.parametrize(("loader", "number"), LAYOUTS)
def test_nothing_of_an_older_layout_is_taken_for_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, loader: str, number: str
):
    path, cache = source_for(loader, tmp_path / "data"), tmp_path / "cache"

    def kept() -> set[str]:
        dataset = load_data(loader, path, cache)
        duplicate_groups(dataset.chips, 0.985, cache, dataset.key)
        return {entry.name for entry in cache.iterdir()}

    before = kept()
    assert kept() == before
    monkeypatch.setattr(f"training.data.{number}", 99)
    assert len(kept() - before) == 2, "the chips and their duplicates are worked out anew"


def test_chips_that_were_resized_by_an_older_layout_are_not_taken_for_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path, options = source_for("fer2013-csv", tmp_path / "data"), LoaderOptions(size=32)
    before = load_data("fer2013-csv", path, tmp_path, options).key
    monkeypatch.setattr("training.data.chips.LAYOUT", 99)
    assert load_data("fer2013-csv", path, tmp_path, options).key != before
    assert len(list(tmp_path.glob("chips-*"))) == 2


@pytest.mark.parametrize("loader", LOADERS)
def test_every_loader_knows_the_digest_of_its_source_and_hashes_each_file_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, loader: str
):
    path = source_for(loader, tmp_path / "data")
    expected = sha256_of(path)
    hashed: list[str] = []
    digest = hashlib.file_digest

    def counted(file, name):
        hashed.append(file.name)
        return digest(file, name)

    monkeypatch.setattr(hashlib, "file_digest", counted)
    dataset = load_data(loader, path, tmp_path / "cache", LoaderOptions(size=32))
    assert dataset.sha256 == dataset.split(dataset.split_names()[0]).sha256 == expected
    assert len(hashed) == len(set(hashed)) > 0


def test_a_loader_that_says_no_digest_gets_it_and_nothing_of_it_is_kept(tmp_path: Path):
    (tmp_path / "data").write_bytes(b"made up")

    def own(path, cache=None, options=None):
        return fake_dataset(noise_chips(4), ["Training"] * 4)

    dataset = load_data("own", tmp_path / "data", None, loaders={"own": own})
    assert dataset.sha256 == sha256_of(tmp_path / "data")
    duplicate_groups(dataset.chips, 0.985, tmp_path / "cache", dataset.key)
    assert not (tmp_path / "cache").exists()


def test_options_that_contradict_themselves_are_refused():
    with pytest.raises(ValueError, match="expected names, each once"):
        LoaderOptions(labels=("happy", "happy"))


def test_a_label_is_missing_exactly_in_the_part_without_labels():
    chips, rows = noise_chips(2), np.arange(2)
    with pytest.raises(ValueError, match="labels reach beyond"):
        Dataset(chips, np.array([0, -1]), ("a", "b"), np.array(["Training"] * 2), rows)
    with pytest.raises(ValueError, match="the part Unlabelled has labels"):
        Dataset(chips, np.array([0, -1]), ("a", "b"), np.array(["Unlabelled"] * 2), rows)
