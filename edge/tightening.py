"""Which change of the settings tells no more than before: the only one that is allowed while the program runs."""

from collections.abc import Iterable

from edge.config import PrivacyConfig, Region
from edge.privacy import stricter

ROUNDING = 1e-9
"""In shares of a picture: 0.1 + 0.2 is a little more than 0.3."""


def loosened(now: PrivacyConfig, new: PrivacyConfig) -> tuple[str, ...]:
    """By which keys of `[privacy]` `new` would tell more than `now`, in words; empty if it tells no more.

    A mask may be added or enlarged, not moved or taken away. A longer period of aggregation tells less of each person.
    """
    found = []
    if not stricter(now.video, new.video):
        found.append(f"video: {new.video} shows more than {now.video}")
    if any(not _covered(mask, new.masks) for mask in now.masks):
        found.append("masks: a region would be seen that is blacked out now")
    if now.events == "aggregate" and new.events != "aggregate":
        found.append("events: records of single faces tell more than aggregates")
    if now.events == "aggregate" and new.aggregate_s < now.aggregate_s:
        found.append(f"aggregate_s: {new.aggregate_s:g} s tells more than {now.aggregate_s:g} s")
    return tuple(found)


def _covered(mask: Region, others: Iterable[Region]) -> bool:
    """Whether one of `others` covers all of `mask`."""
    x, y, w, h = mask
    return any(
        left <= x and top <= y and left + width + ROUNDING >= x + w and top + height + ROUNDING >= y + h
        for left, top, width, height in others
    )
