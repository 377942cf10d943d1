"""What each network family lets a recipe choose. Plain data: no deep-learning library is met here."""

from typing import Annotated, Literal

import msgspec

Width = Annotated[int, msgspec.Meta(ge=1, le=1024)]
Depth = Annotated[int, msgspec.Meta(ge=1, le=32)]
Dropped = Annotated[float, msgspec.Meta(ge=0, lt=1)]

Scaling = Literal["unit", "symmetric"]
"""What the first layer makes of 0..255: `unit` is x/255, in [0, 1]; `symmetric` is (x/255 − 0.5)/0.5, in [−1, 1]."""


class QaRepVgg(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="family", tag="qarepvgg"):
    """Plain 3×3 convolutions, over-parametrised while training.

    Attributes:
        stem: channels of the first convolution, which halves the picture.
        stages: (channels, blocks) of each stage; the first block of every stage but the first halves the picture.
        dropout: share of the features dropped before the last layer, while training.
    """

    stem: Width = 16
    stages: tuple[tuple[Width, Depth], ...] = ((32, 2), (64, 2), (128, 3), (192, 1))
    dropout: Dropped = 0.3


class StackedCnn(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="family", tag="stacked-cnn"):
    """Blocks of 3×3 convolutions that each end in a 2×2 max-pooling, then a hidden dense layer.

    Attributes:
        filters: channels of each block.
        convolutions: in each block.
        padding: "valid" loses the outermost pixels at every convolution, "same" pads with zeros.
        normalised: batch normalisation between each convolution (and the hidden dense layer) and its activation.
        activation: "leaky-relu" has the slope 0.1 below zero.
        block_dropout: share of the values dropped after each block, while training.
        spatial: drop whole channels there (Tompson et al. 2015, "SpatialDropout").
        dense: width of the hidden layer.
        dropout: share of its values dropped.
        scaling: of the pixels.
    """

    filters: Annotated[tuple[Width, ...], msgspec.Meta(min_length=1)] = (32, 64, 128)
    convolutions: Annotated[int, msgspec.Meta(ge=1, le=4)] = 1
    padding: Literal["valid", "same"] = "valid"
    normalised: bool = False
    activation: Literal["relu", "leaky-relu"] = "relu"
    block_dropout: Dropped = 0.25
    spatial: bool = False
    dense: Width = 256
    dropout: Dropped = 0.5
    scaling: Scaling = "unit"


class MiniXception(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="family", tag="mini-xception"):
    """Residual modules of depthwise-separable convolutions, no dense layer.

    Attributes:
        stem: channels of the two convolutions at the beginning.
        modules: channels of each residual module; every one halves the picture.
        scaling: of the pixels.
    """

    stem: Width = 8
    modules: Annotated[tuple[Width, ...], msgspec.Meta(min_length=1)] = (16, 32, 64, 128)
    scaling: Scaling = "symmetric"


NetworkSettings = QaRepVgg | StackedCnn | MiniXception
"""The union of all families' settings; the key `family` tells which."""
