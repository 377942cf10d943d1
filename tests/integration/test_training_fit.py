"""A whole training run: what it writes, what it learns, what it refuses."""

import json
from pathlib import Path

import msgspec
import numpy as np
import pytest

from edge.contract.labels import FER2013_LABELS
from edge.errors import ConfigError, PermanentError
from tests.training_fakes import fer_rows, write_fer
from tests.training_runs import EPOCHS, STEPS, TINY, assert_same_state, changed, history
from training.data.cache import sha256_of
from training.fit import MODEL, RECIPE, Run, fit
from training.report import REPORT, Report, read_report

keras = pytest.importorskip("keras")


def test_a_run_writes_the_model_with_all_that_explains_it(finished: Path, data: Path):
    report = read_report(finished / REPORT)
    assert (report.recipe, report.seed, report.epochs, report.steps) == ("tiny", 1, EPOCHS, EPOCHS * STEPS)
    assert report.labels == FER2013_LABELS
    assert report.data.sha256 == sha256_of(data)
    assert (report.data.train, report.data.holdout, report.data.report) == (153, 17, 42)
    assert report.data.blank_rows == ()
    assert report.resolved_recipe == json.loads((finished / RECIPE).read_text())
    assert report.resolved_recipe["optimiser"]["momentum"] == 0.9
    assert 0.05 < report.temperature < 20
    assert set(report.scores) == {
        "holdout", "holdout_calibrated", "report", "report_calibrated", "report_flip", "report_unseen",
    }  # fmt: skip
    assert report.scores["holdout_calibrated"].nll <= report.scores["holdout"].nll
    assert report.scores["report"].n == 42
    assert report.versions["keras"] == keras.__version__
    model = keras.saving.load_model(finished / MODEL)
    assert report.parameters == model.count_params()
    assert list((finished / "tensorboard").iterdir())


def test_the_history_has_a_line_for_each_epoch(finished: Path):
    rows = history(finished)
    assert [int(row["step"]) for row in rows] == [STEPS, 2 * STEPS, 3 * STEPS]
    assert float(rows[-1]["loss"]) < float(rows[0]["loss"])
    assert all(0 <= float(row["holdout_accuracy"]) <= 1 for row in rows)


def test_a_network_learns_what_can_be_learnt(data: Path, tmp_path: Path):
    recipe = msgspec.structs.replace(changed(epochs=12, learning_rate=0.05), evaluate_every=12)
    report = fit(Run(recipe, data, tmp_path / "run", cache=None))
    assert report is not None
    assert report.scores["report"].accuracy > 0.6  # one in seven by chance


def test_the_same_seed_gives_the_same_model_and_another_seed_another(finished: Path, data: Path, tmp_path: Path):
    fit(Run(TINY, data, tmp_path / "same", cache=None))
    assert_same_state(finished, tmp_path / "same")
    fit(Run(TINY, data, tmp_path / "other", cache=None, seed=2))
    first, other = (keras.saving.load_model(out / MODEL).get_weights() for out in (finished, tmp_path / "other"))
    assert not any(np.array_equal(a, b) for a, b in zip(first[2:], other[2:], strict=True))


def test_a_loss_that_is_not_finite_ends_the_run(data: Path, tmp_path: Path):
    with pytest.raises(PermanentError, match=r"the loss is not finite after step \d+; .* lower optimiser"):
        fit(Run(changed(learning_rate=1e30), data, tmp_path, cache=None))


def test_data_too_few_for_one_batch_are_refused(data: Path, tmp_path: Path):
    with pytest.raises(
        ConfigError, match="153 pictures to train on and 17 held out; expected at least one batch of 512"
    ):
        fit(Run(changed(batch=512), data, tmp_path, cache=None))


def test_a_recipe_that_does_not_fit_the_data_is_refused(data: Path, tmp_path: Path):
    settings = TINY.data
    no_split = msgspec.structs.replace(TINY, data=msgspec.structs.replace(settings, report_split="PrivateTest"))
    with pytest.raises(ConfigError, match=r"no split 'PrivateTest'; it has PublicTest, Training"):
        fit(Run(no_split, data, tmp_path, cache=None))
    no_loader = msgspec.structs.replace(TINY, data=msgspec.structs.replace(settings, loader="tarot"))
    with pytest.raises(ConfigError, match=r"loader 'tarot': expected one of fer2013-csv"):
        fit(Run(no_loader, data, tmp_path, cache=None))


def test_blank_pictures_are_reported_and_left_out(tmp_path: Path):
    rows = fer_rows(train=170, public=42)
    rows[3] = (rows[3][0], np.full(48 * 48, 9, np.uint8), "Training")
    report = fit(Run(TINY, write_fer(tmp_path / "fer.csv", rows), tmp_path / "run", cache=None))
    assert isinstance(report, Report)
    assert report.data.blank_rows == (3,)
    assert report.data.train + report.data.holdout == 169
