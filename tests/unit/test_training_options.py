"""What a recipe can ask for besides the plain run: balance, mixup, soft labels, plateaus, shear, colour."""

from pathlib import Path

import msgspec
import numpy as np
import pytest

from edge.contract.labels import FER2013_LABELS
from edge.errors import ConfigError
from tests.training_fakes import RECIPES, noise_chips
from training.augment import augment, inverse_transforms
from training.batches import balanced_order, batches, class_weights
from training.data.dataset import Dataset
from training.networks.settings import QaRepVgg
from training.randomness import uniforms
from training.recipe import AugmentSettings, OptimiserSettings, Recipe, SoftLabelSettings, completed, load_recipe
from training.schedule import learning_rate, plateaus, since_best
from training.soft_labels import ask, read, write

NO_CHANGE = AugmentSettings()
PLAIN = OptimiserSettings(epochs=4, batch=10, learning_rate=0.1, warmup_epochs=1)


def recipe(augmentation: AugmentSettings = NO_CHANGE, path: str = "", **optimiser: object) -> Recipe:
    soft = SoftLabelSettings(path, weight=0.75) if path else None
    settings = msgspec.structs.replace(PLAIN, **optimiser)
    return Recipe("test", "for tests", settings, QaRepVgg(), augment=augmentation, soft_labels=soft)


def uneven() -> Dataset:
    """Forty pictures: 30 angry, 8 disgusted, 2 afraid."""
    labels = np.repeat([0, 1, 2], [30, 8, 2]).astype(np.int64)
    rows = np.arange(100, 140, dtype=np.int64)
    return Dataset(noise_chips(40), labels, FER2013_LABELS, np.array(["Training"] * 40), rows)


def test_class_weights_make_every_class_count_alike():
    data = uneven()
    weights = class_weights(data.labels, 7)
    totals = weights * np.bincount(data.labels, minlength=7)
    assert totals[:3] == pytest.approx([40 / 3] * 3)
    assert (weights[3:] == 0).all()
    assert weights[data.labels].mean() == pytest.approx(1)
    for _, targets, given in batches(data, recipe(balance="weights"), 1, 0):
        assert given == pytest.approx(weights[targets.argmax(1)])


def test_balanced_sampling_shows_every_class_equally_often_and_repeats_as_little_as_it_can():
    data = uneven()
    chosen, keys = balanced_order(data.rows, data.labels, 0, 1)
    assert np.bincount(data.labels[chosen]).tolist() == [14, 14, 14]
    assert len(set(keys.tolist())) == len(keys)
    assert np.bincount(chosen)[30:38].max() == 2
    assert np.bincount(chosen)[38:].tolist() == [7, 7]
    again, _ = balanced_order(data.rows, data.labels, 1, 1)
    assert again.tolist() != chosen.tolist()


def test_a_picture_shown_twice_in_an_epoch_looks_different():
    data = uneven()
    views = [chips for chips, *_ in batches(data, recipe(AugmentSettings(shift=0.3), balance="sampling"), 1, 0)][:4]
    first_epoch = np.concatenate(views).reshape(40, -1)
    assert len(np.unique(first_epoch, axis=0)) == 40


def test_mixup_blends_pictures_and_targets_by_the_same_share():
    data = uneven()
    plain, mixed = (next(batches(data, recipe(**kind), 1, 0)) for kind in ({}, {"mixup": 0.4}))
    for picture, target, a, b, one, two in zip(
        mixed[0], mixed[1], plain[0], np.roll(plain[0], 1, 0), plain[1], np.roll(plain[1], 1, 0), strict=True
    ):
        share = float(((picture - b) * (a - b)).sum() / ((a - b) ** 2).sum())
        assert 0 <= share <= 1
        assert target == pytest.approx(share * one + (1 - share) * two, abs=1e-4)
    assert mixed[1].sum(1) == pytest.approx(1)


