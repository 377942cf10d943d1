"""The course of a training run: read from its history, drawn, part of the report where it is given."""

import subprocess
import sys
from pathlib import Path

import cv2
import msgspec
import numpy as np
import pytest

from edge.errors import PermanentError
from training.checkpoint import EpochRow
from training.fit import _history_csv
from training.reporting.course import draw_course, read_history
from training.reporting.style import ACCENT, CONTRAST, new_figure, save

ROOT = Path(__file__).parents[2]
HISTORY = tuple(
    EpochRow(epoch, 9 * epoch, 0.1 / epoch, 2 / epoch, 1 - 0.8 / epoch, 1.5, held, loss)
    for epoch, held, loss in ((1, None, None), (2, 0.4, 1.6), (3, None, None), (4, 0.7, 1.1), (5, 0.6, 1.3))
)


def written(folder: Path, text: str) -> Path:
    path = folder / "history.csv"
    path.write_text(text)
    return path


def drawn(history: tuple[EpochRow, ...]) -> np.ndarray:
    """uint8 (H, W, 3) BGR."""
    with new_figure((6, 6)) as figure:
        draw_course(figure, history)
        return cv2.imdecode(np.frombuffer(save(figure), np.uint8), cv2.IMREAD_COLOR)


def pixels_of(picture: np.ndarray, colour: str) -> int:
    rgb = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
    return int((picture[..., ::-1] == rgb).all(axis=2).sum())


def test_what_a_run_wrote_is_read_again(tmp_path: Path):
    assert read_history(written(tmp_path, _history_csv(HISTORY))) == HISTORY


@pytest.mark.parametrize(
    "text", ["epoch,step\n1,9\n", _history_csv(HISTORY).replace("1.6", "much"), _history_csv(HISTORY) + "6,54\n"]
)
def test_another_file_is_refused(tmp_path: Path, text: str):
    with pytest.raises(PermanentError, match=r"history\.csv: not the history of a run .* expected a CSV with .*epoch"):
        read_history(written(tmp_path, text))


def test_training_and_hold_out_are_drawn_in_their_colours():
    picture = drawn(HISTORY)
    assert min(pixels_of(picture, ACCENT), pixels_of(picture, CONTRAST)) > 100


@pytest.mark.parametrize("count", [1, 3])
def test_a_short_run_and_one_without_a_measured_hold_out_are_drawn_too(count: int):
    unmeasured = tuple(msgspec.structs.replace(row, holdout_accuracy=None, holdout_nll=None) for row in HISTORY[:count])
    assert pixels_of(drawn(unmeasured), ACCENT) > 20
    assert pixels_of(drawn(unmeasured), CONTRAST) == 0


def test_training_needs_no_matplotlib_until_it_draws():
    code = (
        "import sys, training.cli, training.fit, training.predict, training.reporting.run_report;"
        "print('matplotlib' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert result.stdout.strip() == "False"
