"""Whether the parts of the program work, and what they may use, for Prometheus: what alerts are made of."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector


class VitalsCollector(Collector):
    """Signs of life, read at each scrape. Seconds since, not times of day: many boards have no clock of their own."""

    def __init__(
        self,
        alive: Callable[[], tuple[bool, str]],
        workers_silent_s: Callable[[], Mapping[str, float]],
        source_silent_s: Callable[[], float | None],
        memory_limit_bytes: Callable[[], int | None],
    ) -> None:
        """Nothing is asked yet.

        Args:
            alive: whether all workers do their work, as `/livez` says.
            workers_silent_s: seconds since the last sign of life, by worker.
            source_silent_s: seconds since the newest frame, or since the start; None where frames have no age.
            memory_limit_bytes: of the process; None where unknown.
        """
        self._alive = alive
        self._workers_silent_s = workers_silent_s
        self._source_silent_s = source_silent_s
        self._memory_limit_bytes = memory_limit_bytes

    def describe(self) -> Iterable[Metric]:
        """Nothing: the registry must not ask before all parts are there."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """One sample of each that is known."""
        yield GaugeMetricFamily(
            "emotion_edge_alive", "1 while every worker shows signs of life", float(self._alive()[0])
        )
        workers = GaugeMetricFamily(
            "emotion_edge_worker_silent_seconds", "Time since a worker's last sign of life", labels=["worker"]
        )
        for worker, silent_s in self._workers_silent_s().items():
            workers.add_metric([worker], silent_s)
        yield workers
        source_silent_s = self._source_silent_s()
        if source_silent_s is not None:
            yield GaugeMetricFamily(
                "emotion_edge_source_silent_seconds", "Time since the newest frame, or since the start", source_silent_s
            )
        limit_bytes = self._memory_limit_bytes()
        if limit_bytes is not None:
            yield GaugeMetricFamily("emotion_edge_memory_limit_bytes", "Memory that the process may use", limit_bytes)
