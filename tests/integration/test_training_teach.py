"""Teachers answer for pictures that they have not seen, and a student learns from it."""

import dataclasses
import os
from pathlib import Path

import msgspec
import numpy as np
import pytest

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

from edge.errors import ConfigError
from tests.training_fakes import RECIPES, fer_rows, write_fer
from training.cli import main
from training.fit import Run, fit
from training.recipe import SoftLabelSettings, load_recipe
from training.report import read_report
from training.teach import Lesson, Outcome, teach


@pytest.fixture(scope="module")
def csv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = fer_rows(160, 40)
    rows[1:3] = [rows[0], rows[0]]  # the same picture three times
    return write_fer(tmp_path_factory.mktemp("data") / "fer2013.csv", rows)


def lesson(csv: Path, out: Path, **changes: object) -> Lesson:
    tiny = load_recipe(RECIPES / "tiny.toml")
    short = msgspec.structs.replace(
        tiny, optimiser=msgspec.structs.replace(tiny.optimiser, epochs=2, batch=16), evaluate_every=2
    )
    run = Run(recipe=short, data=csv, out=out, cache=None)
    return Lesson(run, short, folds=2, views=2, **changes)


@pytest.fixture(scope="module")
def taught(csv: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Lesson, Outcome]:
    given = lesson(csv, tmp_path_factory.mktemp("lesson"))
    outcome = teach(given)
    assert outcome is not None
    return given, outcome


def test_each_picture_is_answered_by_the_teacher_that_did_not_see_it(taught: tuple[Lesson, Outcome]):
    given, outcome = taught
    folds = [set(read_report(given.run.out / f"fold-{n}" / "report.json").data.holdout_rows) for n in range(2)]
    assert not folds[0] & folds[1]
    assert abs(len(folds[0]) - len(folds[1])) <= 4
    with np.load(outcome.path) as stored:
        assert set(stored["rows"].tolist()) == folds[0] | folds[1]
        assert stored["probabilities"].shape == (2, outcome.pictures, 7)
        assert stored["probabilities"].astype(np.float32).sum(axis=2) == pytest.approx(1, abs=0.01)
    present = {0, 1, 2} & (folds[0] | folds[1])
    assert present <= folds[0] or present <= folds[1]
    assert 0 <= outcome.accuracy <= 1
    assert outcome.nll > 0


def test_a_student_learns_from_the_answers(taught: tuple[Lesson, Outcome], tmp_path: Path):
    given, outcome = taught
    recipe = msgspec.structs.replace(given.student, soft_labels=SoftLabelSettings(str(outcome.path)))
    report = fit(Run(recipe=recipe, data=given.run.data, out=tmp_path, cache=None))
    assert report is not None
    assert report.resolved_recipe["soft_labels"]["path"] == str(outcome.path)


def test_when_the_time_is_up_it_goes_on_where_it_was(csv: Path, tmp_path: Path):
    given = lesson(csv, tmp_path)
    ticks = iter(range(0, 100_000, 7))
    hurried = Lesson(dataclasses.replace(given.run, max_minutes=1), given.student, given.folds, given.views)
    assert teach(hurried, clock=lambda: float(next(ticks))) is None
    assert (tmp_path / "fold-0" / "checkpoint.npz").exists()
    outcome = teach(given)
    assert outcome is not None
    assert outcome.path.exists()


def test_teachers_of_other_folds_are_not_taken_over(taught: tuple[Lesson, Outcome]):
    given, _ = taught
    data = msgspec.structs.replace(given.student.data, holdout_share=0.4)
    other = Lesson(given.run, msgspec.structs.replace(given.student, data=data), given.folds, given.views)
    with pytest.raises(ConfigError, match="is of a run with another data_sha256"):
        teach(other)
    again = teach(given)
    assert again is not None


@pytest.mark.parametrize(("folds", "views"), [(1, 2), (2, 0)])
def test_a_lesson_without_folds_or_views_is_refused(csv: Path, tmp_path: Path, folds: int, views: int):
    given = lesson(csv, tmp_path)
    with pytest.raises(ConfigError, match="at least two folds and one view"):
        teach(Lesson(given.run, given.student, folds, views))


def test_the_command_says_what_came_out(csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    recipe = tmp_path / "short.toml"
    recipe.write_text((RECIPES / "tiny.toml").read_text().replace("warmup_epochs = 1", "warmup_epochs = 0"))
    asked = ["teach", str(recipe), "--data", str(csv), "--cache", str(tmp_path), "--folds", "2", "--views", "1"]
    assert main([*asked, "--out", str(tmp_path / "out")]) == 0
    assert "answers to 1 view(s) of " in capsys.readouterr().out
    assert (tmp_path / "out" / "soft_labels.npz").exists()


def test_a_negative_seed_is_refused(csv: Path, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        main(["fit", str(RECIPES / "tiny.toml"), "--data", str(csv), "--seed", "-1"])
    assert "--seed: '-1', expected a whole number from 0" in capsys.readouterr().err
