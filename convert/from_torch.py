"""PyTorch weights in, one of our own trained models out: compared layer by layer on the way."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convert.golden import golden_chips
from convert.torch_adapter import answers, read_tensors
from convert.torch_keras import to_keras
from convert.torch_network import Network, recognise
from edge.errors import PermanentError
from edge.types import Pixels
from training.foreign import Adoption, Expects, adopt, wrap
from training.report import Report

EPSILON = 1e-5
"""Of PyTorch's normalisations, if their author does not say otherwise; Keras' own default is 1e-3."""

MOST_DIFFERENCE = 1e-4
"""A layer's values may differ by this share of its greatest (at least of 1). A network of 224 px with weights drawn at
random differs by 7e-7 and less, with Keras' epsilon in place of PyTorch's by 1e-3; a normalisation of a channel that
hardly varies enlarges the rounding before it, up to 300 times."""

AT_ONCE = 4
"""Chips; the first convolution of 224 px gives 6 MB for each."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One layer, Keras against PyTorch, on the golden chips.

    Attributes:
        layer: its name in Keras; "whole" is the network with its scaling, as it is written.
        shape: of its output for one chip.
        difference: the greatest of a value.
        peak: the greatest value of PyTorch's, without its sign.
    """

    layer: str
    shape: tuple[int, ...]
    difference: float
    peak: float

    @property
    def allowed(self) -> float:
        """The difference that rounding explains."""
        return MOST_DIFFERENCE * max(1.0, self.peak)

    def line(self) -> str:
        """For people."""
        shape = "×".join(map(str, self.shape))
        return f"{self.layer:20} {shape:12} max difference {self.difference:.2e}, of values up to {self.peak:.3g}"


@dataclass(frozen=True, slots=True)
class Taken:
    """A network that was taken in.

    Attributes:
        layers: how they compare.
        report: of the model, on the data.
    """

    layers: tuple[Compared, ...]
    report: Report


def from_torch(job: Adoption, epsilon: float = EPSILON) -> Taken:
    """Take PyTorch's weights in, and write `model.keras` with its `report.json` as a fit does.

    Args:
        job: as for a Keras model; `job.model` is the file of weights.
        epsilon: of the normalisations.

    Raises:
        ConfigError: PyTorch is not installed, or what `adopt` refuses.
        PermanentError: no weights, of another network, or Keras and PyTorch answer differently; nothing is written.
    """
    network = recognise(read_tensors(job.model), str(job.model), epsilon)
    model = to_keras(network)
    layers = tuple(compare(network, model, job.expects))
    for layer in layers:
        # put so that a NaN is refused as well
        if not layer.difference <= layer.allowed:
            raise PermanentError(
                f"{job.model}: Keras and PyTorch differ from the layer {layer.layer} on, by {layer.difference:.2e} of "
                f"values up to {layer.peak:.3g}; expected {layer.allowed:.1e} at most. Nothing was written; report "
                "this as a fault of the conversion"
            )
    return Taken(layers, adopt(job, model))


def compare(network: Network, model: Any, expects: Expects) -> Iterator[Compared]:
    """Ask PyTorch and Keras about the same chips.

    Args:
        network: PyTorch's.
        model: `to_keras(network)`; each of its layers is looked at.
        expects: what the network was trained on; the scaling is the first layer looked at.
    """
    size, _, channels = network.shape
    chips = golden_chips(size, channels)
    ask = _keras(model, expects)
    found: dict[str, Compared] = {}
    for start in range(0, len(chips), AT_ONCE):
        some = chips[start : start + AT_ONCE]
        ours, theirs = ask(some), dict(answers(network, some, expects))
        theirs["whole"] = theirs["logits"]
        for layer, values in theirs.items():
            before = found.get(layer)
            # np.maximum, unlike max, hands a NaN on
            difference = np.maximum(np.abs(ours[layer] - values).max(), before.difference if before else 0)
            peak = np.maximum(np.abs(values).max(), before.peak if before else 0)
            found[layer] = Compared(layer, values.shape[1:], float(difference), float(peak))
    yield from found.values()


def _keras(model: Any, expects: Expects) -> Callable[[Pixels], dict[str, NDArray[np.float32]]]:
    """What gives Keras' output of each layer by its name, and the wrapped model's as "whole"."""
    import keras  # noqa: PLC0415

    wrapped = wrap(model, expects)
    scale = wrapped.get_layer("scale").output
    # a layer of the model inside has its output on scaled pixels only
    inside = keras.Model(model.input, {layer.name: layer.output for layer in model.layers})
    whole = keras.Model(wrapped.input, {**inside(scale), "scale": scale, "whole": wrapped.output})

    def ask(chips: Pixels) -> dict[str, NDArray[np.float32]]:
        return {name: np.asarray(values) for name, values in whole.predict_on_batch(chips.astype(np.float32)).items()}

    return ask
