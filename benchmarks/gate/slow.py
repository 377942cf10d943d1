"""Slows one stage down, to see whether the gate notices.

The function behind the stage is wrapped: after each call it spins, doing nothing useful, for a given share of the time
that the call took. Runs inside the process that is measured; imports nothing of `benchmarks`.
"""

import importlib
from collections.abc import Callable
from functools import wraps
from typing import Any

START, WHOLE = "start", "whole frame"
PLACES: dict[str, tuple[str, ...]] = {
    "decode": ("edge.bench.clip:Clip.frame",),
    "decide": ("edge.policy:Lookout.decide",),
    "detect": ("edge.searching:Searcher.find",),
    "track": ("edge.tracker:advance",),
    "chip": ("edge.pipeline:Pipeline._cut", "edge.pipeline:Pipeline._doubt"),
    "classify": ("edge.classifier:TfliteClassifier.classify",),
    "draw": ("edge.annotate:Annotator.draw",),
    "encode": ("edge.encode:encode_jpeg",),
}
"""The functions behind each stage: module, then the name in it."""
STAGES = (*PLACES, WHOLE, START)
"""What can be slowed down: the last two are all stages at once, and starting."""

Clock = Callable[[], int]


def slow(stage: str, share: float, clock: Clock) -> None:
    """Slow a stage down. To be called before `edge.bench` is imported.

    Args:
        stage: one of `STAGES`; nothing is done yet for `START`.
        share: of what a call took, to spin after it; 0: only the wrapper is there, which costs a little itself.
        clock: nanoseconds; one that is cheap to ask, so that short calls are not slowed by more.

    Raises:
        LookupError: this tree has no function of that name.
    """
    places = [place for each in PLACES.values() for place in each] if stage == WHOLE else PLACES.get(stage, ())
    for place in places:
        _wrap(place, lambda function: _slower(function, share, clock))


def spin(until_ns: int, clock: Clock) -> None:
    """Do nothing useful."""
    while clock() < until_ns:
        pass


def _slower(function: Callable[..., Any], share: float, clock: Clock) -> Callable[..., Any]:
    @wraps(function)
    def wrapped(*given: Any, **named: Any) -> Any:
        start_ns = clock()
        result = function(*given, **named)
        end_ns = clock()
        spin(end_ns + int(share * (end_ns - start_ns)), clock)
        return result

    return wrapped


def _wrap(place: str, wrapper: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    module, _, path = place.partition(":")
    owner: Any = importlib.import_module(module)
    *owners, name = path.split(".")
    for each in owners:
        owner = getattr(owner, each, None)
    function = getattr(owner, name, None)
    if function is None:
        raise LookupError(f"{module} has no {path}: benchmarks/gate/slow.py names a function that is no longer there")
    if isinstance(vars(owner).get(name), staticmethod):
        raise LookupError(f"{module} has {path} as a static method; expected a function or a method")
    setattr(owner, name, wrapper(function))
