"""Face data as CSV: the usual forms become the same contract, and what is wrong is refused by name."""

from pathlib import Path

import numpy as np
import pytest

from edge.contract.labels import FER2013_LABELS
from edge.errors import ConfigError
from tests.face_sources import csv_of
from tests.training_fakes import fer_rows, write_fer
from training.data import LoaderOptions, load_data
from training.data.summary import class_counts, describe


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
