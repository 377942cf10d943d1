"""What a loader lets its caller choose. Plain data, so that it can be a table `[data.options]` of a recipe."""

import hashlib
from typing import Annotated, Literal

import msgspec

from training.data.dataset import CHIP_SIDE_PX


class LoaderOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a source becomes chips and labels. The defaults are what FER2013 and the shipped model are.

    Attributes:
        classes: what a class of the source is called here: renames (`Joy = "happy"`), merges (two to one name), names
            numbers (`"3" = "happy"`), drops (`contempt = ""`). Classes that are not in it keep their names.
        labels: the class names, in the order the model shall have; empty: FER2013's own that occur, in FER2013's
            order, then others by the alphabet.
        validation_share: of each class, taken for the split "Validation" where the source has no split of its own.
        seed: of that choice.
        size: side of the chips in px.
        channels: 1 (grey) or 3 (RGB, red first).
    """

    classes: dict[str, str] = {}
    labels: tuple[str, ...] = ()
    validation_share: Annotated[float, msgspec.Meta(gt=0, le=0.9)] = 0.1
    seed: Annotated[int, msgspec.Meta(ge=0)] = 1
    size: Annotated[int, msgspec.Meta(ge=16, le=1024)] = CHIP_SIDE_PX
    channels: Literal[1, 3] = 1

    def __post_init__(self) -> None:
        if len(set(self.labels)) < len(self.labels) or "" in self.labels:
            raise ValueError(f"labels = {list(self.labels)}: expected names, each once")

    def key(self) -> str:
        """Names these options within file names of the cache; empty for the defaults."""
        if self == DEFAULTS:
            return ""
        return hashlib.sha256(msgspec.json.encode(self, order="sorted")).hexdigest()[:16]


DEFAULTS = LoaderOptions()
