"""What a runtime has to know of a model before it may use it: its card says it, or the configuration has to."""

import math
from collections.abc import Iterator
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from edge.contract.card import ModelCard
from edge.contract.chip import ChipSpec
from edge.types import UNCERTAIN

Output = Literal["logits", "probabilities"]


class Contract(msgspec.Struct, frozen=True, kw_only=True):
    """Everything between a face and its probabilities that the tensors do not tell.

    Attributes:
        labels: class names in the order of the outputs.
        chip: what the model wants to see.
        scale: `real = pixel * scale + offset` is what the input tensor means.
        offset: likewise.
        output: whether the outputs are logits or probabilities already.
        temperature: logits are divided by it before the softmax.
    """

    labels: tuple[str, ...]
    chip: ChipSpec
    scale: float
    offset: float
    output: Output
    temperature: float


class GivenContract(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the configuration says of a model. What has no default here cannot be guessed.

    Attributes:
        labels: class names in the order of the outputs.
        output: whether the outputs are logits or probabilities already.
        scale: `real = pixel * scale + offset` is what the model expects; 1 for 0..255, 1/255 for 0..1.
        offset: likewise; -1 with a scale of 1/127.5 for -1..1.
        size: side of the chip in px; null: the tensor's.
        channels: 1 (grey) or 3 (RGB); null: the tensor's.
        margin: of the chip, see `ChipSpec`; null: 1.
        resize: of the chip, see `ChipSpec`; null: `area`.
        temperature: logits are divided by it; null: 1.
        model: path or name of the file this is for; empty: every model without a contract of its own.
    """

    labels: Annotated[tuple[str, ...], Meta(min_length=2)]
    output: Output
    scale: float
    offset: float
    size: Annotated[int, Meta(ge=1, le=4096)] | None = None
    channels: Literal[1, 3] | None = None
    margin: Annotated[float, Meta(gt=0.0, le=10.0)] | None = None
    resize: Literal["area", "linear"] | None = None
    temperature: Annotated[float, Meta(gt=0.0)] | None = None
    model: str = ""

    def __post_init__(self) -> None:
        if "" in self.labels or UNCERTAIN in self.labels or len(set(self.labels)) < len(self.labels):
            raise ValueError(f"labels are {', '.join(self.labels)}; expected each once, none empty or {UNCERTAIN!r}")
        if not (math.isfinite(self.scale) and math.isfinite(self.offset) and self.scale):
            raise ValueError(f"scale is {self.scale} and offset {self.offset}; expected finite numbers, scale not 0")
        if self.temperature is not None and not (self.output == "logits" and math.isfinite(self.temperature)):
            raise ValueError(f"temperature is {self.temperature}; it divides logits: leave it out for probabilities")

    def settled(self, size: int, channels: Literal[1, 3]) -> Contract:
        """With the tensor's size and channels, and what is usual, where nothing was said."""
        chip = ChipSpec(
            size=self.size or size,
            channels=self.channels or channels,
            margin=self.margin or 1.0,
            resize=self.resize or "area",
        )
        return Contract(
            labels=self.labels,
            chip=chip,
            scale=self.scale,
            offset=self.offset,
            output=self.output,
            temperature=self.temperature or 1.0,
        )

    def contradictions(self, contract: Contract) -> Iterator[str]:
        """What was said here and is otherwise in `contract`, that of a card."""
        found: dict[str, object] = {**msgspec.structs.asdict(contract), **msgspec.structs.asdict(contract.chip)}
        for name, said in msgspec.structs.asdict(self).items():
            if said is None or name == "model":
                continue
            other = found[name]
            if isinstance(said, float) and isinstance(other, float):
                same = math.isclose(said, other, rel_tol=1e-3, abs_tol=1e-6)
            else:
                same = said == other
            if not same:
                yield f"{name} {shown(said)} instead of the card's {shown(other)}"


def shown(value: object) -> str:
    """A value of a contract in a message."""
    return ", ".join(map(str, value)) if isinstance(value, tuple) else f"{value}"


def contract_of(card: ModelCard) -> Contract:
    """What a card says of it."""
    return Contract(
        labels=card.labels,
        chip=card.chip,
        scale=card.input.scale,
        offset=card.input.offset,
        output=card.output,
        temperature=card.temperature,
    )
