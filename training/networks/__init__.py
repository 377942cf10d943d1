"""Network families. A new one is its settings in `settings`, a module with `build`, and one line here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from training.networks import layers, mini_xception, qarepvgg, stacked
from training.networks.settings import MiniXception, NetworkSettings, QaRepVgg, StackedCnn

ChipShape = tuple[int, int, int]
"""(S, S, C): side in px, side in px, 1 for grey or 3 for RGB."""


@dataclass(frozen=True, slots=True)
class Family:
    """What a network family can do.

    Attributes:
        build: (settings, chip shape, classes, precision) to the Keras model that is trained: raw 0..255 in, logits out.
        fold: trained model to one of built-in float32 layers with the same function.
        origin: of the family, for recipes that do not say more.
    """

    build: Callable[[Any, ChipShape, int, str], Any]
    fold: Callable[[Any], Any] = layers.plain
    origin: str = ""


FAMILIES: Mapping[type[NetworkSettings], Family] = MappingProxyType(
    {
        QaRepVgg: Family(
            qarepvgg.build, qarepvgg.fold, "this project's; blocks after Chu et al., AAAI 2024 (QARepVGG)"
        ),
        StackedCnn: Family(stacked.build, origin="convolution blocks and a dense layer; no paper"),
        MiniXception: Family(mini_xception.build, origin="Arriaga et al. 2017, arXiv:1710.07557"),
    }
)
"""By the type of their settings."""
