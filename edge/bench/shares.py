"""Where a frame's time goes: which of it is native calls, and which is ours. Pure."""

from collections.abc import Sequence

import msgspec

from edge.bench.timing import Mix, typical_ns

REST = "publish"
"""What a frame takes beyond its stages."""


class Part(msgspec.Struct, frozen=True):
    """Where a frame's time goes: one stage, in milliseconds a frame over all frames, those without it included.

    Attributes:
        stage: which.
        native_ms: its native calls alone, as the floor has them.
        ours_ms: all else in it: what would be gained if it took no time. Below 0 where the difference is noise.
    """

    stage: str
    native_ms: float
    ours_ms: float


def parts_of(
    wholes: Sequence[int], stages: Sequence[dict[str, int]], natives: Sequence[dict[str, int]], mixes: Sequence[Mix]
) -> tuple[Part, ...]:
    """Splits a frame into its stages, and each of these into native calls and the rest.

    Args:
        wholes: of each frame, nanoseconds of all of it.
        stages: of each frame, nanoseconds by stage.
        natives: of each frame, nanoseconds of native calls by the stage that makes them.
        mixes: what each frame consists of.
    """
    parts = []
    for stage in names_of(stages):
        all_ns = typical_ns([each.get(stage, 0) for each in stages], mixes)
        native_ns = typical_ns([each.get(stage, 0) for each in natives], mixes)
        parts.append(Part(stage, round(native_ns / 1e6, 4), round((all_ns - native_ns) / 1e6, 4)))
    rest_ns = typical_ns([whole - sum(each.values()) for whole, each in zip(wholes, stages, strict=True)], mixes)
    return (*parts, Part(REST, 0.0, round(rest_ns / 1e6, 4)))


def names_of(stages: Sequence[dict[str, int]]) -> list[str]:
    """Of all stages that occur, in the order in which a frame goes through them."""
    longest = max(stages, key=len)
    return [*longest, *dict.fromkeys(name for each in stages for name in each if name not in longest)]
