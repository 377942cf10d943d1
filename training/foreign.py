"""Takes in models that others have trained: raw 0..255 in and logits out, whatever they expected before."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from edge.errors import ConfigError, PermanentError
from training import artefacts, learner
from training.checkpoint import Identity, Progress
from training.data import load_data
from training.data.cache import sha256_of
from training.data.dataset import Dataset
from training.data.duplicates import duplicate_groups
from training.data.order import in_order
from training.data.selection import Chips
from training.data.splits import Parts, divide
from training.fit import CHECKPOINT
from training.keras_files import load_model, output_kind
from training.metrics import softmax
from training.recipe import DataSettings
from training.report import Report, write_report

if TYPE_CHECKING:
    import keras

Expects = Literal["raw", "unit", "symmetric"]
"""What the model was trained on: 0..255, x/255 in [0, 1], or (x/255 − 0.5)/0.5 in [−1, 1]."""

SCALINGS: dict[Expects, tuple[float, float]] = {"raw": (1.0, 0.0), "unit": (1 / 255, 0.0), "symmetric": (1 / 127.5, -1)}
"""Factor and offset that make of 0..255 what the model expects."""

LEAST_SPREAD = 0.1
"""The answers to black, white, ramps and noise differ by more than this probability in some class. The shipped model's
and small networks' on made-up faces differed by 0.7 and more; scaled twice, when they see hardly more than black, by
0.01 to 0.06."""

MOST_LOSS = 0.02
"""Another scaling may be better by this accuracy before it is taken for the right one."""

CHECKED_CHIPS = 1000
"""Pictures of the hold-out that the scalings are compared on."""


def scales_itself(model: "keras.Model") -> bool:
    """Whether the first layer after the input is a scaling."""
    import keras  # noqa: PLC0415

    for layer in model.layers:
        if isinstance(layer, keras.Model):
            return scales_itself(layer)
        if not isinstance(layer, keras.layers.InputLayer):
            return isinstance(layer, keras.layers.Rescaling | keras.layers.Normalization)
    return False


def wrap(model: "keras.Model", expects: Expects, keep_softmax: bool = False) -> "keras.Model":
    """The same network with raw 0..255 in and logits out; the scaling is its first layer.

    Args:
        model: as loaded; its last layer's softmax is taken off (the model given changes likewise).
        expects: what it was trained on.
        keep_softmax: leave the softmax where it is: probabilities out.
    """
    import keras  # noqa: PLC0415

    inner = model if keep_softmax else without_softmax(model)
    pixels = keras.Input(model.input_shape[1:], name="pixels")
    factor, offset = SCALINGS[expects]
    # the identity, too, is one layer: every wrapped model begins alike
    x = keras.layers.Rescaling(factor, offset=offset, name="scale")(pixels)
    return keras.Model(pixels, inner(x), name=f"wrapped_{model.name}")


def without_softmax(model: "keras.Model") -> "keras.Model":
    """The model up to its logits. Returned as it is if it has no softmax at its end.

    Raises:
        PermanentError: the softmax lies where it cannot be taken off, within a model inside the model.
    """
    import keras  # noqa: PLC0415

    if output_kind(model) == "logits":
        return model
    last = model.layers[-1]
    if isinstance(last, keras.Model):
        raise PermanentError(f"{model.name} ends in the model {last.name}; wrap that one, or keep its softmax")
    if isinstance(last, keras.layers.Softmax | keras.layers.Activation):
        return keras.Model(model.inputs, last.input)
    last.activation = keras.activations.linear
    # built anew, so that no compiled function with the softmax is left
    return keras.Model(model.inputs, last(last.input))


def probe_chips(size: int, channels: int) -> NDArray[np.uint8]:
    """Black, white, ramps and smooth noise: uint8 (12, S, S, C). A working model does not answer all of them alike.

    They are made like the golden chips that a converted file carries (`convert.golden`).
    """
    random = np.random.default_rng(0)
    ramp = np.linspace(0, 255, size)
    fields = [cv2.resize(random.uniform(0, 255, (6, 6)), (size, size), interpolation=cv2.INTER_CUBIC) for _ in range(8)]
    grey = [np.zeros((size, size)), np.full((size, size), 255.0), np.tile(ramp, (size, 1)), np.tile(ramp, (size, 1)).T]
    chips = np.stack([*grey, *fields]).round().clip(0, 255).astype(np.uint8)[..., None]
    return np.repeat(chips, channels, axis=3)


@dataclass(frozen=True, slots=True)
class Spread:
    """How differently a model answers very different pictures.

    Attributes:
        spread: largest range of one class's probability over the probe chips, 0..1.
        from_black: largest difference of a probability between any probe chip and the black one, 0..1.
    """

    spread: float
    from_black: float

    @property
    def collapsed(self) -> bool:
        """All answers are alike, and alike to black's: what a picture scaled twice looks like."""
        return self.spread < LEAST_SPREAD


def spread(model: "keras.Model") -> Spread:
    """Ask a wrapped model (raw 0..255 in) about the probe chips."""
    answers = probabilities(model, probe_chips(model.input_shape[1], model.input_shape[3]))
    return Spread(float(np.ptp(answers, axis=0).max()), float(np.abs(answers - answers[0]).max()))


def probabilities(model: "keras.Model", chips: Chips) -> NDArray[np.floating]:
    """(N, classes) of chips uint8 (N, S, S, C), whatever the model's end."""
    answers = learner.logits_of(model, chips)
    return answers if output_kind(model) == "probabilities" else softmax(answers)


