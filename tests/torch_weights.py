"""Weights as PyTorch's state dicts hold them, drawn at random: NumPy only."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Weights = dict[str, NDArray[np.float32]]

CHANNELS = (1, 4, 6, 8)


def state(
    side: int = 16,
    channels: tuple[int, ...] = CHANNELS,
    dense: int = 5,
    classes: int = 7,
    prefix: str = "",
    bias: bool = True,
    seed: int = 0,
) -> Weights:
    """Conv-BatchNorm blocks named conv1, bn1, …, then fc1, bn_fc, fc2."""
    random = np.random.default_rng(seed)
    found: Weights = {}

    def affine(name: str, shape: tuple[int, ...], bias: bool) -> None:
        spread = (2 / np.prod(shape[1:])) ** 0.5
        found[f"{prefix}{name}.weight"] = random.normal(0, spread, shape).astype(np.float32)
        if bias:
            found[f"{prefix}{name}.bias"] = random.normal(0, 0.3, shape[0]).astype(np.float32)

    def norm(name: str, width: int) -> None:
        for leaf, low, high in (("weight", 0.5, 1.5), ("bias", -1, 1), ("running_mean", -1, 1), ("running_var", 0, 2)):
            found[f"{prefix}{name}.{leaf}"] = random.uniform(low, high, width).astype(np.float32)

    for number, (inputs, outputs) in enumerate(pairwise(channels), start=1):
        affine(f"conv{number}", (outputs, inputs, 3, 3), bias)
        norm(f"bn{number}", outputs)
    last = side // 2 ** (len(channels) - 1)
    affine("fc1", (dense, channels[-1] * last**2), bias)
    norm("bn_fc", dense)
    affine("fc2", (classes, dense), True)
    return found


def logits(weights: Weights, pictures: NDArray[np.float32]) -> NDArray[np.float64]:
    """What the network gives for scaled pictures (N, C, S, S), worked out from the formulas: (N, classes)."""
    x = pictures.astype(np.float64)
    blocks = sum(name.startswith("conv") for name in weights) // (2 if "conv1.bias" in weights else 1)
    for number in range(1, blocks + 1):
        x = np.maximum(_norm(weights, f"bn{number}", _convolved(weights, f"conv{number}", x)), 0)
        n, c, height, width = x.shape
        x = x.reshape(n, c, height // 2, 2, width // 2, 2).max(axis=(3, 5))
    x = x.reshape(len(x), -1) @ weights["fc1.weight"].T + weights.get("fc1.bias", 0)
    return np.maximum(_norm(weights, "bn_fc", x), 0) @ weights["fc2.weight"].T + weights["fc2.bias"]


def _convolved(weights: Weights, name: str, x: NDArray[np.float64]) -> NDArray[np.float64]:
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1))), (3, 3), (2, 3))
    bias = weights.get(f"{name}.bias", np.zeros(1))
    return np.einsum("nchwij,ocij->nohw", windows, weights[f"{name}.weight"]) + bias[:, None, None]


def _norm(weights: Weights, name: str, x: NDArray[np.float64]) -> NDArray[np.float64]:
    shape = (-1, 1, 1) if x.ndim == 4 else (-1,)
    mean, variance, gamma, beta = (
        weights[f"{name}.{leaf}"].astype(np.float64).reshape(shape)
        for leaf in ("running_mean", "running_var", "weight", "bias")
    )
    return (x - mean) / np.sqrt(variance + 1e-5) * gamma + beta