@pytest.mark.parametrize("options", [{"mixup": 0.4}, {"balance": "sampling"}, {"balance": "weights", "mixup": 1.0}])
def test_options_do_not_disturb_going_on_at_a_step(options: dict[str, object]):
    asked = recipe(AugmentSettings(flip_share=0.5, noise_share=0.5), **options)
    whole = list(batches(uneven(), asked, 5, 0))[6:]
    for one, two in zip(whole, batches(uneven(), asked, 5, 6), strict=True):
        assert all(a is b is None or np.array_equal(a, b) for a, b in zip(one, two, strict=True))


def teacher(chips: np.ndarray) -> np.ndarray:
    """Says something that follows from the picture."""
    means = chips.reshape(len(chips), -1).mean(1)
    angry = (means - means.min() + 1) / (np.ptp(means) + 2)
    return np.stack([angry, 1 - angry, *[np.zeros_like(angry)] * 5], axis=1)


def taught(path: Path, data: Dataset, settings: AugmentSettings | None = None, seed: int = 1, views: int = 1) -> None:
    write(path, data, ask(data, teacher, settings, seed, views), settings, seed)


def test_soft_labels_are_found_by_row_and_mixed_with_the_truth(tmp_path: Path):
    data, path = uneven(), tmp_path / "soft.npz"
    taught(path, data.take(np.arange(39, -1, -2)))
    asked = recipe(path=str(path))
    soft = read(path, data, asked.augment)
    assert soft.views_seed is None
    assert soft.known.sum() == 20
    answers = teacher(data.chips[39::-2])
    assert soft.probabilities[0, 39::-2] == pytest.approx(answers, abs=1e-3)
    for chips, targets, _ in batches(data, asked, 1, 0, soft):
        for chip, target in zip(chips, targets, strict=True):
            position = int(np.flatnonzero((data.chips == chip).all(axis=(1, 2, 3)))[0])
            truth = np.eye(7)[data.labels[position]]
            known = soft.known[position]
            expected = 0.25 * truth + 0.75 * soft.probabilities[0, position] if known else truth
            assert target == pytest.approx(expected, abs=1e-6)


def test_answers_to_views_are_learnt_with_these_views(tmp_path: Path):
    data, path, settings = uneven(), tmp_path / "soft.npz", AugmentSettings(shift=0.2, flip_share=0.5)
    taught(path, data, settings, seed=9, views=2)
    asked = recipe(settings, str(path))
    soft = read(path, data, settings)
    seen = list(batches(data, asked, 1, 0, soft))
    for epoch, (chips, *_) in enumerate(seen[::4]):
        replayed = augment(data.chips, data.rows, epoch % 2, 9, settings)
        assert all((replayed == chip).all(axis=(1, 2, 3)).any() for chip in chips)
    with pytest.raises(ConfigError, match="another \\[augment\\]"):
        read(path, data, AugmentSettings())


def test_soft_labels_of_something_else_are_refused(tmp_path: Path):
    data, path = uneven(), tmp_path / "soft.npz"
    taught(path, data)
    others = Dataset(data.chips, data.labels, data.label_names, data.splits, data.rows + 1000)
    with pytest.raises(ConfigError, match="answers none of the 40 pictures"):
        read(path, others, AugmentSettings())
    renamed = Dataset(data.chips, data.labels, tuple("abcdefg"), data.splits, data.rows)
    with pytest.raises(ConfigError, match="is for the labels angry"):
        read(path, renamed, AugmentSettings())
    with pytest.raises(ConfigError, match="not a file of soft labels"):
        read(tmp_path / "absent.npz", data, AugmentSettings())


def test_the_rate_falls_at_each_plateau_after_the_warm_up():
    settings = msgspec.structs.replace(PLAIN, schedule="plateau", plateau_factor=0.5, plateau_patience=2)
    falling, flat = [3.0, 2.0, 1.0], [3.0, 2.0, 2.0, 2.5, 1.9, 2.0, 1.95, 1.93, 1.92]
    assert learning_rate(settings, 30, 10, falling) == pytest.approx(0.1)
    assert plateaus(flat, 2) == 3
    assert learning_rate(settings, 30, 10, flat) == pytest.approx(0.1 / 8)
    assert learning_rate(settings, 2, 10, flat) < 0.1 / 3
    assert (since_best([]), since_best(falling), since_best(flat)) == (0, 0, 4)


