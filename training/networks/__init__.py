"""Network families. A new one is its settings in `settings`, a module with `build` and `fold`, and one line here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from training.networks import qarepvgg
from training.networks.settings import NetworkSettings, QaRepVgg


@dataclass(frozen=True, slots=True)
class Family:
    """What a network family can do.

    Attributes:
        build: (settings, side_px, classes, precision) to the Keras model that is trained: raw 0..255 in, logits out.
        fold: trained model to one of built-in float32 layers with the same function.
    """

    build: Callable[[Any, int, int, str], Any]
    fold: Callable[[Any], Any]


FAMILIES: Mapping[type[NetworkSettings], Family] = MappingProxyType(
    {QaRepVgg: Family(build=qarepvgg.build, fold=qarepvgg.fold)}
)
"""By the type of their settings."""
