"""Large arrays in the cache, larger chips in the search for duplicates, and the share for validation."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.training_fakes import noise_chips
from training.data.cache import Arrays, mapped
from training.data.chips import read_picture, to_chip
from training.data.duplicates import duplicate_groups
from training.data.splits import with_validation


def two_chips(allocate) -> Arrays:
    chips = allocate("chips", (np.int64(2), 20, 20, 3))
    chips[1] = 7
    return {"names": np.array(["a", "bc"]), "none": np.array([], np.str_)}


def test_pictures_come_back_mapped_and_read_only(tmp_path: Path):
    for _ in range(2):
        arrays = mapped(tmp_path, "key", two_chips)
        assert isinstance(arrays["chips"], np.memmap)
        assert arrays["chips"][:, 0, 0, 0].tolist() == [0, 7]
        assert arrays["names"].tolist() == ["a", "bc"]
        assert len(arrays["none"]) == 0
        with pytest.raises(ValueError, match="read-only"):
            arrays["chips"][0] = 1
    assert [entry.name for entry in tmp_path.iterdir()] == ["key"]


def test_without_a_cache_they_are_in_memory():
    arrays = mapped(None, "key", two_chips)
    assert not isinstance(arrays["chips"], np.memmap)
    assert arrays["chips"][1].min() == 7


def test_what_is_mapped_is_worked_out_once_and_again_if_damaged(tmp_path: Path):
    mapped(tmp_path, "key", two_chips)
    mapped(tmp_path, "key", lambda allocate: pytest.fail("not kept"))
    chips = tmp_path / "key" / "chips.npy"
    chips.write_bytes(chips.read_bytes()[:1500])
    assert mapped(tmp_path, "key", two_chips)["chips"].shape == (2, 20, 20, 3)


def test_work_that_fails_leaves_nothing_behind(tmp_path: Path):
    def broken(allocate) -> Arrays:
        allocate("chips", (5, 20, 20, 1))
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        mapped(tmp_path, "key", broken)
    assert not list(tmp_path.iterdir())


def test_another_run_that_was_faster_is_no_fault(tmp_path: Path):
    def slower(allocate) -> Arrays:
        mapped(tmp_path / "elsewhere", "key", two_chips)
        (tmp_path / "elsewhere" / "key").rename(tmp_path / "key")
        return two_chips(allocate)

    assert mapped(tmp_path, "key", slower)["chips"][1].min() == 7
    assert not list(tmp_path.glob("*.tmp"))


def test_large_coloured_copies_are_found_too():
    small = noise_chips(4)
    large = np.stack([to_chip(chip, 96, 3) for chip in small])
    large[2] = (large[0] * 0.8 + 20).astype(np.uint8)
    assert duplicate_groups(large, 0.985).tolist() == [0, 1, 0, 3]


def test_each_class_gives_its_share():
    labels = np.repeat([0, 1, 2], [100, 50, 3])
    splits = with_validation(noise_chips(153), labels, np.arange(153), 0.1, 1)
    held = np.bincount(labels[splits == "Validation"], minlength=3)
    assert held.tolist() == [10, 5, 0]


def test_a_grey_picture_survives_the_way_through_colour(tmp_path: Path):
    grey = noise_chips(1)[0, ..., 0]
    cv2.imwrite(str(tmp_path / "a.png"), grey)
    assert np.array_equal(to_chip(read_picture(tmp_path / "a.png"), 48, 1)[..., 0], grey)
    assert np.array_equal(to_chip(to_chip(grey, 48, 3), 48, 1)[..., 0], grey)


def test_a_picture_with_many_copies_does_not_keep_its_class_out_of_validation():
    chips = noise_chips(100)
    for first in range(0, 100, 20):
        some = chips.copy()
        some[first : first + 20] = chips[first]
        splits = with_validation(some, np.zeros(100, np.int64), np.arange(100), 0.1, 1)
        assert np.count_nonzero(splits == "Validation") == 10
