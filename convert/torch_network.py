"""Recognises a network in PyTorch's weights: by the order and the shapes of its tensors, not by its layers' names."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isqrt
from typing import NoReturn, TypeAlias

import numpy as np
from numpy.typing import NDArray

from edge.errors import PermanentError

Tensors: TypeAlias = Mapping[str, NDArray[np.float32]]
"""Of a state dict, by name, in its order."""

EXPECTED = (
    "blocks of Conv2d 3×3 and BatchNorm2d from 1 or 3 channels on, each followed by ReLU and MaxPool2d 2, then Linear, "
    "BatchNorm1d and Linear"
)
LEAVES = ("weight", "bias", "running_mean", "running_var")
TOLD = 6
"""Layers that a message names before it breaks off."""

SIDES_PX = (16, 1024)
"""Of chips that data can be read as."""


@dataclass(frozen=True, slots=True, eq=False)
class Affine:
    """A convolution or a linear layer.

    Attributes:
        weight: float32 (out, in, 3, 3) or (out, in), as in PyTorch.
        bias: float32 (out,); None: it has none.
    """

    weight: NDArray[np.float32]
    bias: NDArray[np.float32] | None


@dataclass(frozen=True, slots=True, eq=False)
class Norm:
    """A batch normalisation, each float32 (channels,)."""

    gamma: NDArray[np.float32]
    beta: NDArray[np.float32]
    mean: NDArray[np.float32]
    variance: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """A layer and its normalisation; a ReLU follows, and behind a convolution the pooling."""

    affine: Affine
    norm: Norm


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """Convolution blocks, a hidden linear layer, and the one that gives the logits.

    Attributes:
        blocks: of convolutions; each halves the side.
        dense: the hidden layer; it takes the last block's output flattened as (C, H, W).
        logits: the last layer.
        side_px: of the last block's output.
        epsilon: of all normalisations; a state dict does not say it.
    """

    blocks: tuple[Block, ...]
    dense: Block
    logits: Affine
    side_px: int
    epsilon: float

    @property
    def shape(self) -> tuple[int, int, int]:
        """(S, S, C) of the chips."""
        size = self.side_px * 2 ** len(self.blocks)
        return size, size, self.blocks[0].affine.weight.shape[1]

    @property
    def classes(self) -> int:
        """Number of logits."""
        return len(self.logits.weight)


@dataclass(frozen=True, slots=True, eq=False)
class _Module:
    """The tensors that share a name up to its last dot."""

    name: str
    tensors: Tensors

    @property
    def kind(self) -> str:
        if not set(self.tensors) <= set(LEAVES):
            return "another"
        weight = self.tensors.get("weight")
        if weight is None or weight.ndim == 1:
            return "norm"
        return {2: "linear", 4: "conv"}.get(weight.ndim, "another")

    def told(self) -> str:
        shape = "×".join(map(str, next(iter(self.tensors.values())).shape)) or "one number"
        return f"{self.name or next(iter(self.tensors))} ({shape})"


def recognise(tensors: Tensors, source: str, epsilon: float) -> Network:
    """The network that the weights belong to.

    Args:
        tensors: of the state dict.
        source: of the weights, for messages.
        epsilon: of the normalisations.

    Raises:
        PermanentError: it is another network, statistics are missing, or weights are not finite numbers.
    """
    modules = _modules(tensors)
    by_kind = {kind: [each for each in modules if each.kind == kind] for kind in ("conv", "norm", "linear", "another")}
    convolutions, norms, linear = by_kind["conv"], by_kind["norm"], by_kind["linear"]
    if by_kind["another"] or not convolutions or len(linear) != 2 or not norms:
        _another(source, modules)
    for norm in norms:
        missing = [name for name in ("running_mean", "running_var") if name not in norm.tensors]
        if missing:
            raise PermanentError(
                f"{source}: {norm.told()} has no {' and no '.join(missing)}; expected BatchNorm with its statistics, "
                "that is with track_running_stats, and the whole state dict"
            )
    if len(norms) != len(convolutions) + 1:
        _another(source, modules)
    _refuse_broken(tensors, norms, source)
    blocks = []
    channels: int | None = None
    for convolution, norm in zip(convolutions, norms, strict=False):
        block = _block(convolution, norm, source)
        outputs, inputs, *kernel = block.affine.weight.shape
        if kernel != [3, 3] or inputs not in ((1, 3) if channels is None else (channels,)):
            wanted = "1 or 3" if channels is None else str(channels)
            raise PermanentError(
                f"{source}: {convolution.told()}; expected a kernel of (out, in, 3, 3) with {wanted} channels in; the "
                f"network that is taken in has {EXPECTED}"
            )
        channels = outputs
        blocks.append(block)
    dense, logits = _block(linear[0], norms[-1], source), _affine(linear[1], source)
    side_px = _side(linear[0], channels or 1, len(blocks), source)
    if logits.weight.shape[1] != len(dense.affine.weight):
        raise PermanentError(
            f"{source}: {linear[1].told()} follows {linear[0].told()}; expected it to take the "
            f"{len(dense.affine.weight)} values that the other gives"
        )
    return Network(tuple(blocks), dense, logits, side_px, epsilon)


def _modules(tensors: Tensors) -> tuple[_Module, ...]:
    grouped: dict[str, dict[str, NDArray[np.float32]]] = {}
    for name, tensor in tensors.items():
        module, _, leaf = name.rpartition(".")
        grouped.setdefault(module, {})[leaf] = tensor
    return tuple(_Module(name, leaves) for name, leaves in grouped.items())


def _block(module: _Module, norm: _Module, source: str) -> Block:
    affine, outputs = _affine(module, source), len(module.tensors["weight"])
    for name in norm.tensors:
        _refuse_shape(norm, name, (outputs,), f"the BatchNorm behind {module.told()}", source)
    ones, zeros = np.ones(outputs, np.float32), np.zeros(outputs, np.float32)
    found = norm.tensors  # without weight and bias where it was made with affine=False
    return Block(
        affine,
        Norm(found.get("weight", ones), found.get("bias", zeros), found["running_mean"], found["running_var"]),
    )


def _affine(module: _Module, source: str) -> Affine:
    weight = module.tensors["weight"]
    if "bias" in module.tensors:
        _refuse_shape(module, "bias", weight.shape[:1], "one for each output", source)
    return Affine(weight, module.tensors.get("bias"))


def _refuse_shape(module: _Module, name: str, expected: tuple[int, ...], what: str, source: str) -> None:
    found = module.tensors[name].shape
    if found != expected:
        raise PermanentError(f"{source}: {module.name}.{name} is {found}, expected {expected}, {what}")


def _side(linear: _Module, channels: int, halved: int, source: str) -> int:
    """Side of the feature map that the first linear layer takes, in px."""
    inputs = linear.tensors["weight"].shape[1]
    side = isqrt(inputs // channels)
    least, most = SIDES_PX
    if side * side * channels != inputs or not least <= side * 2**halved <= most:
        raise PermanentError(
            f"{source}: {linear.told()} takes {inputs} values, expected {channels} channels of a square map that "
            f"{halved} poolings leave of a picture of {least} to {most} px; for 224 px that is "
            f"{channels * (224 // 2**halved) ** 2}"
        )
    return side


def _refuse_broken(tensors: Tensors, norms: Iterable[_Module], source: str) -> None:
    broken = [name for name, tensor in tensors.items() if not np.isfinite(tensor).all()]
    if broken:
        raise PermanentError(
            f"{source}: NaN or infinite weights in {', '.join(broken)}, expected finite ones; its training failed, "
            "take an earlier checkpoint"
        )
    for norm in norms:
        least = float(norm.tensors["running_var"].min())
        if least < 0:
            raise PermanentError(f"{source}: {norm.name}.running_var holds {least:g}, expected variances of 0 and more")


def _another(source: str, modules: Sequence[_Module]) -> NoReturn:
    names = ", ".join(module.told() for module in modules[:TOLD])
    more = f" and {len(modules) - TOLD} more" if len(modules) > TOLD else ""
    raise PermanentError(
        f"{source} holds the weights of another network: {names or 'no weights'}{more}; expected {EXPECTED}"
    )
