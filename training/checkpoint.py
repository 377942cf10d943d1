"""What a run needs to go on after being killed at any moment: one file, replaced whole."""

import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from edge.errors import ConfigError, PermanentError
from training import learner
from training.data.cache import write_arrays
from training.recipe import completed

if TYPE_CHECKING:
    import keras


class EpochRow(msgspec.Struct, frozen=True):
    """One line of the history.

    Attributes:
        epoch: from 1.
        step: steps done at its end.
        learning_rate: of its last step.
        loss: mean over the epoch, with label smoothing, on augmented pictures.
        accuracy: likewise.
        seconds: that the epoch took.
        holdout_accuracy: of the averaged weights, where they were evaluated.
        holdout_nll: likewise.
    """

    epoch: int
    step: int
    learning_rate: float
    loss: float
    accuracy: float
    seconds: float
    holdout_accuracy: float | None = None
    holdout_nll: float | None = None


class Identity(msgspec.Struct, frozen=True):
    """What has to be the same for a run to be continued."""

    recipe: dict[str, Any]
    seed: int
    data_sha256: str
    soft_labels_sha256: str = ""
    initial_sha256: str = ""


class Progress(msgspec.Struct, frozen=True):
    """How far the run has come.

    Attributes:
        identity: of the run.
        step: steps done.
        seconds: that they took.
        history: of the epochs that ended.
        loss_sum: over the steps done of the epoch that has not ended.
        accuracy_sum: likewise.
    """

    identity: Identity
    step: int
    seconds: float
    history: tuple[EpochRow, ...] = ()
    loss_sum: float = 0.0
    accuracy_sum: float = 0.0


_BEST = "best-"


def save(path: Path, model: "keras.Model", progress: Progress, best: learner.Weights | None = None) -> None:
    """Write weights, averages, optimiser, random states, progress; the old file stays until this one is whole.

    Args:
        path: of the file.
        model: in training.
        progress: of the run.
        best: the weights of its best evaluation. In the same file, they cannot be of another moment than the rest.
    """
    arrays = {f"{number:04}": np.asarray(value) for number, value in enumerate(_values(model))}
    arrays |= {f"{_BEST}{number:04}": value for number, value in enumerate(best or [])}
    arrays["progress"] = np.frombuffer(msgspec.json.encode(progress), np.uint8)
    write_arrays(path, arrays)


def restore(path: Path, model: "keras.Model", identity: Identity) -> tuple[Progress, learner.Weights | None]:
    """Put the state of `path` into `model` (built and compiled alike).

    Returns:
        How far the run had come, and the weights of its best evaluation if it keeps them.

    Raises:
        ConfigError: the run in `path` was another one.
        PermanentError: the file is damaged or of another version.
    """
    progress, values, best = _read(path, "delete it to start anew")
    for name in Identity.__struct_fields__:
        found, expected = getattr(progress.identity, name), getattr(identity, name)
        if name == "recipe":
            found, expected = completed(found), completed(expected)
        if found != expected:
            raise ConfigError(
                f"{path} is of a run with another {_difference(name, found, expected)}; "
                "continue it with what it began with, or give another --out"
            )
    weights = [tuple(variable.shape) for variable in model.weights]
    if not _fits(model, values) or (best and [value.shape for value in best] != weights):
        raise PermanentError(f"{path}: its arrays do not fit this version's network; delete it to start anew")
    _assign(model, values)
    return msgspec.structs.replace(progress, identity=identity), best


def begin_with(path: Path, model: "keras.Model") -> None:
    """Put the weights, averages and momentum of another run into `model`, which is at its start.

    Raises:
        ConfigError: there is no such file, or that run's network or optimiser is another one.
        PermanentError: the file is damaged or of another version.
    """
    if not path.is_file():
        raise ConfigError(f"initial.checkpoint = {path}: no such file; expected checkpoint.npz of another run")
    progress, values, _ = _read(path, "give another one")
    if not _fits(model, values):
        raise ConfigError(
            f"initial.checkpoint = {path}: a run of the recipe {progress.identity.recipe.get('name')!r}, whose network "
            "or optimiser is another one; expected one with the same [network] and [optimiser] method"
        )
    _assign(model, values)


def _read(path: Path, remedy: str) -> tuple[Progress, list[np.ndarray], learner.Weights | None]:
    try:
        with np.load(path, allow_pickle=False) as stored:
            progress = msgspec.json.decode(stored["progress"].tobytes(), type=Progress)
            names = sorted(set(stored.files) - {"progress"})
            values = [stored[name] for name in names if not name.startswith(_BEST)]
            best = [stored[name] for name in names if name.startswith(_BEST)] or None
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, msgspec.DecodeError) as error:
        raise PermanentError(f"{path}: not a checkpoint of this version ({error}); {remedy}") from error
    return progress, values, best


def _fits(model: "keras.Model", values: list[np.ndarray]) -> bool:
    return [value.shape for value in values] == [tuple(variable.shape) for variable in _variables(model)]


def _assign(model: "keras.Model", values: list[np.ndarray]) -> None:
    for variable, value in zip(_variables(model), values, strict=True):
        variable.assign(value)


def _difference(name: str, found: Any, expected: Any) -> str:
    if isinstance(found, dict) and isinstance(expected, dict):
        for key in sorted({*found, *expected}):
            if found.get(key) != expected.get(key):
                return _difference(f"{name}.{key}", found.get(key), expected.get(key))
    return f"{name}: {found!r}, now {expected!r}"


def _variables(model: "keras.Model") -> list[Any]:
    return [*learner.state(model), *model.optimizer.variables]


def _values(model: "keras.Model") -> list[Any]:
    import keras  # noqa: PLC0415

    return [keras.ops.convert_to_numpy(variable) for variable in _variables(model)]
