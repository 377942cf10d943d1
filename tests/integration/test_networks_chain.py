"""Every network of the project's recipes: trained, measured, quantised, run by the device's classifier."""

import math
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest

from convert.quantize import Job, quantize
from convert.verify import verify
from edge.classifier import TfliteClassifier
from edge.contract.labels import FER2013_LABELS
from tests.training_fakes import RECIPES
from training.artefacts import ARCHITECTURE, EVALUATION, WEIGHTS
from training.data import LOADERS
from training.data.dataset import Dataset
from training.data.options import DEFAULTS, LoaderOptions
from training.fit import MODEL, Run, fit
from training.predictors import load_predictor
from training.recipe import Recipe, load_recipe
from training.report import REPORT

keras = pytest.importorskip("keras")

LARGE = {"three-block-224": 24, "rgb-128": 40}
"""Pictures, for those with many pixels."""


def made_up(count: int) -> Callable[..., Dataset]:
    """A loader of pictures in the size and colours that the recipe asks for, a coarse pattern for each class."""

    def load(path: Path, cache: Path | None = None, options: LoaderOptions = DEFAULTS) -> Dataset:
        names = options.labels or FER2013_LABELS
        random = np.random.default_rng(3)
        patterns = random.integers(20, 236, (len(names), 4, 4, options.channels))
        labels = np.arange(count, dtype=np.int64) % len(names)
        side = math.ceil(options.size / 4)
        large = np.kron(patterns[labels], np.ones((1, side, side, 1)))[:, : options.size, : options.size]
        chips = np.clip(large + random.normal(0, 25, large.shape), 0, 255).astype(np.uint8)
        reported = np.arange(count) >= count * 2 // 3
        report = "Validation" if options.labels else "PublicTest"
        splits = np.where(reported, report, "Training")
        return Dataset(chips, labels, names, splits, np.arange(count, dtype=np.int64))

    return load


def shortened(recipe: Recipe) -> Recipe:
    """Two epochs in small batches, with everything else as the recipe says."""
    changed = {"epochs": 2, "warmup_epochs": 0, "batch": 4 if recipe.name in LARGE else 16, "average": 0.5}
    optimiser = msgspec.structs.replace(recipe.optimiser, **changed, precision="float32")
    return msgspec.structs.replace(recipe, optimiser=optimiser, evaluate_every=1, soft_labels=None, initial=None)


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.toml")), ids=lambda path: path.stem)
def test_a_network_goes_the_whole_way_to_the_device(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    recipe = shortened(load_recipe(path))
    load = made_up(LARGE.get(recipe.name, 96))
    loaders = {**LOADERS, recipe.data.loader: load}
    monkeypatch.setattr("training.data.LOADERS", loaders)
    data = tmp_path / "data"
    data.write_text("the pictures are made up")

    report = fit(Run(recipe, data, tmp_path / "run", cache=None))
    assert report is not None
    assert (tmp_path / "run" / REPORT).exists()
    model = keras.saving.load_model(tmp_path / "run" / MODEL)
    options = recipe.data.options
    shape = (options.size, options.size, options.channels)
    assert model.input_shape == (None, *shape)
    twin = keras.models.model_from_json((tmp_path / "run" / ARCHITECTURE).read_text())
    twin.load_weights(tmp_path / "run" / WEIGHTS)
    assert f"{report.parameters:,} parameters" in (tmp_path / "run" / EVALUATION).read_text()

    job = Job(tmp_path / "run" / MODEL, data, tmp_path / "device.tflite")
    result = quantize(job)
    assert all(finding.passed for finding in verify(job.out))
    assert not {"MUL", "SUB", "BATCH_MATMUL"} & set(result.facts.ops[1:]), result.facts.ops
    assert result.agreement > 0.6
    classifier = TfliteClassifier(job.out)
    chips = load(data, None, options).chips[:3]
    for file in (job.model, job.out):
        assert load_predictor(file).probabilities(chips).shape == (3, len(report.labels))
    logits = [np.asarray(each.predict_on_batch(chips.astype(np.float32))) for each in (model, twin)]
    assert np.array_equal(*logits)
    for scores in classifier.classify(chips):
        assert scores.shape == (len(report.labels),)
        assert scores.sum() == pytest.approx(1, abs=1e-5)
        assert (scores >= 0).all()
    assert classifier.labels == report.labels
    assert (classifier.card.chip.size, classifier.card.chip.channels) == (options.size, options.channels)
    assert classifier.card.output == "logits"
