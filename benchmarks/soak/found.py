"""What a long run shows, and what has to hold."""

from collections.abc import Callable

import msgspec

from benchmarks.soak.samples import Start
from benchmarks.soak.trend import Trend

MOST_GROWTH_MIB_H = 2.0
MOST_AGE_RATIO = 1.1


class Minute(msgspec.Struct, frozen=True):
    """The samples of one minute, or of what stands for it in shorter and longer runs.

    Attributes:
        at_min: its middle.
        rss_mib: median of resident memory.
        anon_mib: median of the part of it that belongs to no file.
        handles: most.
        threads: most.
        cpu_share: processor time of the program as a share of one core.
        fps: pictures a second that reached the viewer.
        p50_ms: of their ages; None if there were none.
        p95_ms: likewise.
        p99_ms: likewise.
        load: of the machine, at the end.
        stolen: share of the machine's processor time that its host gave to something else.
        level: of effort at the end, 0 is all of it; None where the budget does not say.
    """

    at_min: float
    rss_mib: float
    anon_mib: float
    handles: int
    threads: int
    cpu_share: float
    fps: float
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    load: float
    stolen: float
    level: int | None


class Ages(msgspec.Struct, frozen=True):
    """How old pictures were when the viewer had them.

    Attributes:
        pictures: how many.
        p50_ms: of all of them.
        p95_ms: likewise.
        p99_ms: likewise.
        p99s_ms: the least and the largest of the minutes alone.
    """

    pictures: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    p99s_ms: tuple[float, float]


class Span(msgspec.Struct, frozen=True):
    """The first or the last minutes.

    Attributes:
        begin_min: when it begins.
        end_min: when it ends.
        ages: of the pictures that reached the viewer; None: there were none.
        handles: median and most.
        threads: median and most.
    """

    begin_min: float
    end_min: float
    ages: Ages | None
    handles: tuple[float, int]
    threads: tuple[float, int]


class Soak(msgspec.Struct, frozen=True):
    """The whole run.

    Attributes:
        start: the conditions.
        end: what happened before the time was over; empty: nothing.
        ran_s: from the first sample to the last.
        whole: whether that is long enough for warm-up and windows of the length they are meant to have.
        warm_s: left out of the trend and of the first minutes.
        minute_s: what a minute is here.
        rss: growth of resident memory in MiB per hour; None: the run was too short to say.
        anon: of the part of it that belongs to no file.
        first: minutes after the warm-up; None: the run was too short.
        last: minutes of the run; likewise.
        peak_mib: most resident memory.
        mapped_mib: most addresses, which is what `RLIMIT_AS` limits.
        cpu_share: processor time of the program as a share of one core.
        fps: pictures a second that reached the viewer.
        pictures: that reached the viewer.
        frames: grabbed.
        skipped: frames not analysed, by reason.
        viewer_skipped: pictures the viewer did not get, being too slow for them.
        encoded: JPEGs.
        reconnects: of the source.
        events: records that reached the reader of the events.
        visits: of the viewer who comes and goes.
        lost: connections that the program ended.
        unanswered: samples at which the program did not answer in time.
        minutes: one after the other.
    """

    start: Start
    end: str
    ran_s: float
    whole: bool
    warm_s: float
    minute_s: float
    rss: Trend | None
    anon: Trend | None
    first: Span | None
    last: Span | None
    peak_mib: float
    mapped_mib: float
    cpu_share: float
    fps: float
    pictures: int
    frames: int
    skipped: dict[str, int]
    viewer_skipped: int
    encoded: int
    reconnects: int
    events: int
    visits: int
    lost: int
    unanswered: int
    minutes: tuple[Minute, ...]

    def musts(self) -> tuple[tuple[str, bool | None], ...]:
        """What has to hold, with its figures, and whether it does; None: the run cannot tell."""
        return (
            (f"it runs for {self.start.planned_s / 60:g} minutes: {self.end or 'it did'}", not self.end),
            self._flat("resident memory", self.rss),
            # whose pages of files the kernel may take away meanwhile: that must not hide what is lost elsewhere
            self._flat("the part of it that is in no file", self.anon),
            self._prompt(),
            self._level("handles", lambda span: span.handles),
            self._level("threads", lambda span: span.threads),
        )

    def _flat(self, name: str, growth: Trend | None) -> tuple[str, bool | None]:
        what = f"{name} grows by at most {MOST_GROWTH_MIB_H:g} MiB an hour"
        if growth is None:
            return f"{what}: too few figures", None
        figures = f"{growth.slope:+.2f}, below {growth.high:+.2f} with a probability of 95 %"
        return f"{what}: {figures}", growth.high <= MOST_GROWTH_MIB_H if self.whole else None

    def _prompt(self) -> tuple[str, bool | None]:
        what = f"p99 of the pictures' age at the end at most {MOST_AGE_RATIO:g} times that at the beginning"
        if not self.first or not self.last:
            return f"{what}: too few figures", None
        first, last = self.first.ages, self.last.ages
        if not first or not last:
            return f"{what}: no pictures came", False
        ratio = last.p99_ms / first.p99_ms
        return f"{what}: {ratio:.3f} ({last.p99_ms:.1f} by {first.p99_ms:.1f} ms)", ratio <= MOST_AGE_RATIO

    def _level(self, name: str, of: Callable[[Span], tuple[float, int]]) -> tuple[str, bool | None]:
        what = f"no more {name} at the end than at the beginning"
        if not self.first or not self.last:
            return f"{what}: too few figures", None
        (before, most_before), (after, most_after) = of(self.first), of(self.last)
        figures = f"median {after:g} by {before:g}, most {most_after} by {most_before}"
        return f"{what}: {figures}", after <= before and most_after <= most_before