def check(model: "keras.Model", expects: Expects, name: str = "the model") -> Spread:
    """Refuse a scaling that is there twice.

    Args:
        model: as loaded, not wrapped.
        expects: what it is said to have been trained on.
        name: for messages.

    Raises:
        ConfigError: the model scales its input itself, or answers all pictures alike once it is wrapped so.
    """
    if expects != "raw" and scales_itself(model):
        raise ConfigError(
            f"{name} scales its input in its own first layer, so expects = {expects!r} would scale twice; "
            "expected 'raw'"
        )
    found = spread(wrap(model, expects, keep_softmax=True))
    if found.collapsed:
        others = [other for other in SCALINGS if not spread(wrap(model, other, keep_softmax=True)).collapsed]
        hint = (
            f"expected {' or '.join(map(repr, others))}" if others else "it does so with every scaling: is it trained?"
        )
        raise ConfigError(
            f"{name} with expects = {expects!r} answers black, white and ten other pictures alike (probabilities "
            f"differ by {found.spread:.4f}, expected at least {LEAST_SPREAD}), as if its input were divided twice; "
            f"{hint}"
        )
    return found


def accuracies(model: "keras.Model", chips: Chips, labels: NDArray[np.int64]) -> dict[Expects, float]:
    """Share of `chips` named rightly under each scaling: the right one stands out."""
    return {
        expects: float((probabilities(wrap(model, expects, True), chips).argmax(axis=1) == labels).mean())
        for expects in SCALINGS
    }


FER2013 = DataSettings()
"""How FER2013's CSV is read."""


@dataclass(frozen=True, slots=True)
class Adoption:
    """A model to take in.

    Attributes:
        model: `.h5` or `.keras`.
        labels: class names in the order of its outputs.
        expects: what it was trained on.
        data: to measure and calibrate it on.
        out: directory for the result.
        source: how to read `data`; size and channels are the model's.
        name: of the result; travels with it.
        cache: directory for what depends on the data alone.
    """

    model: Path
    labels: tuple[str, ...]
    expects: Expects
    data: Path
    out: Path
    source: DataSettings = FER2013
    name: str = "foreign"
    cache: Path | None = None


def adopt(job: Adoption, model: "keras.Model | None" = None) -> Report:
    """Wrap a foreign model, measure it, and write `model.keras` with its `report.json` as a fit does.

    After that `evaluate`, `compare` and `convert quantize` treat it as one of our own. What it was trained on is not
    known here: its figures on pictures that it has seen flatter it, and the temperature is then too low.

    Args:
        job: what to take in.
        model: what was made of the file `job.model`, where that is not one of Keras.

    Raises:
        ConfigError: labels or scaling are not what the model was trained with, the data do not fit, or `out` holds a
            training run.
        PermanentError: model or data cannot be read.
    """
    model = load_model(job.model) if model is None else model
    if model.output_shape[-1] != len(job.labels):
        raise ConfigError(
            f"{job.model} has {model.output_shape[-1]} outputs and {len(job.labels)} labels are given; expected as many"
        )
    if (job.out / CHECKPOINT).exists():
        raise ConfigError(f"{job.out} holds a training run; expected another directory, so that its model is not lost")
    check(model, job.expects, str(job.model))
    size, channels = model.input_shape[1], model.input_shape[3]
    options = msgspec.structs.replace(job.source.options, size=size, channels=channels)
    source = msgspec.structs.replace(job.source, options=options)
    digest, parts = _parts(job, source)
    if not len(parts.holdout):
        raise ConfigError(
            f"{len(parts.train)} pictures in the split {source.train_split}, none of them held out to calibrate on; "
            "expected at least one: take more data or a larger holdout_share"
        )
    _refuse_a_worse_scaling(job, model, parts.holdout)
    wrapped = wrap(model, job.expects)
    recipe: dict[str, Any] = {
        "name": job.name,
        "foreign": {"file": job.model.name, "sha256": sha256_of(job.model), "expects": job.expects},
        "data": msgspec.to_builtins(source),
    }
    identity = Identity(recipe, 0, digest)
    job.out.mkdir(parents=True, exist_ok=True)
    artefacts.write_model(wrapped, job.out)
    report = write_report(job.out, identity, parts, wrapped, 0.0, Progress(identity, 0, 0.0))
    artefacts.write_evaluation(report, job.out)
    return report


def _parts(job: Adoption, source: DataSettings) -> tuple[str, Parts]:
    dataset = in_order(load_data(source.loader, job.data, job.cache, source.options), job.labels)
    for split in (source.train_split, source.report_split):
        if split not in dataset.split_names():
            raise ConfigError(f"{job.data}: no split {split!r}; it has {', '.join(dataset.split_names())}")
    groups = duplicate_groups(dataset.chips, source.duplicate_correlation, job.cache, dataset.key)
    parts = divide(dataset, groups, source.train_split, source.report_split, source.holdout_share)
    return dataset.sha256, parts


def _refuse_a_worse_scaling(job: Adoption, model: "keras.Model", holdout: Dataset) -> None:
    checked = holdout.take(np.arange(min(CHECKED_CHIPS, len(holdout))))
    found = accuracies(model, checked.chips, checked.labels)
    best = max(found, key=lambda expects: found[expects])
    if found[best] > found[job.expects] + MOST_LOSS:
        raise ConfigError(
            f"{job.model} names {found[job.expects]:.1%} of the hold-out rightly with expects = {job.expects!r} and "
            f"{found[best]:.1%} with {best!r}; expected the scaling that it was trained with"
        )
