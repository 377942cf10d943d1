"""Who is served now, for Prometheus. Not in `clients`: the library is loaded by those who are scraped only."""

from collections.abc import Iterable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from edge.server.clients import Clients


class ClientsCollector(Collector):
    """How many, and what they have taken; without addresses."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def describe(self) -> Iterable[Metric]:
        """Nothing: the names are not known to be taken."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """One sample of each."""
        counts = GaugeMetricFamily("emotion_edge_clients", "Clients served now", labels=["kind"])
        for kind, count in self._clients.count().items():
            counts.add_metric([kind], count)
        yield counts
        yield CounterMetricFamily(
            "emotion_edge_sent_bytes", "Pictures and records that clients have taken", self._clients.sent_bytes
        )
