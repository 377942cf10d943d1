"""A training run that is stopped, killed and continued."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from edge.errors import ConfigError, PermanentError
from tests.training_fakes import RECIPES, fer_rows, write_fer
from tests.training_runs import EPOCHS, STEPS, TINY, assert_same_state, changed, history, ticking
from training.fit import CHECKPOINT, MODEL, Run, fit
from training.report import REPORT, read_report

pytest.importorskip("keras")

ROOT = Path(__file__).parents[2]


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