def test_shear_leans_and_moves_nothing_else():
    draws = uniforms(1, np.arange(2000, dtype=np.int64), 0, 22)
    inverse = inverse_transforms(draws, AugmentSettings(shear=0.3), 48)
    linear = np.linalg.inv(inverse[:, :, :2].astype(np.float64))
    assert linear[:, 0, 0] == pytest.approx(1, abs=1e-5)
    assert linear[:, 1] == pytest.approx(np.tile([0.0, 1.0], (2000, 1)), abs=1e-5)
    assert -0.3 <= linear[:, 0, 1].min() < -0.28
    assert 0.28 < linear[:, 0, 1].max() <= 0.3
    centre = np.einsum("nij,j->ni", inverse[:, :, :2], [23.5, 23.5]) + inverse[:, :, 2]
    assert centre == pytest.approx(23.5, abs=1e-4)


def test_colour_and_size_make_no_difference_to_geometry_and_light():
    settings = msgspec.structs.replace(load_recipe(RECIPES / "compact.toml").augment, noise_share=0)
    rows = np.arange(32, dtype=np.int64)
    grey = noise_chips(32)
    colour = augment(np.repeat(grey, 3, axis=3), rows, 2, 1, settings)
    assert np.array_equal(colour, np.repeat(augment(grey, rows, 2, 1, settings), 3, axis=3))
    large = np.random.default_rng(0).integers(0, 256, (4, 96, 96, 3), np.uint8)
    assert augment(large, rows[:4], 0, 1, settings).shape == large.shape


def test_a_resolved_recipe_from_before_an_option_means_the_same_as_ever():
    resolved = msgspec.to_builtins(load_recipe(RECIPES / "stages" / "base.toml"))
    old = {name: value for name, value in resolved.items() if name not in ("origin", "soft_labels")}
    old["optimiser"] = {name: resolved["optimiser"][name] for name in ("epochs", "batch", "learning_rate", "precision")}
    old["data"] = {"loader": "fer2013-csv", "holdout_share": resolved["data"]["holdout_share"]}
    assert completed(old) == completed(resolved)
    assert completed({"name": "of another version"}) == {"name": "of another version"}


@pytest.mark.parametrize("kind", ["cut", "empty", "array"])
def test_a_damaged_file_of_soft_labels_is_refused(tmp_path: Path, kind: str):
    path = tmp_path / "soft.npz"
    if kind == "array":
        np.save(tmp_path / "soft.npy", np.zeros(3))
        (tmp_path / "soft.npy").rename(path)
    else:
        taught(path, uneven())
        path.write_bytes(path.read_bytes()[: 300 if kind == "cut" else 0])
    with pytest.raises(ConfigError, match="not a file of soft labels"):
        read(path, uneven(), NO_CHANGE)


def test_soft_labels_of_other_pictures_with_the_same_rows_are_refused(tmp_path: Path):
    data, path = uneven(), tmp_path / "soft.npz"
    taught(path, data)
    labels = data.labels.copy()
    labels[5] = 3
    others = Dataset(data.chips, labels, data.label_names, data.splits, data.rows)
    with pytest.raises(ConfigError, match="is for other pictures: row 105 is angry there and happy here"):
        read(path, others, NO_CHANGE)
    reordered = Dataset(data.chips, 6 - data.labels, data.label_names[::-1], data.splits, data.rows)
    assert read(path, reordered, NO_CHANGE).known.all()


def test_a_teacher_sees_a_few_pictures_at_a_time_and_each_as_if_alone():
    data, settings = uneven(), AugmentSettings(shift=0.2, noise_share=0.5)
    many = data.take(np.arange(600) % 40)
    sizes = []

    def counting(chips: np.ndarray) -> np.ndarray:
        sizes.append(len(chips))
        return chips.reshape(len(chips), -1)[:, :7] / 255

    answers = ask(many, counting, settings, 9, 2)
    assert max(sizes) < 600
    for view in range(2):
        alone = augment(data.chips, data.rows, view, 9, settings).reshape(40, -1)[:, :7] / 255
        assert np.array_equal(answers[view], alone[np.arange(600) % 40].astype(np.float16))
