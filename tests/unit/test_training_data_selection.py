"""Pictures are taken by position and copied only as they are used, however many there are."""

import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import msgspec
import numpy as np
import pytest

from edge.contract.chip import ChipSpec
from edge.contract.labels import FER2013_LABELS
from tests.training_fakes import RECIPES, noise_chips
from training.batches import batches
from training.data import LoaderOptions, load_data
from training.data.dataset import Dataset, blank
from training.data.duplicates import duplicate_groups
from training.data.export import write_npy
from training.data.selection import Selection, blocks, mirrored, take
from training.data.splits import divide
from training.predictors import Predictor, _in_batches, flipped
from training.recipe import load_recipe
from training.robustness import DEGRADATIONS, measure_robustness

COUNT, SIDE = 2000, 224
PICTURE_B = SIDE * SIDE * 3
MB = 1_000_000


@pytest.fixture
def chosen() -> tuple[np.ndarray, Selection]:
    """Some pictures of an array, copied and selected."""
    chips, positions = noise_chips(9), np.array([7, 1, 1, 4])
    return chips[positions], Selection(chips, positions)


READINGS: list[Callable] = [
    lambda chips: chips[2],
    lambda chips: chips[-1],
    lambda chips: chips[1:3],
    lambda chips: chips[10:12],
    lambda chips: chips[np.array([3, 0, 0])],
    lambda chips: chips[[3, 0]],
    lambda chips: chips[np.array([True, False, True, False])],
    lambda chips: chips[:, :, ::-1],
    lambda chips: chips[1:3, 5],
    lambda chips: chips[2, 5:9, ::-1],
    lambda chips: np.stack(list(chips)),
    lambda chips: np.asarray(chips, np.float32),
    lambda chips: np.array([chips.max(), chips.min(), chips.size, len(chips), *chips.shape, chips.ndim]),
]


@pytest.mark.parametrize("read", READINGS)
def test_a_selection_reads_like_the_array_it_stands_for(read: Callable, chosen: tuple[np.ndarray, Selection]):
    array, selection = chosen
    assert np.array_equal(read(selection), read(array))
    assert read(selection).dtype == read(array).dtype
    turned = mirrored(selection)
    assert np.array_equal(read(turned), read(mirrored(array)))
    assert np.array_equal(mirrored(turned), array)


def test_a_part_of_a_part_is_read_from_where_the_pictures_lie(chosen: tuple[np.ndarray, Selection]):
    array, selection = chosen
    for positions in ([0, 3], [2, 3], [3], [1]):
        for whole, copied in ((selection, array), (mirrored(selection), mirrored(array))):
            part = take(whole, np.array(positions))
            assert np.array_equal(part, copied[positions])
            assert np.shares_memory(part.source if isinstance(part, Selection) else part, selection.source)


def test_there_is_nothing_before_the_first_and_after_the_last(chosen: tuple[np.ndarray, Selection]):
    for position in (4, -5):
        with pytest.raises(IndexError):
            chosen[1][position]
    with pytest.raises(TypeError):
        chosen[1][0] = 0


# ── memory ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """300 MB of pictures in a file; it takes no room on the disk, but for those that are not black."""
    path = tmp_path_factory.mktemp("large") / "chips.npy"
    chips = np.lib.format.open_memmap(path, "w+", np.uint8, (COUNT, SIDE, SIDE, 3))
    chips[::7, :8, :8] = np.random.default_rng(0).integers(0, 256, (len(chips[::7]), 8, 8, 3), np.uint8)
    chips.flush()
    splits = np.where(np.arange(COUNT) % 5 > 0, "Training", "PublicTest")
    labels = np.arange(COUNT, dtype=np.int64) % len(FER2013_LABELS)
    return Dataset(np.load(path, mmap_mode="r"), labels, FER2013_LABELS, splits, np.arange(COUNT, dtype=np.int64))


@contextmanager
def at_most(most_mb: float) -> Iterator[None]:
    """What the block adds to the memory, at any moment; numpy reports its arrays, and those of files are not in it."""
    tracemalloc.start()
    try:
        yield
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < most_mb * MB, f"{peak / MB:.0f} MB, expected less than {most_mb:.0f}"


