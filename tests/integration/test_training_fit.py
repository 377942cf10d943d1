"""A whole training run: what it writes, that it survives being stopped and killed, what it refuses."""

import csv
import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest

import edge.classifier
from edge.contract.chip import ChipSpec
from edge.contract.labels import FER2013_LABELS
from edge.errors import ConfigError, PermanentError
from tests.training_fakes import RECIPES, fer_rows, write_fer
from training.cli import main
from training.data.cache import sha256_of
from training.evaluate import evaluate
from training.fit import CHECKPOINT, HISTORY, MODEL, RECIPE, Run, fit
from training.recipe import Recipe, load_recipe
from training.report import REPORT, Report, read_report

keras = pytest.importorskip("keras")

ROOT = Path(__file__).parents[2]
TINY = load_recipe(RECIPES / "tiny.toml")
EPOCHS, STEPS = 3, 9


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_fer(tmp_path_factory.mktemp("data") / "fer.csv", fer_rows(train=170, public=42))


@pytest.fixture(scope="module")
def finished(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of an uninterrupted run."""
    out = tmp_path_factory.mktemp("run") / "tiny"
    assert fit(Run(TINY, data, out, cache=None)) is not None
    return out


def ticking() -> Callable[[], float]:
    """A clock that goes on by a second each time it is asked."""
    ticks = itertools.count()
    return lambda: float(next(ticks))


def checkpoint_arrays(out: Path) -> dict[str, np.ndarray]:
    with np.load(out / CHECKPOINT) as stored:
        return {name: stored[name] for name in stored.files if name != "progress"}


def assert_same_state(one: Path, other: Path) -> None:
    first, second = checkpoint_arrays(one), checkpoint_arrays(other)
    assert first.keys() == second.keys()
    for name, values in first.items():
        assert second[name] == pytest.approx(values, rel=1e-5, abs=1e-6), name


def history(out: Path) -> list[dict[str, str]]:
    with (out / HISTORY).open(newline="") as file:
        return list(csv.DictReader(file))


def changed(**optimiser: object) -> Recipe:
    return msgspec.structs.replace(TINY, optimiser=msgspec.structs.replace(TINY.optimiser, **optimiser))


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


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_run_stopped_in_mid_epoch_goes_on_as_if_it_had_not_been(data: Path, tmp_path: Path, precision: str):
    recipe = changed(precision=precision)
    fit(Run(recipe, data, tmp_path / "whole", cache=None))
    pieces = Run(recipe, data, tmp_path / "pieces", cache=None, resume=True, max_minutes=10 / 60)
    results = []
    while not results or results[-1] is None:
        results.append(fit(pieces, clock=ticking()))
    assert len(results) >= 3
    assert_same_state(tmp_path / "whole", tmp_path / "pieces")
    for one, other in zip(history(tmp_path / "whole"), history(tmp_path / "pieces"), strict=True):
        assert float(one["loss"]) == pytest.approx(float(other["loss"]), rel=1e-5)
        assert one["step"] == other["step"]
    whole, stopped = (read_report(tmp_path / name / REPORT) for name in ("whole", "pieces"))
    assert stopped.scores["report"].confusion == whole.scores["report"].confusion


def test_a_stopped_run_has_a_checkpoint_and_no_model(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert fit(Run(TINY, data, tmp_path, cache=None, max_minutes=5 / 60), clock=ticking()) is None
    assert (tmp_path / CHECKPOINT).exists()
    assert not (tmp_path / MODEL).exists()
    assert "go on with --resume" in capsys.readouterr().err


def test_a_killed_run_goes_on_from_its_last_epoch(data: Path, tmp_path: Path):
    recipe = tmp_path / "long.toml"
    text = (RECIPES / "tiny.toml").read_text().replace("epochs = 3", "epochs = 12")
    recipe.write_text(text.replace("evaluate_every = 1", "evaluate_every = 12"))
    command = [sys.executable, "-m", "training", "fit", str(recipe), "--data", str(data), "--threads", "1", "--resume"]
    command += ["--cache", str(tmp_path / "cache"), "--out"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    with subprocess.Popen([*command, str(killed)], env=environment, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 120
        while not (killed / CHECKPOINT).exists() and time.monotonic() < deadline:
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL, "the run ended before it could be killed"
    assert not (killed / MODEL).exists()
    for out in (killed, whole):
        subprocess.run([*command, str(out)], env=environment, check=True, capture_output=True)
    assert_same_state(whole, killed)
    assert read_report(killed / REPORT).steps == read_report(whole / REPORT).steps == 12 * STEPS
    assert [row["epoch"] for row in history(killed)] == [str(epoch) for epoch in range(1, 13)]


def test_the_same_seed_gives_the_same_model_and_another_seed_another(finished: Path, data: Path, tmp_path: Path):
    fit(Run(TINY, data, tmp_path / "same", cache=None))
    assert_same_state(finished, tmp_path / "same")
    fit(Run(TINY, data, tmp_path / "other", cache=None, seed=2))
    first, other = (keras.saving.load_model(out / MODEL).get_weights() for out in (finished, tmp_path / "other"))
    assert not any(np.array_equal(a, b) for a, b in zip(first[2:], other[2:], strict=True))


def test_resuming_a_finished_run_exports_it_again(finished: Path, data: Path, tmp_path: Path):
    before = read_report(finished / REPORT)
    (finished / MODEL).unlink()
    again = fit(Run(TINY, data, finished, cache=None, resume=True))
    assert again is not None
    assert again.scores == before.scores
    assert (finished / MODEL).exists()


def test_a_directory_with_a_run_is_not_overwritten(finished: Path, data: Path):
    with pytest.raises(ConfigError, match="holds a run already; continue it with --resume or give another --out"):
        fit(Run(TINY, data, finished, cache=None))


def test_a_run_is_continued_only_with_what_it_began_with(finished: Path, data: Path, tmp_path: Path):
    for run, message in (
        (Run(TINY, data, finished, None, seed=9, resume=True), "another seed: 1, now 9"),
        (
            Run(changed(momentum=0.5), data, finished, None, resume=True),
            r"another recipe\.optimiser\.momentum: 0\.9, now 0\.5",
        ),
        (
            Run(TINY, write_fer(tmp_path / "more.csv", fer_rows(180, 42)), finished, None, resume=True),
            "another data_sha256",
        ),
    ):
        with pytest.raises(ConfigError, match=message):
            fit(run)


def test_a_damaged_checkpoint_is_refused(data: Path, tmp_path: Path):
    (tmp_path / CHECKPOINT).write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(PermanentError, match="not a checkpoint of this version"):
        fit(Run(TINY, data, tmp_path, cache=None, resume=True))


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


@pytest.mark.parametrize("flip", [False, True])
def test_evaluating_the_model_file_gives_the_reports_figures(finished: Path, data: Path, flip: bool):
    found = evaluate(finished / MODEL, data, "PublicTest", flip=flip)
    expected = read_report(finished / REPORT).scores["report_flip" if flip else "report_calibrated"]
    assert found.scores.confusion == expected.confusion
    assert found.scores.nll == pytest.approx(expected.nll, rel=1e-5)


def test_the_command_line_measures_a_model(
    finished: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    figures = tmp_path / "new" / "figures.json"
    command = ["evaluate", str(finished / MODEL), "--data", str(data), "--cache", str(tmp_path), "--json", str(figures)]
    assert main(command) == 0
    printed = capsys.readouterr().out
    written = json.loads(figures.read_text())
    assert f"accuracy {written['scores']['accuracy']:.4f}" in printed
    assert all(name in printed for name in FER2013_LABELS)
    assert written["scores"]["n"] == 42
    assert np.sum(written["scores"]["confusion"]) == 42
    assert written["data_sha256"] == sha256_of(data)
    low, high = written["scores"]["accuracy_interval"]
    assert low < written["scores"]["accuracy"] < high


def test_mistakes_of_the_user_end_with_78_and_say_what_to_do(
    finished: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    broken = tmp_path / "broken.csv"
    broken.write_text("emotion,pixels,Usage\n0,1 2 3,Training\n")
    recipe, model = str(RECIPES / "tiny.toml"), str(finished / MODEL)
    out = ["--cache", str(tmp_path), "--out", str(tmp_path / "out")]
    lone = tmp_path / "lone.keras"
    lone.write_bytes((finished / MODEL).read_bytes())
    for command, code, message in (
        (["fit", recipe, "--data", str(tmp_path / "absent.csv"), *out], 78, "no such file"),
        (["fit", str(tmp_path / "absent.toml"), "--data", str(data), *out], 78, "cannot read the recipe"),
        (["fit", recipe, "--data", str(broken), *out], 78, "broken.csv, line 2: 3 pixels; expected 2304"),
        (["evaluate", str(data), "--data", str(data)], 78, "expected a model file that ends in .keras or .tflite"),
        (["evaluate", str(tmp_path / "absent.keras"), "--data", str(data)], 78, "no such file; expected a model"),
        (["evaluate", str(lone), "--data", str(data)], 78, "expected the training report beside the model"),
        (["evaluate", model, "--data", str(data), "--split", "X", "--cache", str(tmp_path)], 78, "no split 'X'"),
    ):
        assert main(command) == code, command
        assert message in capsys.readouterr().err


def test_a_file_that_is_no_keras_model_is_refused(finished: Path, data: Path, tmp_path: Path):
    (tmp_path / MODEL).write_bytes(b"not a model")
    (tmp_path / REPORT).write_bytes((finished / REPORT).read_bytes())
    with pytest.raises(PermanentError, match="not a Keras model"):
        evaluate(tmp_path / MODEL, data, "PublicTest")


def test_a_tflite_model_is_measured_through_the_devices_classifier_labels_matched_by_name(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    class Mirror:
        """Knows every answer, in another order of the labels."""

        labels = tuple(reversed(FER2013_LABELS))

        def __init__(self, path: Path) -> None:
            self.card = type("Card", (), {"temperature": 1.5, "chip": ChipSpec()})()
            self.truth = {pixels.tobytes(): label for label, pixels, _ in fer_rows(train=170, public=42)}

        def classify(self, chips: np.ndarray) -> tuple[np.ndarray, ...]:
            names = [FER2013_LABELS[self.truth[chip.tobytes()]] for chip in chips]
            return tuple(np.eye(7, dtype=np.float32)[self.labels.index(name)] for name in names)

    monkeypatch.setattr(edge.classifier, "TfliteClassifier", Mirror)
    (tmp_path / "model.tflite").write_bytes(b"")
    found = evaluate(tmp_path / "model.tflite", data, "PublicTest")
    assert found.scores.accuracy == 1
    assert found.labels == FER2013_LABELS
    monkeypatch.setattr(Mirror, "labels", ("yes", "no"))
    with pytest.raises(ConfigError, match="knows yes, no, expected the data's labels angry"):
        evaluate(tmp_path / "model.tflite", data, "PublicTest")


def test_asking_for_help_loads_no_deep_learning_library():
    code = (
        "import sys, training.cli, training.fit, training.evaluate, training.networks, training.data;"
        "print(sorted({'tensorflow', 'keras', 'sklearn'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert result.stdout.strip() == "[]"


def test_a_run_that_no_longer_improves_ends_early_and_exports_its_best_weights(data: Path, tmp_path: Path):
    # a rate far too high after the first epochs: the hold-out gets worse
    recipe = changed(
        epochs=30, method="adamw", learning_rate=0.01, average=0.01, schedule="plateau", stop_patience=3, keep="best"
    )
    out = tmp_path / "run"
    report = fit(Run(recipe, data, out, cache=None))
    assert report is not None
    nll = [float(row["holdout_nll"]) for row in history(out)]
    assert len(nll) == report.epochs < 30
    assert nll.index(min(nll)) == len(nll) - 4
    assert report.scores["holdout"].nll == pytest.approx(min(nll), rel=1e-3)
    again = fit(Run(recipe, data, out, cache=None, resume=True))
    assert again is not None
    assert (again.epochs, again.scores) == (report.epochs, report.scores)


WORSENING = {
    "epochs": 30, "method": "adamw", "learning_rate": 0.01, "average": 0.01, "schedule": "plateau", "stop_patience": 3,
    "keep": "best",
}  # fmt: skip


def without_best(out: Path) -> dict[str, np.ndarray]:
    """Make the checkpoint one of an earlier version; returns the best weights that were in it."""
    with np.load(out / CHECKPOINT) as stored:
        arrays = {name: stored[name] for name in stored.files}
    best = {name.removeprefix("best-"): arrays.pop(name) for name in list(arrays) if name.startswith("best-")}
    np.savez(out / CHECKPOINT, **arrays)
    return best


def test_the_best_weights_survive_whatever_stops_the_run(data: Path, tmp_path: Path):
    recipe = changed(**WORSENING)
    whole = fit(Run(recipe, data, tmp_path / "whole", cache=None))
    pieces = Run(recipe, data, tmp_path / "pieces", cache=None, resume=True, max_minutes=25 / 60)
    reports = []
    while not reports or reports[-1] is None:
        reports.append(fit(pieces, clock=ticking()))
    assert len(reports) >= 3
    assert whole is not None
    assert reports[-1].epochs == whole.epochs < 30
    assert_same_state(tmp_path / "whole", tmp_path / "pieces")
    first, second = (keras.saving.load_model(tmp_path / name / MODEL).get_weights() for name in ("whole", "pieces"))
    for one, other in zip(first, second, strict=True):
        assert other == pytest.approx(one, rel=1e-4, abs=1e-5)
    # all of a run's state is in one file, so that none of it can be lost or of another moment
    assert [path.name for path in (tmp_path / "whole").glob("*.npz")] == [CHECKPOINT]


def test_a_run_of_an_earlier_version_finds_its_best_weights_beside_it_or_says_at_once_that_they_are_gone(
    data: Path, tmp_path: Path
):
    recipe = changed(keep="best")
    whole = fit(Run(recipe, data, tmp_path / "whole", cache=None))
    stopped = Run(recipe, data, tmp_path / "old", cache=None, max_minutes=22 / 60)
    assert fit(stopped, clock=ticking()) is None
    best = without_best(tmp_path / "old")
    assert len(best) > 10
    going_on = Run(recipe, data, tmp_path / "old", cache=None, resume=True)
    before = (tmp_path / "old" / CHECKPOINT).read_bytes()
    with pytest.raises(PermanentError, match=r"best\.npz: cannot read the best weights .* put the file back, or train"):
        fit(going_on)
    assert (tmp_path / "old" / CHECKPOINT).read_bytes() == before, "it is said before any more work"
    np.savez(tmp_path / "old" / "best.npz", **dict(list(best.items())[1:]))
    with pytest.raises(PermanentError, match="do not fit the network's"):
        fit(going_on)
    np.savez(tmp_path / "old" / "best.npz", **best)
    report = fit(going_on)
    assert report is not None
    assert whole is not None
    assert report.scores["holdout"].confusion == whole.scores["holdout"].confusion


def test_a_run_without_any_finite_evaluation_has_no_best_weights(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("training.fit.negative_log_likelihood", lambda *_: float("nan"))
    with pytest.raises(
        PermanentError, match=r"no evaluation of this run has a finite .* lower optimiser\.learning_rate"
    ):
        fit(Run(changed(keep="best"), data, tmp_path, cache=None))
    assert not (tmp_path / MODEL).exists()


def test_a_recipe_with_every_option_is_resumed_as_if_it_had_not_been_stopped(data: Path, tmp_path: Path):
    recipe = changed(
        method="adamw", learning_rate=2e-3, schedule="plateau", plateau_patience=1, balance="weights", mixup=0.3,
        keep="best",
    )  # fmt: skip
    fit(Run(recipe, data, tmp_path / "whole", cache=None))
    pieces = Run(recipe, data, tmp_path / "pieces", cache=None, resume=True, max_minutes=10 / 60)
    while fit(pieces, clock=ticking()) is None:
        pass
    assert_same_state(tmp_path / "whole", tmp_path / "pieces")


def test_a_run_from_before_an_option_was_added_is_continued(data: Path, tmp_path: Path):
    assert fit(Run(TINY, data, tmp_path, cache=None, max_minutes=5 / 60), clock=ticking()) is None
    with np.load(tmp_path / CHECKPOINT) as stored:
        arrays = {name: stored[name] for name in stored.files}
    progress = json.loads(arrays["progress"].tobytes())
    for option in ("method", "schedule", "keep", "balance", "mixup"):
        del progress["identity"]["recipe"]["optimiser"][option]
    del progress["identity"]["recipe"]["soft_labels"], progress["identity"]["soft_labels_sha256"]
    arrays["progress"] = np.frombuffer(json.dumps(progress).encode(), np.uint8)
    np.savez(tmp_path / CHECKPOINT, **arrays)
    report = fit(Run(TINY, data, tmp_path, cache=None, resume=True))
    assert report is not None
    assert report.steps == EPOCHS * STEPS
