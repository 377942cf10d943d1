"""What is to be done with files that are analysed on request."""

import hashlib
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from edge import __version__
from edge.analyzer import MAX_MEGAPIXELS, THRESHOLD
from edge.config import Config, Share

Codec = Literal["vp8", "vp9"]
Format = Literal["jsonl", "csv"]


class BatchSettings(msgspec.Struct, frozen=True, kw_only=True):
    """One snapshot; can be written as JSON and read by another process.

    Attributes:
        config: its `detector` and `expression` count, but for `expression.threshold`.
        threshold: below this confidence a face is `uncertain`.
        whole: whether a picture without a face is taken as one; of videos it does not count.
        annotate: whether pictures and videos with boxes and labels are written.
        video: how much of the picture annotated videos show, see `PrivacyConfig.video`.
        codec: of the annotated video; VP9 makes smaller files and takes seven times as long.
        save_chips: whether what the model saw of each face is written.
        formats: of the records.
        max_megapixels: larger pictures and films are refused.
        max_minutes: longer films are refused, or cut off if they do not tell their length; 0: no limit.
        segment_s: films are cut into pieces of about that length, each analysed by itself; 0: they are not.
    """

    config: Config = Config()
    threshold: Share = THRESHOLD
    whole: bool = False
    annotate: bool = False
    video: Literal["full", "blurred", "boxes"] = "full"
    codec: Codec = "vp8"
    save_chips: bool = False
    formats: Annotated[tuple[Format, ...], Meta(min_length=1)] = ("jsonl",)
    max_megapixels: Annotated[float, Meta(gt=0.0)] = MAX_MEGAPIXELS
    max_minutes: Annotated[float, Meta(ge=0.0)] = 0.0
    segment_s: Annotated[float, Meta(ge=0.0)] = 0.0

    def fingerprint(self) -> str:
        """The same for settings that give the same results, also in another run."""
        expression = self.config.expression
        named = [
            model
            for models in (expression.model, expression.still_model)
            for model in ((models,) if isinstance(models, str) else models)
        ]
        content = msgspec.json.encode(
            (
                __version__,
                self.config.detector,
                msgspec.structs.replace(expression, threshold=self.threshold),
                [_identity(Path(model)) for model in named],
                msgspec.structs.replace(self, config=Config()),
            )
        )
        return hashlib.sha256(content).hexdigest()[:16]


def _identity(model: Path) -> tuple[int, int] | None:
    """What changes when a file is replaced; None for one that comes with the program."""
    try:
        status = model.stat()
    except OSError:
        return None
    return (status.st_size, status.st_mtime_ns) if model.is_file() else None
