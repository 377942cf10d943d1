"""A run that begins with the weights of another."""

import csv
from pathlib import Path

import msgspec
import numpy as np
import pytest

from edge.errors import ConfigError, PermanentError
from tests.training_fakes import noise_chips
from tests.training_runs import TINY
from training import learner
from training.checkpoint import begin_with
from training.fit import CHECKPOINT, HISTORY, MODEL, Run, fit
from training.predictors import load_predictor
from training.recipe import InitialSettings, Recipe

pytest.importorskip("keras")


def going_on(checkpoint: Path, **optimiser: float) -> Recipe:
    """One more epoch, from there."""
    settings = msgspec.structs.replace(TINY.optimiser, epochs=1, warmup_epochs=0, **optimiser)
    return msgspec.structs.replace(TINY, optimiser=settings, initial=InitialSettings(str(checkpoint)))


def first_loss(out: Path) -> float:
    with (out / HISTORY).open(newline="") as file:
        return float(next(csv.DictReader(file))["loss"])


def answers(out: Path) -> np.ndarray:
    chips = noise_chips(8)
    return load_predictor(out / MODEL).probabilities(chips)


def test_the_state_of_the_run_before_is_taken_over_whole(finished: Path):
    model = learner.build(TINY, 7, 99, (48, 48, 1))
    begin_with(finished / CHECKPOINT, model)
    with np.load(finished / CHECKPOINT) as stored:
        expected = [stored[name] for name in sorted(stored.files) if name.isdigit()]
    held = [np.asarray(variable) for variable in (*learner.state(model), *model.optimizer.variables)]
    assert len(held) == len(expected) > 20
    for found, value in zip(held, expected, strict=True):
        np.testing.assert_array_equal(found, value)


def test_what_was_learnt_before_shows_in_the_first_epoch(data: Path, finished: Path, tmp_path: Path):
    recipe = going_on(finished / CHECKPOINT, learning_rate=1e-6)
    for name, each in (("again", recipe), ("scratch", msgspec.structs.replace(recipe, initial=None))):
        report = fit(Run(each, data, tmp_path / name, cache=None))
        assert report is not None
        assert report.epochs == 1
    losses = {name: first_loss(tmp_path / name) for name in ("again", "scratch")}
    assert losses["again"] < losses["scratch"] - 0.3


def test_going_on_after_a_kill_does_not_begin_anew(data: Path, finished: Path, tmp_path: Path):
    recipe = going_on(finished / CHECKPOINT, learning_rate=0.05)
    whole = fit(Run(recipe, data, tmp_path / "whole", cache=None))
    assert fit(Run(recipe, data, tmp_path / "parts", cache=None, max_minutes=0)) is None
    parts = fit(Run(recipe, data, tmp_path / "parts", cache=None, resume=True))
    assert whole is not None
    assert parts is not None
    np.testing.assert_allclose(answers(tmp_path / "parts"), answers(tmp_path / "whole"), atol=1e-3)


def test_a_run_is_not_continued_from_another_beginning(data: Path, finished: Path, tmp_path: Path):
    recipe = going_on(finished / CHECKPOINT)
    assert fit(Run(recipe, data, tmp_path / "run", cache=None, max_minutes=0)) is None
    with pytest.raises(ConfigError, match="another recipe"):
        fit(Run(msgspec.structs.replace(recipe, initial=None), data, tmp_path / "run", cache=None, resume=True))


def test_what_cannot_be_begun_with_is_refused(data: Path, finished: Path, tmp_path: Path):
    with pytest.raises(ConfigError, match=r"absent\.npz: no such file; expected checkpoint\.npz of another run"):
        fit(Run(going_on(tmp_path / "absent.npz"), data, tmp_path / "a", cache=None))
    (tmp_path / "broken.npz").write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(PermanentError, match="not a checkpoint of this version"):
        fit(Run(going_on(tmp_path / "broken.npz"), data, tmp_path / "b", cache=None))
    recipe = going_on(finished / CHECKPOINT)
    wider = msgspec.structs.replace(recipe, network=msgspec.structs.replace(recipe.network, stem=8))
    with pytest.raises(ConfigError, match=r"a run of the recipe 'tiny', whose network or optimiser is another one"):
        fit(Run(wider, data, tmp_path / "c", cache=None))
