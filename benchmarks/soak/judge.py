"""From the samples of a long run to what they show."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from benchmarks.soak.found import Ages, Minute, Soak, Span
from benchmarks.soak.samples import Record, Sample
from benchmarks.soak.trend import trend
from edge.errors import PermanentError

WARM_S = 300.0
WINDOW_S = 600.0
MINUTE_S = 60.0
WHOLE_S = 1800.0
"""Of a run that is shorter, the spans above shrink in proportion."""
MOST_MINUTES = 180
"""Of a run that is longer than as many, what stands for a minute grows in proportion."""


def judged(record: Record) -> Soak:
    """Everything that follows from the samples.

    Raises:
        PermanentError: there are fewer than two.
    """
    samples = record.samples
    if len(samples) < 2:
        happened = record.end or "it was too short"
        raise PermanentError(f"the run left {len(samples)} samples, expected two at least: {happened}")
    first, last = samples[0], samples[-1]
    ran_s = last.at_s - first.at_s
    # a sample may be late
    whole = ran_s > WHOLE_S - record.start.interval_s
    shrunk = 1.0 if whole else ran_s / WHOLE_S
    warm_s, window_s = WARM_S * shrunk, WINDOW_S * shrunk
    minute_s = max(record.start.interval_s, MINUTE_S * shrunk, ran_s / MOST_MINUTES)
    minutes = tuple(_minutes(samples, minute_s, record.start.machine.cores))
    steady = [minute for minute in minutes if minute.at_min * 60 - minute_s / 2 >= warm_s - 0.1]
    hours = [minute.at_min / 60 for minute in steady]
    pictures = sum(len(sample.ages_ms) for sample in samples[1:])
    return Soak(
        start=record.start,
        end=record.end,
        ran_s=round(ran_s, 1),
        whole=whole,
        warm_s=round(warm_s, 1),
        minute_s=round(minute_s, 1),
        rss=trend(hours, [minute.rss_mib for minute in steady]),
        anon=trend(hours, [minute.anon_mib for minute in steady]),
        first=_span(samples, minutes, warm_s, warm_s + window_s),
        last=_span(samples, minutes, ran_s - window_s, ran_s),
        peak_mib=last.peak_mib,
        mapped_mib=last.mapped_mib,
        cpu_share=round((last.cpu_s - first.cpu_s) / ran_s, 4),
        fps=round(pictures / ran_s, 2),
        pictures=pictures,
        frames=last.frames - first.frames,
        skipped=_more(first.skipped, last.skipped),
        # of each connection: the first figures of a new one may be smaller
        viewer_skipped=sum(max(0, after.viewer_skipped - before.viewer_skipped) for before, after in pairwise(samples)),
        encoded=last.encoded - first.encoded,
        reconnects=last.reconnects - first.reconnects,
        events=sum(sample.events for sample in samples[1:]),
        visits=last.visits,
        lost=last.lost,
        unanswered=sum(not sample.answered for sample in samples),
        minutes=minutes,
    )


def _more(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    more = Counter(after)
    more.subtract(before)
    return {reason: count for reason, count in sorted(more.items()) if count}


def _minutes(samples: Sequence[Sample], minute_s: float, cores: int) -> Iterator[Minute]:
    """Each sample but the first tells of the interval before it."""
    groups: dict[int, list[tuple[Sample, Sample]]] = {}
    for before, after in pairwise(samples):
        groups.setdefault(int((before.at_s + after.at_s) / 2 / minute_s), []).append((before, after))
    for number, pairs in groups.items():
        begin, end = pairs[0][0], pairs[-1][1]
        span_s = end.at_s - begin.at_s
        inside = [after for _, after in pairs]
        p50, p95, p99 = percentiles(inside) or (None, None, None)
        yield Minute(
            at_min=round((number + 0.5) * minute_s / 60, 3),
            rss_mib=round(float(np.median([sample.rss_mib for sample in inside])), 3),
            anon_mib=round(float(np.median([sample.anon_mib for sample in inside])), 3),
            handles=max(sample.handles for sample in inside),
            threads=max(sample.threads for sample in inside),
            cpu_share=round((end.cpu_s - begin.cpu_s) / span_s, 4),
            fps=round(sum(len(sample.ages_ms) for sample in inside) / span_s, 2),
            p50_ms=p50,
            p95_ms=p95,
            p99_ms=p99,
            load=end.load,
            stolen=round((end.steal_s - begin.steal_s) / span_s / cores, 4),
            level=end.level,
        )


def _span(samples: Sequence[Sample], minutes: Sequence[Minute], begin_s: float, end_s: float) -> Span | None:
    inside = [sample for sample in samples[1:] if begin_s < sample.at_s <= end_s]
    if not inside:
        return None
    handles, threads = [sample.handles for sample in inside], [sample.threads for sample in inside]
    p99s = [m.p99_ms for m in minutes if m.p99_ms is not None and begin_s <= m.at_min * 60 <= end_s]
    ages = percentiles(inside)
    return Span(
        begin_min=round(begin_s / 60, 2),
        end_min=round(end_s / 60, 2),
        ages=Ages(sum(len(sample.ages_ms) for sample in inside), *ages, (min(p99s), max(p99s)))
        if ages and p99s
        else None,
        handles=(float(np.median(handles)), max(handles)),
        threads=(float(np.median(threads)), max(threads)),
    )


def percentiles(samples: Sequence[Sample]) -> tuple[float, float, float] | None:
    """p50, p95 and p99 of all ages in ms; None if there are none."""
    ages = [age for sample in samples for age in sample.ages_ms]
    if not ages:
        return None
    p50, p95, p99 = (round(float(value), 2) for value in np.percentile(ages, (50, 95, 99)))
    return p50, p95, p99