def test_taking_parts_takes_no_memory(large: Dataset):
    with at_most(2):
        train = large.split("Training")
        mixed = train.take(np.random.default_rng(0).permutation(len(train)))
        assert len(mirrored(mixed.chips)) == 1600
        assert np.array_equal(mixed.chips[5], large.chips[mixed.rows[5]])


def test_the_whole_of_the_data_is_looked_at_in_blocks(large: Dataset):
    with at_most(60):
        shows_nothing = blank(large.split("PublicTest").chips)
    assert np.flatnonzero(~shows_nothing).tolist() == [at for at in range(400) if at * 5 % 7 == 0]
    assert max(some.nbytes for some in blocks(large.chips)) <= 1 << 24


def test_dividing_the_data_copies_no_picture(large: Dataset):
    some = large.take(np.arange(0, COUNT, 3))  # 100 MB
    with at_most(60):
        groups = duplicate_groups(some.chips, 0.985)
        parts = divide(some, groups, "Training", "PublicTest", 0.1)
    assert len(parts.train) > 10
    assert all(np.shares_memory(part.chips.source, large.chips) for part in (parts.train, parts.holdout, parts.report))


def test_a_step_copies_its_batch_alone(large: Dataset):
    recipe = load_recipe(RECIPES / "tiny.toml")
    recipe = msgspec.structs.replace(recipe, optimiser=msgspec.structs.replace(recipe.optimiser, batch=4))
    train = large.split("Training")
    next(batches(train, recipe, 1, 0))  # tables that are worked out once
    with at_most(4 * PICTURE_B * 40 / MB):  # a batch as float32, and the augmentation's sums
        chips, _, _ = next(batches(train, recipe, 1, 0))
    assert chips.shape == (4, SIDE, SIDE, 3)


def brightness(chips: np.ndarray) -> np.ndarray:
    grey = chips.reshape(len(chips), -1).mean(axis=1)
    return np.stack([grey, 255 - grey, *[grey * 0] * 5], axis=1) / 255


@pytest.mark.parametrize("flip", [False, True])
def test_asking_a_model_copies_a_few_pictures_at_a_time(large: Dataset, flip: bool):
    spec = ChipSpec(size=SIDE, channels=3)
    predictor = Predictor(FER2013_LABELS, lambda chips: _in_batches(brightness, spec, chips), 1.0)
    part = large.take(np.arange(0, COUNT, 2))  # 150 MB
    with at_most(85):  # two batches of 256
        found = (flipped(predictor) if flip else predictor).probabilities(part.chips)
    assert found.shape == (1000, 7)


def test_spoiling_pictures_copies_a_few_at_a_time(large: Dataset):
    part = large.take(np.arange(0, COUNT, 40))
    predictor = Predictor(FER2013_LABELS, brightness, 1.0)
    noise = [each for each in DEGRADATIONS if each.name in ("noise", "blur")]
    with at_most(60):
        measure_robustness(predictor, part, brightness(part.chips[:]), noise)


def test_an_export_copies_a_block_at_a_time(large: Dataset, tmp_path: Path):
    part = large.take(np.arange(0, COUNT, 3))  # 100 MB
    with at_most(40):
        write_npy(part, tmp_path / "npy")
    written = np.load(tmp_path / "npy" / "X_train.npy", mmap_mode="r")
    assert np.array_equal(written[17], part.split("Training").chips[17])


def test_a_folder_of_pictures_becomes_chips_one_by_one(tmp_path: Path):
    picture = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    for at in range(300):
        file = tmp_path / "data" / ("happy" if at % 2 else "sad") / f"{at}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        picture[0, 0, 0], picture[0, 0, 1] = at % 256, at // 256
        cv2.imwrite(str(file), picture)
    with at_most(12):  # all chips together take 45 MB
        data = load_data("class-folders", tmp_path / "data", tmp_path / "cache", LoaderOptions(size=SIDE, channels=3))
        assert blank(data.split("Training").take(np.arange(0, 50, 2)).chips).sum() == 0
    assert len(data) == 300
