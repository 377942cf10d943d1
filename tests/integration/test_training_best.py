"""The best weights of a training run: kept, found again, exported."""

from pathlib import Path

import numpy as np
import pytest

from edge.errors import PermanentError
from tests.training_runs import assert_same_state, changed, history, ticking
from training.fit import CHECKPOINT, MODEL, Run, fit

keras = pytest.importorskip("keras")


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
