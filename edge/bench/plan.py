"""How long each part of the measuring may take: in time, not in numbers of frames, so that slow boards keep to it."""

from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Plan:
    """Seconds of each part; what prepares them, and parts that need a least number of rounds, come on top.

    Attributes:
        clip_frames: how much of the clip is shown.
        whole_s: stages and whole frames in one thread, with their floor.
        served_rounds: how often the program and its floor take turns, once at least.
        span_s: of each turn of the program.
        starts: how often the program is started at most.
        starts_s: after which it is not started again.
        viewing_rounds: how often a viewer comes and goes.
        factor_s: each factor that one thread shows; 0: none is varied.
        factor_frames: how much of the clip is shown for it.
        crowd_rounds: how often each number of viewers has its turn; 0: none.
    """

    clip_frames: int
    whole_s: float
    served_rounds: int
    span_s: float
    starts: int
    starts_s: float
    viewing_rounds: int
    factor_s: float
    factor_frames: int
    crowd_rounds: int


FULL = Plan(
    clip_frames=300,
    whole_s=45.0,
    served_rounds=12,
    span_s=2.5,
    starts=9,
    starts_s=45.0,
    viewing_rounds=8,
    factor_s=16.0,
    factor_frames=150,
    crowd_rounds=4,
)
"""Five to seven minutes."""
QUICK = Plan(
    clip_frames=90,
    whole_s=3.0,
    served_rounds=3,
    span_s=1.0,
    starts=2,
    starts_s=5.0,
    viewing_rounds=2,
    factor_s=0.8,
    factor_frames=60,
    crowd_rounds=1,
)
"""Under a minute."""
_ONCE: dict[str, Any] = {
    "starts": 0,
    "starts_s": 0.0,
    "viewing_rounds": 0,
    "factor_s": 0.0,
    "factor_frames": 0,
    "crowd_rounds": 0,
}
BRIEF = replace(FULL, whole_s=20.0, served_rounds=8, **_ONCE)
"""What differs from clip to clip."""
BRIEF_QUICK = replace(QUICK, whole_s=1.5, served_rounds=1, **_ONCE)
"""The same, fast."""
