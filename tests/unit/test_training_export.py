"""What is exported comes back through the loaders as it was."""

import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.errors import ConfigError, PermanentError
from tests.training_fakes import fake_dataset, fer_rows, noise_chips, real_fer2013, write_fer
from training.cli import main
from training.data import LoaderOptions, load_data, pack
from training.data.dataset import NO_LABEL, UNLABELLED, Dataset
from training.data.export import write_folders, write_npy
from training.data.sheet import contact_sheet, write_sheet


def dataset(side: int = 48, channels: int = 1) -> Dataset:
    """Two of each class in "Training", one in "Test"."""
    chips = np.random.default_rng(3).integers(0, 256, (21, side, side, channels), np.uint8)
    made = fake_dataset(chips, ["Training"] * 14 + ["Test"] * 7)
    return Dataset(made.chips, made.labels, made.label_names, made.splits, made.rows)


def same(one: Dataset, other: Dataset) -> bool:
    order, back = np.argsort(one.rows), np.argsort(other.rows)
    named = [[data.label_names[label] for label in data.labels] for data in (one, other)]
    return (
        np.array_equal(one.chips[order], other.chips[back])
        and np.array(named[0])[order].tolist() == np.array(named[1])[back].tolist()
        and one.splits[order].tolist() == other.splits[back].tolist()
    )


@pytest.mark.parametrize(("side", "channels"), [(48, 1), (40, 3)])
def test_arrays_come_back_as_they_were(tmp_path: Path, side: int, channels: int):
    data = dataset(side, channels)
    files = write_npy(data, tmp_path / "out")
    assert [file.name for file in files] == ["labels.txt", "X_test.npy", "y_test.npy", "X_train.npy", "y_train.npy"]
    back = load_data("npy", tmp_path / "out", None, LoaderOptions(size=side, channels=channels))
    for split in data.split_names():
        assert np.array_equal(back.split(split).chips, data.split(split).chips)
        assert back.split(split).labels.tolist() == data.split(split).labels.tolist()


@pytest.mark.parametrize(("side", "channels"), [(48, 1), (40, 3)])
def test_folders_come_back_as_they_were(tmp_path: Path, side: int, channels: int):
    data = dataset(side, channels)
    assert write_folders(data, tmp_path / "out") == 21
    back = load_data("folders", tmp_path / "out", None, LoaderOptions(size=side, channels=channels))
    numbers = np.array([int(Path(name).stem) for name in back.names])
    assert same(data, Dataset(back.chips, back.labels, back.label_names, back.splits, numbers))


def test_pictures_without_labels_are_exported_as_such(tmp_path: Path):
    labels, splits = np.full(2, NO_LABEL), np.array([UNLABELLED] * 2)
    data = Dataset(noise_chips(2), labels, ("happy", "sad"), splits, np.arange(2))
    write_folders(data, tmp_path / "folders")
    assert len(list((tmp_path / "folders" / "unlabelled").glob("*.png"))) == 2
    write_npy(data, tmp_path / "npy")
    assert load_data("npy", tmp_path / "npy").splits.tolist() == [UNLABELLED] * 2


def test_nothing_is_exported_over_what_is_there(tmp_path: Path):
    (tmp_path / "old.txt").write_text("mine")
    for write in (write_npy, write_folders):
        with pytest.raises(ConfigError, match="is not empty; expected a new folder"):
            write(dataset(), tmp_path)
    mixed = fake_dataset(noise_chips(2), ["Validation", "PublicTest"])
    with pytest.raises(ConfigError, match="would go into validation, validation"):
        write_npy(mixed, tmp_path / "new")


@pytest.mark.parametrize(("side", "channels"), [(48, 1), (40, 3)])
def test_a_pack_holds_everything_without_loss(tmp_path: Path, side: int, channels: int):
    plain = dataset(side, channels)
    names = np.array([f"{row}.png" for row in plain.rows])
    data = Dataset(plain.chips, plain.labels, plain.label_names, plain.splits, plain.rows, names, ("a.png: blank",))
    size = pack.write(data, tmp_path / "data.pack")
    assert size == (tmp_path / "data.pack").stat().st_size
    for _ in range(2):
        back = load_data(
            "pack", tmp_path / "data.pack", tmp_path / "cache", LoaderOptions(size=side, channels=channels)
        )
        assert same(data, back)
        assert back.names.tolist() == names.tolist()
        assert back.left_out == data.left_out
        assert back.label_names == data.label_names


def test_a_pack_of_more_than_one_picture_keeps_its_order(tmp_path: Path):
    chips = np.random.default_rng(1).integers(0, 256, (4096 + 70, 16, 16, 1), np.uint8)
    labels = np.arange(len(chips)) % 2
    data = Dataset(chips, labels, ("tired", "awake"), np.array(["Training"] * len(chips)), np.arange(len(chips)))
    pack.write(data, tmp_path / "data.pack")
    back = load_data("pack", tmp_path / "data.pack", None, LoaderOptions(size=16))
    assert np.array_equal(back.chips, chips)
    assert back.label_names == ("tired", "awake")


def test_the_whole_of_fer2013_fits_into_60_mb(tmp_path: Path):
    sample = load_data("fer2013-csv", real_fer2013()).take(np.arange(0, 32298, 16))
    per_chip_b = pack.write(sample, tmp_path / "data.pack") / len(sample)
    assert per_chip_b * 35887 < 60e6
    assert np.array_equal(load_data("pack", tmp_path / "data.pack").chips, sample.chips)


