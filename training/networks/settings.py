"""What each network family lets a recipe choose. Plain data: no deep-learning library is met here."""

from typing import Annotated

import msgspec

Width = Annotated[int, msgspec.Meta(ge=1, le=1024)]
Depth = Annotated[int, msgspec.Meta(ge=1, le=32)]


class QaRepVgg(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="family", tag="qarepvgg"):
    """Plain 3×3 convolutions, over-parametrised while training.

    Attributes:
        stem: channels of the first convolution, which halves the picture.
        stages: (channels, blocks) of each stage; the first block of every stage but the first halves the picture.
        dropout: share of the features dropped before the last layer, while training.
    """

    stem: Width = 16
    stages: tuple[tuple[Width, Depth], ...] = ((32, 2), (64, 2), (128, 3), (192, 1))
    dropout: Annotated[float, msgspec.Meta(ge=0, lt=1)] = 0.3


NetworkSettings = QaRepVgg
"""The union of all families' settings; the key `family` tells which."""
