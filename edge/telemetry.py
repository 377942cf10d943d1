"""Keeps the figures: rates and percentiles of the last seconds for people, histograms and counters for Prometheus."""

import itertools
import math
import threading
from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from edge.ports import Clock
from edge.status import Percentiles
from edge.types import JpegPacket, Scene

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

WINDOW_S = 5.0
WINDOW_ITEMS = 600
COUNTED_AT_ONCE = 256

STAGE_BUCKETS_S = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
AGE_BUCKETS_S = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0)
"""With a bound at the usual `budget.max_latency_ms`: whether that is kept is then counted, not interpolated."""


class Buckets:
    """Counts for a Prometheus histogram. The client's own does the same at ten times the price, five times a frame."""

    def __init__(self, bounds_s: tuple[float, ...]) -> None:
        self._bounds_s = bounds_s
        self._counts = [0] * (len(bounds_s) + 1)
        self.sum_s = 0.0

    def observe(self, seconds: float) -> None:
        """Count a value into the first bucket whose bound it does not exceed."""
        self._counts[bisect_left(self._bounds_s, seconds)] += 1
        self.sum_s += seconds

    @property
    def cumulative(self) -> list[tuple[str, float]]:
        """Bound and number of values up to it, as Prometheus wants them."""
        bounds = [*map(str, self._bounds_s), "+Inf"]
        return list(zip(bounds, itertools.accumulate(self._counts), strict=True))


class Stages:
    """What the stages of a frame take.

    Counting costs ten times as much between two frames, when the processor has other things in its caches, as for many
    frames at once.
    """

    def __init__(self) -> None:
        self._recent: deque[tuple[int, Mapping[str, int]]] = deque(maxlen=WINDOW_ITEMS)
        self._uncounted: list[Mapping[str, int]] = []
        self._buckets: dict[str, Buckets] = {}

    def observe(self, now_ns: int, spent_ns: Mapping[str, int]) -> None:
        """One more frame is done; `spent_ns` is not changed any more."""
        self._recent.append((now_ns, spent_ns))
        self._uncounted.append(spent_ns)
        if len(self._uncounted) >= COUNTED_AT_ONCE:
            self._count()

    def since(self, since_ns: int) -> dict[str, list[int]]:
        """Times in ns by stage, of the frames that were done since then."""
        found: dict[str, list[int]] = {}
        for t_ns, spent_ns in self._recent:
            if t_ns >= since_ns:
                for stage, ns in spent_ns.items():
                    found.setdefault(stage, []).append(ns)
        return found

    @property
    def buckets(self) -> Mapping[str, Buckets]:
        """By stage, since the start."""
        self._count()
        return self._buckets

    def _count(self) -> None:
        for spent_ns in self._uncounted:
            for stage, ns in spent_ns.items():
                known = self._buckets.get(stage)
                if known is None:
                    known = self._buckets[stage] = Buckets(STAGE_BUCKETS_S)
                known.observe(ns / 1e9)
        self._uncounted.clear()


class Ages:
    """How old frames are when they get somewhere."""

    def __init__(self) -> None:
        self._recent: deque[tuple[int, int]] = deque(maxlen=WINDOW_ITEMS)
        self.buckets = Buckets(AGE_BUCKETS_S)

    def observe(self, now_ns: int, age_ns: int) -> None:
        """One more frame has got there."""
        self._recent.append((now_ns, age_ns))
        self.buckets.observe(age_ns / 1e9)

    def since(self, since_ns: int) -> list[int]:
        """Ages in ns of those that got there since then."""
        return [age_ns for t_ns, age_ns in self._recent if t_ns >= since_ns]