def test_a_cache_that_cannot_be_written_is_not_taken_for_a_broken_pack(tmp_path: Path):
    pack.write(dataset(), tmp_path / "data.pack")
    (tmp_path / "cache").write_text("a file where a folder should be")
    with pytest.raises(OSError, match="cache"):
        load_data("pack", tmp_path / "data.pack", tmp_path / "cache")


def test_a_file_that_is_no_pack_is_refused(tmp_path: Path):
    path = tmp_path / "data.pack"
    path.write_bytes(b"something else")
    with pytest.raises(PermanentError, match="not a pack"):
        load_data("pack", path)
    pack.write(dataset(), path)
    with zipfile.ZipFile(path) as archive:
        listing = archive.read("pack.json")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("pack.json", listing)
    with pytest.raises(PermanentError, match=r"not a pack .*chips-0000000\.webp"):
        load_data("pack", path)


def test_a_pack_that_becomes_too_large_is_refused_with_its_size_and_a_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(pack, "_SHEET_MOST_PX", 480)  # a hundred in a picture
    chips = np.random.default_rng(0).integers(0, 256, (1200, 48, 48, 3), np.uint8)  # 8 MB, and noise stays so
    data = Dataset(chips, np.arange(1200) % 2, ("tired", "awake"), np.array(["Training"] * 1200), np.arange(1200))
    path = tmp_path / "data.pack"
    path.write_bytes(b"an older one")
    with pytest.raises(ConfigError, match=r"all 1200 chips of 48×48 px would take about 8 MB, expected at most 2 MB"):
        pack.write(data, path, most_b=2_000_000)
    with pytest.raises(ConfigError, match=r"smaller or grey chips or fewer classes .*\[data\.options\] of a --recipe"):
        pack.write(data.take(np.arange(500)), path, most_b=3_400_000)
    assert path.read_bytes() == b"an older one"
    assert list(tmp_path.iterdir()) == [path]
    small = data.take(np.arange(0, 1200, 20))
    assert pack.write(small, path) == path.stat().st_size < pack.MOST_B
    back = load_data("pack", path, None, LoaderOptions(channels=3))
    assert np.array_equal(back.chips, small.chips)


def test_the_command_line_writes_no_pack_of_more_than_60_mb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    source = write_fer(tmp_path / "fer.csv", fer_rows(14, 7))
    command = ["data", "--data", str(source), "--cache", str(tmp_path / "cache"), "--pack", str(tmp_path / "p.pack")]
    assert pack.MOST_B == 60_000_000
    monkeypatch.setattr(pack.write, "__defaults__", (1000,))
    assert main(command) == 78
    assert "p.pack: all 21 chips of 48×48 px would take" in capsys.readouterr().err
    assert not (tmp_path / "p.pack").exists()


def test_a_pack_from_before_it_said_how_many_chips_lie_side_by_side_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    data = dataset(80, 3)
    monkeypatch.setattr(pack, "_SHEET_MOST_PX", 80 * 64)  # as the first packs were: 64 of them
    pack.write(data, tmp_path / "new.pack")
    with zipfile.ZipFile(tmp_path / "new.pack") as new, zipfile.ZipFile(tmp_path / "old.pack", "w") as old:
        for name in new.namelist():
            content = new.read(name)
            old.writestr(name, content.replace(b',"across":64', b"") if name == "pack.json" else content)
        assert b"across" not in old.read("pack.json")
    back = load_data("pack", tmp_path / "old.pack", None, LoaderOptions(size=80, channels=3))
    assert np.array_equal(back.chips, data.chips)


@pytest.mark.parametrize(("side", "columns", "classes"), [(1024, 12, 7), (224, 40, 8), (48, 500, 7), (48, 12, 300)])
def test_a_sheet_of_many_or_large_pictures_keeps_a_sane_size(side: int, columns: int, classes: int):
    count = max(classes, 60)
    chips = np.broadcast_to(np.arange(count, dtype=np.uint8)[:, None, None, None], (count, side, side, 3)).copy()
    names = tuple(f"class {number}" for number in range(classes))
    labels = np.arange(count, dtype=np.int64) % classes
    data = Dataset(chips, labels, names, np.array(["Training"] * count), np.arange(count, dtype=np.int64))
    sheet = contact_sheet(data, columns, view=lambda chips, rows, number: chips, views=2)
    assert sheet.shape[0] <= 4096
    assert sheet.shape[1] <= 4096
    assert sheet.size > 200_000
    assert sheet[20, 2, 0] in data.take(data.labels == 0).chips[:, 0, 0, 0]


def test_the_contact_sheet_shows_originals_and_views_of_every_class(tmp_path: Path):
    data = dataset()

    def darker(chips: np.ndarray, rows: np.ndarray, view: int) -> np.ndarray:
        return chips // (view + 2)

    plain = contact_sheet(data, columns=3)
    with_views = contact_sheet(data, columns=3, view=darker, views=2)
    assert plain.shape[1] == with_views.shape[1] == 3 * (96 + 2)
    assert plain.shape[0] == 7 * (18 + 98)
    assert with_views.shape[0] == 7 * (18 + 3 * 98)
    original, half = with_views[18 : 18 + 96, :96], with_views[18 + 98 : 18 + 98 + 96, :96]
    assert np.array_equal(original // 2, half)
    write_sheet(plain, tmp_path / "new" / "sheet.png")
    assert np.array_equal(cv2.imread(str(tmp_path / "new" / "sheet.png")), plain)
    with pytest.raises(PermanentError, match="no such format"):
        write_sheet(plain, tmp_path / "sheet.nonsense")
