"""Face data as .npy arrays: the usual forms become the same contract, and what is wrong is refused by name."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from edge.errors import ConfigError, PermanentError
from tests.face_sources import npy
from tests.training_fakes import noise_chips
from training.data import LoaderOptions, load_data
from training.data.npy_values import as_bytes

NUMBERS = LoaderOptions(classes={"0": "happy", "1": "sad"})


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
