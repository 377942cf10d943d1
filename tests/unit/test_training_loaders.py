"""What all loaders have in common: their errors, and what of theirs is kept in the cache."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from edge.errors import ConfigError
from tests.face_sources import csv_of, folder_of_classes, npy
from tests.training_fakes import fake_dataset, fer_rows, noise_chips, write_fer
from training.data import LOADERS, LoaderOptions, load_data, pack
from training.data.cache import sha256_of
from training.data.dataset import Dataset
from training.data.duplicates import duplicate_groups


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