class Telemetry:
    """Told by the workers, asked by the server; safe for any number of threads."""

    def __init__(self, clock: Clock, *, live: bool) -> None:
        """`live`: whether frame times come from `clock`, so that a frame has an age."""
        self._clock = clock
        self._live = live
        self._lock = threading.Lock()
        self._scenes: deque[int] = deque(maxlen=WINDOW_ITEMS)
        self._analysed = Ages()
        self._delivered = Ages()
        self._analysing = Stages()
        self._presenting = Stages()
        self._skipped: Counter[str] = Counter()
        self._decisions: Counter[str] = Counter()
        self._label_s: dict[str, float] = {}
        self._last_ns: int | None = None
        self.scenes = 0
        self.scenes_with_faces = 0
        self.faces = 0
        self._newest_id = 0
        self.encoded = 0

    def analysed(self, scene: Scene) -> None:
        """A scene is done."""
        now_ns = self._clock()
        dt_s = 0.0 if self._last_ns is None else (scene.frame.t_ns - self._last_ns) / 1e9
        self._last_ns = scene.frame.t_ns
        with self._lock:
            self.scenes += 1
            self.scenes_with_faces += bool(scene.tracks)
            self._scenes.append(now_ns)
            self._decisions[scene.decision.reason] += 1
            for track in scene.tracks:
                if track.id > self._newest_id:  # the oldest come first, and no number is used twice
                    self.faces += 1
                    self._newest_id = track.id
                if track.label is not None and track.age > 1:  # a new face was not there since the last scene
                    self._label_s[track.label] = self._label_s.get(track.label, 0.0) + dt_s
            self._analysing.observe(now_ns, scene.timings_ns)
            if self._live:
                self._analysed.observe(now_ns, now_ns - scene.frame.t_ns)

    def presented(self, draw_ns: int, encode_ns: int) -> None:
        """A picture was drawn and encoded."""
        now_ns = self._clock()
        with self._lock:
            self.encoded += 1
            self._presenting.observe(now_ns, {"draw": draw_ns, "encode": encode_ns})

    def delivered(self, packet: JpegPacket) -> None:
        """The kernel has taken a picture for a client."""
        if not self._live or packet.notice:
            return
        now_ns = self._clock()
        with self._lock:
            self._delivered.observe(now_ns, now_ns - packet.t_ns)

    def skipped(self, reason: str, frames: int) -> None:
        """Frames were not analysed."""
        with self._lock:
            self._skipped[reason] += frames

    @property
    def fps(self) -> float:
        """Scenes per second over the window."""
        with self._lock:
            recent = self._recent(self._scenes)
        if len(recent) < 2 or recent[-1] == recent[0]:
            return 0.0
        return (len(recent) - 1) / ((recent[-1] - recent[0]) / 1e9)

    @property
    def latency_ms(self) -> Percentiles | None:
        """Age of a frame when its scene is done; None without a live source."""
        with self._lock:
            ages = self._analysed.since(self._since_ns())
        return _percentiles(ages)

    @property
    def delivery_ms(self) -> Percentiles | None:
        """Age of a frame when the kernel has taken its picture for a client; None without a live source or a client."""
        with self._lock:
            ages = self._delivered.since(self._since_ns())
        return _percentiles(ages)

    @property
    def stages_ms(self) -> dict[str, Percentiles]:
        """Time per stage over the window."""
        with self._lock:
            since_ns = self._since_ns()
            spent = {**self._analysing.since(since_ns), **self._presenting.since(since_ns)}
        found = {stage: _percentiles(values) for stage, values in spent.items()}
        return {stage: value for stage, value in found.items() if value is not None}

    @property
    def skipped_frames(self) -> dict[str, int]:
        """Frames not analysed, by reason."""
        with self._lock:
            return dict(self._skipped)

    @property
    def decisions(self) -> dict[str, int]:
        """Frames by the policy's reason."""
        with self._lock:
            return dict(self._decisions)

    def histograms(self) -> Iterator["Metric"]:
        """How the time per stage and the age of the frames are distributed since the start."""
        from prometheus_client.core import HistogramMetricFamily  # noqa: PLC0415  # only who is scraped needs it

        stages = HistogramMetricFamily(
            "emotion_edge_stage_seconds", "Time spent on a frame, by stage", labels=["stage"]
        )
        ages = HistogramMetricFamily("emotion_edge_frame_age_seconds", "Age of a frame when its scene was done")
        deliveries = HistogramMetricFamily(
            "emotion_edge_delivery_age_seconds", "Age of a frame when the kernel had taken its picture for a client"
        )
        with self._lock:
            for stage, known in {**self._analysing.buckets, **self._presenting.buckets}.items():
                stages.add_metric([stage], known.cumulative, known.sum_s)
            for family, known_ages in ((ages, self._analysed), (deliveries, self._delivered)):
                family.add_metric([], known_ages.buckets.cumulative, known_ages.buckets.sum_s)
        yield stages
        yield ages
        yield deliveries

    @property
    def label_seconds(self) -> dict[str, float]:
        """Seconds each expression was shown, summed over faces."""
        with self._lock:
            return {label: round(seconds, 3) for label, seconds in self._label_s.items()}

    def _since_ns(self) -> int:
        return self._clock() - int(WINDOW_S * 1e9)

    def _recent(self, times: Iterable[int]) -> list[int]:
        since_ns = self._since_ns()
        return [t for t in times if t >= since_ns]


def _percentiles(values_ns: list[int]) -> Percentiles | None:
    """By nearest rank: asked for every second, and NumPy's take half a millisecond."""
    if not values_ns:
        return None
    values_ns.sort()
    p50, p95 = (values_ns[math.ceil(share * len(values_ns)) - 1] / 1e6 for share in (0.50, 0.95))
    return Percentiles(round(p50, 3), round(p95, 3))
