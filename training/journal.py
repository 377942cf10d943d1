"""Tells how a run goes: a bar on a terminal, a line per epoch elsewhere, scalars for TensorBoard."""

import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from tensorboardX import SummaryWriter
from tqdm import tqdm

from training.checkpoint import EpochRow

BOARD = "tensorboard"


class Journal:
    """A context manager; owns the bar and the event file.

    Args:
        out: the run's directory; events go to its folder `tensorboard`.
        epochs: of the whole run.
        per_epoch: steps an epoch.
        step: steps done before.
    """

    def __init__(self, out: Path, epochs: int, per_epoch: int, step: int) -> None:
        self._epochs, self._per_epoch = epochs, per_epoch
        # events beyond the checkpoint, of a run that was killed, are superseded
        self._board = SummaryWriter(str(out / BOARD), purge_step=step)
        self._bar = tqdm(
            total=epochs * per_epoch, initial=step, unit="step", disable=not sys.stderr.isatty(), dynamic_ncols=True
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.close()
        self._board.close()

    def say(self, text: str) -> None:
        """One line for people."""
        tqdm.write(text, file=sys.stderr)
        sys.stderr.flush()

    def step(self, step: int, loss: float) -> None:
        """One step is done; `loss` is the epoch's mean so far."""
        self._bar.update()
        self._bar.set_postfix_str(f"epoch {(step - 1) // self._per_epoch + 1}/{self._epochs} loss {loss:.4f}")

    def epoch(self, row: EpochRow) -> None:
        """One epoch is done."""
        scalars = {
            "train/loss": row.loss,
            "train/accuracy": row.accuracy,
            "train/learning_rate": row.learning_rate,
            "holdout/accuracy": row.holdout_accuracy,
            "holdout/nll": row.holdout_nll,
        }
        for name, value in scalars.items():
            if value is not None:
                self._board.add_scalar(name, value, row.step)
        self._board.flush()
        held = ""
        if row.holdout_accuracy is not None:
            held = f", hold-out accuracy {row.holdout_accuracy:.4f} nll {row.holdout_nll:.4f}"
        self.say(
            f"epoch {row.epoch}/{self._epochs}: loss {row.loss:.4f} accuracy {row.accuracy:.4f}{held}, "
            f"rate {row.learning_rate:.5f}, {row.seconds:.1f} s"
        )
