"""The verdict of the gate: what is suspected by one measurement, and what another one confirms."""

from collections.abc import Callable, Mapping

import msgspec

from benchmarks.gate.found import Found, Verdict
from benchmarks.gate.sides import Row
from benchmarks.gate.stats import Paired, ratio

MISS = 0.05
"""How probable a bound may be wrong, for one row; for all rows that are suspected together, where they are judged."""
LOOKS = 3
"""At most so many measurements to settle a suspicion, each as long as the first."""
Measured = Mapping[Row, Paired]


def shared(measured: Measured) -> dict[Row, Paired]:
    """Those that both sides have."""
    return {row: paired for row, paired in measured.items() if all(paired.sides())}


def only(measured: Measured, side: int) -> tuple[str, ...]:
    """Names of the stages that only the first (0) or the second (1) has."""
    wanted = (side == 0, side == 1)
    return tuple(dict.fromkeys(stage for (_, stage), paired in measured.items() if paired.sides() == wanted))


def looked(measured: Measured, tolerance: float) -> dict[Row, Found]:
    """What the first measurement says; slower ones are only suspected, as "once slower"."""
    found = {}
    for (clip, stage), paired in shared(measured).items():
        r = ratio(paired, MISS)
        verdict: Verdict = ""
        if r.middle > 1 + tolerance:
            verdict = "once slower"
        elif r.high < 1 / (1 + tolerance):
            verdict = "better"
        found[clip, stage] = Found(clip, stage, r, verdict)
    return found


def confirmed(
    suspects: Mapping[Row, Found], measure: Callable[[], Measured], tolerance: float
) -> tuple[dict[Row, Found], int]:
    """What measurements of their own say of the suspected: the more there are, the surer it has to be.

    As long as one seems slower and it is not sure, up to `LOOKS` measurements are made and taken together.

    Returns:
        the suspected, judged, and how many pairs of processes that took.
    """
    # none: it did not run this time
    again: dict[Row, Paired] = {}
    found = dict(suspects)
    for look in range(LOOKS):
        more = shared(measure())
        again = {
            row: again[row].joined(paired) if look else paired
            for row, paired in more.items()
            if row in again or not look
        }
        ratios = {row: ratio(again[row], MISS / len(suspects) / LOOKS) for row in suspects if row in again}
        for row, r in ratios.items():
            verdict: Verdict = "worse" if r.low > 1 + tolerance else "once slower"
            found[row] = msgspec.structs.replace(suspects[row], ratio=r, verdict=verdict)
        if all(found[row].verdict == "worse" or r.middle <= 1 + tolerance for row, r in ratios.items()):
            break
    return found, most_pairs(again)


def most_pairs(measured: Measured) -> int:
    """Of processes."""
    return max((len(paired.before) for paired in measured.values()), default=0)
