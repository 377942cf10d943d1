"""Training with PyTorch and with JAX in TensorFlow's place, wherever they are installed."""

import importlib.util
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from edge.errors import EXIT_CONFIG
from tests.training_fakes import RECIPES, fer_rows, write_fer
from training.cli import main
from training.fit import CHECKPOINT, MODEL
from training.report import REPORT, read_report

ROOT = Path(__file__).parents[2]
STEPS = 6 * 9

# prints the backend and writes the answers to a few pictures, so that two backends can be compared
ASK = """
import sys, numpy as np, keras
from training.learner import logits_of
chips = np.random.default_rng(0).integers(0, 256, (8, 48, 48, 1), np.uint8)
np.save(sys.argv[2], logits_of(keras.saving.load_model(sys.argv[1], compile=False), chips))
print(keras.backend.backend())
"""


@pytest.fixture(params=["torch", "jax"])
def backend(request: pytest.FixtureRequest) -> str:
    if importlib.util.find_spec(request.param) is None:
        pytest.skip(f"the package {request.param} is not installed here; pip install {request.param} for this test")
    return request.param


def environment(backend: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "KERAS_BACKEND": backend}


def answers(model: Path, to: Path, backend: str) -> np.ndarray:
    command = [sys.executable, "-c", ASK, str(model), str(to)]
    done = subprocess.run(command, env=environment(backend), check=True, capture_output=True, text=True)
    assert done.stdout.split()[-1] == backend
    return np.load(to)


@pytest.mark.parametrize(
    ("name", "message"),
    [("abacus", "expected one of tensorflow, torch, jax"), ("jax", "that package is not installed")],
)
def test_a_backend_that_is_not_there_is_refused(
    name: str, message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("KERAS_BACKEND", name)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    assert main(["networks"]) == EXIT_CONFIG
    assert f"KERAS_BACKEND={name}: {message}" in capsys.readouterr().err


# hides packages from the import system, as if they were not installed
WITHOUT = """
import importlib.machinery, sys
hidden, arguments = set(sys.argv[1].split(",")), sys.argv[2:]
real = importlib.machinery.PathFinder.find_spec
def find_spec(name, path=None, target=None):
    return None if name.partition(".")[0] in hidden else real(name, path, target)
importlib.machinery.PathFinder.find_spec = find_spec
from training.cli import main
sys.exit(main(arguments))
"""


def without(packages: str, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    usual = {name: value for name, value in os.environ.items() if name != "KERAS_BACKEND"}
    return subprocess.run(
        [sys.executable, "-c", WITHOUT, packages, *command],
        env={**usual, "PYTHONPATH": str(ROOT), **variables}, check=False, capture_output=True, text=True,
    )  # fmt: skip


@pytest.mark.parametrize("variables", [{}, {"KERAS_BACKEND": ""}])
def test_without_tensorflow_it_is_said_what_to_install_or_to_set(variables: dict[str, str]):
    done = without("tensorflow,torch,jax", "networks", **variables)
    assert done.returncode == EXIT_CONFIG
    assert done.stderr.startswith("error: TensorFlow is not installed here")
    assert ".venv/bin/pip install -e '.[train]'; or set KERAS_BACKEND=torch or jax" in done.stderr
    assert "Traceback" not in done.stderr


def test_any_other_package_that_is_missing_is_named():
    done = without("keras", "networks")
    assert done.returncode == EXIT_CONFIG
    assert done.stderr == (
        "error: the package keras is not installed here; install what training takes: "
        ".venv/bin/pip install -e '.[train]'\n"
    )


def test_what_takes_no_backend_works_without_one(tmp_path: Path):
    data = write_fer(tmp_path / "fer.csv", fer_rows(train=14, public=7))
    done = without("tensorflow,keras,torch,jax", "data", "--data", str(data), "--cache", str(tmp_path / "cache"))
    assert (done.returncode, done.stderr) == (0, "")
    assert "21 chips" in done.stdout


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_run_is_killed_goes_on_and_gives_a_model_that_tensorflow_answers_alike_with(backend: str, tmp_path: Path):
    recipe, data = tmp_path / "recipe.toml", write_fer(tmp_path / "fer.csv", fer_rows(train=170, public=42))
    text = (RECIPES / "tiny.toml").read_text().replace("epochs = 3", "epochs = 6")
    recipe.write_text(text.replace("evaluate_every = 1", "evaluate_every = 2"))  # trains on after an evaluation
    shared = ["--data", str(data), "--cache", str(tmp_path / "cache"), "--threads", "1"]
    command = [sys.executable, "-m", "training", "fit", str(recipe), *shared, "--resume", "--out"]
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    with subprocess.Popen([*command, str(killed)], env=environment(backend), stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 200
        while not (killed / CHECKPOINT).exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL, "the run ended before it could be killed"
    for out in (killed, whole):
        finish = [*command, str(out)]
        done = subprocess.run(finish, env=environment(backend), check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    report = read_report(whole / REPORT)
    assert (report.steps, report.versions["keras_backend"]) == (STEPS, backend)
    with np.load(whole / CHECKPOINT) as one, np.load(killed / CHECKPOINT) as other:
        for name in set(one.files) - {"progress"}:
            assert other[name] == pytest.approx(one[name], rel=1e-5, abs=1e-6), name
    evaluate = [sys.executable, "-m", "training", "evaluate", str(whole / MODEL), *shared]
    printed = subprocess.run(evaluate, env=environment(backend), check=True, capture_output=True, text=True).stdout
    assert f"accuracy {report.scores['report_calibrated'].accuracy:.4f}" in printed
    if importlib.util.find_spec("tensorflow") is not None:
        own, tensorflows = (answers(whole / MODEL, tmp_path / f"{b}.npy", b) for b in (backend, "tensorflow"))
        assert own == pytest.approx(tensorflows, abs=1e-4)
