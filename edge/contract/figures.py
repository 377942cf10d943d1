"""What a model card says in numbers: what the model costs, what it was taught with, how well it does."""

from typing import Annotated, TypedDict

import msgspec

Share = Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]
ByLabel = dict[str, Share]
"""One figure for each label."""


class Cost(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the model takes of a device.

    Attributes:
        size_b: of the model alone, in bytes, without the archive behind it.
        parameters: weights and biases, normalisations folded.
        macs: multiply-accumulates for one chip.
    """

    size_b: Annotated[int, msgspec.Meta(ge=0)]
    parameters: Annotated[int, msgspec.Meta(ge=0)] | None = None
    macs: Annotated[int, msgspec.Meta(ge=0)] | None = None


class DataFacts(TypedDict, total=False):
    """What the model was taught with: the loader's name, SHA-256 of the files, and the terms they come under."""

    name: str
    sha256: str
    terms: str


class Figures(TypedDict, total=False):
    """How well one kind of the model does, float or converted, temperature applied.

    accuracy_interval is Wilson's of 95 %; macro_f1 the unweighted mean of the classes' F1; ece the expected calibration
    error (15 equally wide bins); nll the mean negative log-likelihood of the truth, in nats.
    """

    accuracy: Share
    accuracy_interval: tuple[Share, Share]
    macro_f1: Share
    ece: Share
    nll: float
    precision: ByLabel
    recall: ByLabel
    f1: ByLabel


SplitFigures = TypedDict(
    "SplitFigures",
    {
        "n": Annotated[int, msgspec.Meta(ge=0)],
        "pictures": dict[str, int],
        "float": Figures,
        "int8": Figures,
        "int8-float-io": Figures,
        "float16": Figures,
        "dynamic": Figures,
        "float32": Figures,
        "agreement": Share,
    },
    total=False,
)
"""Figures on one split of the data: how many pictures, of each class, too; the Keras model's (`float`) and the file's,
under the name of its mode; the share of pictures that both name alike."""
