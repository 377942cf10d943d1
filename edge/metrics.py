"""What `/metrics` exports, read at each scrape. No label has more values than a person could list.

Loaded by the first scrape: Prometheus' library brings servers of its own along.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from prometheus_client import PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector, CollectorRegistry

from edge.status import SOURCE_STATES, BudgetStatus, MqttStatus, Status
from edge.telemetry import Telemetry
from edge.thermal import FLAGS


def build_registry(collectors: Iterable[Collector]) -> CollectorRegistry:
    """The program's own figures, and the usual ones of any process (`process_…`, `python_info`)."""
    registry = CollectorRegistry()
    usual = (ProcessCollector(registry=None), PlatformCollector(registry=None), ThreadsCollector())
    for collector in (*collectors, *usual):
        registry.register(collector)
    return registry


class StatusCollector(Collector):
    """What `/state` knows, and how the times are distributed, as Prometheus metrics, read at each scrape."""

    def __init__(
        self,
        status: Callable[[], Status],
        telemetry: Telemetry,
        aggregated: Callable[[], Mapping[str, float] | None] = lambda: None,
    ) -> None:
        """Nothing is read yet.

        Args:
            status: what `/state` shows.
            telemetry: the rest of the figures.
            aggregated: seconds each expression was shown as far as aggregates tell, while nothing else may be told: who
                asked often enough would see in the newest figures what a single face shows now. None: all may be told.
        """
        self._status = status
        self._telemetry = telemetry
        self._aggregated = aggregated
        self._label_s: Mapping[str, float] = {}

    def describe(self) -> Iterable[Metric]:
        """Nothing: the registry must not ask for the status before all parts are there."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """One sample of each."""
        status = self._status()
        info = {
            "version": status.version,
            "runtime": status.runtime,
            "detector": status.detector,
            "model": status.model,
        }
        yield InfoMetricFamily("emotion_edge_build", "What is running", info)
        # not a time of day, which is wrong on a board without a clock of its own
        yield GaugeMetricFamily("emotion_edge_uptime_seconds", "Time since the start", status.uptime_s)
        yield GaugeMetricFamily(
            "emotion_edge_source_online", "1 while frames come", float(status.source.state == "online")
        )
        states = GaugeMetricFamily("emotion_edge_source_state", "1 for the state it is in", labels=["state"])
        for state in SOURCE_STATES:
            states.add_metric([state], float(status.source.state == state))
        yield states
        yield GaugeMetricFamily("emotion_edge_fps", "Scenes analysed per second", status.fps)
        yield GaugeMetricFamily("emotion_edge_faces", "Faces in the newest scene", status.faces)
        yield CounterMetricFamily("emotion_edge_scenes", "Frames analysed", self._telemetry.scenes)
        yield CounterMetricFamily(
            "emotion_edge_scenes_with_faces", "Frames analysed that had a face", self._telemetry.scenes_with_faces
        )
        yield CounterMetricFamily("emotion_edge_faces_followed", "Faces that appeared", self._telemetry.faces)
        labels = CounterMetricFamily(
            "emotion_edge_label_seconds", "Time each expression was shown, over all faces", labels=["label"]
        )
        for label, spent_s in self._label_seconds().items():
            labels.add_metric([label], spent_s)
        yield labels
        yield GaugeMetricFamily("emotion_edge_viewers", "Clients of the stream", status.viewers)
        yield CounterMetricFamily("emotion_edge_frames", "Frames grabbed", status.source.frames)
        yield CounterMetricFamily("emotion_edge_source_reconnects", "Source opened again", status.source.reconnects)
        yield CounterMetricFamily("emotion_edge_events_lost", "Scenes not written to the event log", status.events_lost)
        yield CounterMetricFamily("emotion_edge_jpegs", "JPEGs encoded", status.encoded)
        skipped = CounterMetricFamily("emotion_edge_skipped_frames", "Frames not analysed", labels=["reason"])
        for reason, frames in status.skipped.items():
            skipped.add_metric([reason], frames)
        yield skipped
        decisions = CounterMetricFamily("emotion_edge_decisions", "Frames by the policy's reason", labels=["reason"])
        for reason, frames in status.decisions.items():
            decisions.add_metric([reason], frames)
        yield decisions
        if status.budget:
            yield from _budget_metrics(status.budget)
        if status.mqtt:
            yield from _mqtt_metrics(status.mqtt)
        yield from self._telemetry.histograms()

    def _label_seconds(self) -> Mapping[str, float]:
        """What may be told. Aggregates come on top of what was told before they were all: counters never fall."""
        aggregated = self._aggregated()
        if aggregated is None:
            self._label_s = self._telemetry.label_seconds
            return self._label_s
        names = (*self._label_s, *(name for name in aggregated if name not in self._label_s))
        return {name: self._label_s.get(name, 0.0) + aggregated.get(name, 0.0) for name in names}


def _budget_metrics(budget: BudgetStatus) -> Iterator[Metric]:
    """What the analysis may spend."""
    yield GaugeMetricFamily("emotion_edge_effort_level", "Level of effort; 0 is all of it", budget.level)
    if budget.temperature_c is not None:
        yield GaugeMetricFamily("emotion_edge_temperature_celsius", "Of the processor", budget.temperature_c)
    if budget.cpu_share is not None:
        yield GaugeMetricFamily("emotion_edge_cpu_share", "Processor time as a share of one core", budget.cpu_share)
    throttled = GaugeMetricFamily(
        "emotion_edge_throttled", "1 while a Raspberry Pi's firmware says so of the processor", labels=["flag"]
    )
    for flag in FLAGS:
        throttled.add_metric([flag], float(flag in budget.throttled))
    yield throttled
    limits = (
        ("emotion_edge_latency_limit_seconds", "Age that 95 of 100 frames may have", budget.max_latency_ms / 1000),
        ("emotion_edge_cpu_limit_share", "Processor time that may be used", budget.max_cpu_share),
        ("emotion_edge_temperature_limit_celsius", "What the processor may have", budget.max_temperature_c),
    )
    yield from (GaugeMetricFamily(name, text, limit) for name, text, limit in limits if limit)
    changes = CounterMetricFamily("emotion_edge_budget_changes", "Changes of effort", labels=["reason"])
    for reason, count in budget.counts.items():
        changes.add_metric([reason], count)
    yield changes


def _mqtt_metrics(mqtt: MqttStatus) -> Iterator[Metric]:
    """How it goes with the broker."""
    yield GaugeMetricFamily("emotion_edge_mqtt_connected", "1 while the broker is told", float(mqtt.connected))
    yield GaugeMetricFamily("emotion_edge_mqtt_waiting_events", "Records kept for the broker", mqtt.waiting)
    yield CounterMetricFamily("emotion_edge_mqtt_sent_events", "Records that the broker has", mqtt.sent)
    yield CounterMetricFamily("emotion_edge_mqtt_dropped_events", "Records lost for want of room", mqtt.dropped)


class ModelCollector(Collector):
    """Which model files answer, by name and content."""

    def __init__(self, models: Sequence[tuple[str, str]]) -> None:
        """`models`: name and SHA-256 of each, see `edge.model_store.fingerprints`."""
        self._models = models

    def describe(self) -> Iterable[Metric]:
        """Nothing: the names are not known to be taken."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """One sample a file; its hash in full, as `sha256sum` prints it."""
        models = GaugeMetricFamily("emotion_edge_model_info", "Files of the model", labels=["file", "sha256"])
        for name, digest in self._models:
            models.add_metric([name, digest], 1)
        yield models


class ThreadsCollector(Collector):
    """The number of threads, native ones too; nothing where the system does not tell."""

    def describe(self) -> Iterable[Metric]:
        """Nothing: the name is not known to be taken."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """One sample."""
        try:
            lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
        except OSError:
            return
        for line in lines:
            if line.startswith("Threads:"):
                yield GaugeMetricFamily("process_threads", "Number of OS threads in the process.", int(line.split()[1]))
