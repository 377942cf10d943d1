"""Figures of those who are served."""

import msgspec
import pytest
from prometheus_client import CollectorRegistry, generate_latest

from edge.server.clients import Clients
from edge.server.clients_collector import ClientsCollector


class Clock:
    now_s = 50.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_client_is_there_while_it_is_served_and_nothing_of_it_is_kept(clock: Clock):
    clients = Clients(clock)
    with clients.served("stream", "192.0.2.7", "width=320"):
        clock.now_s += 3
        (found,) = clients.status()
        assert msgspec.structs.asdict(found) == {
            "kind": "stream",
            "address": "192.0.2.7",
            "since_s": 3.0,
            "fps": 0.0,
            "kbps": 0.0,
            "skipped": 0,
            "options": "width=320",
        }
    assert clients.status() == ()


def test_rates_are_those_of_the_last_seconds_however_often_they_are_asked_for(clock: Clock):
    clients = Clients(clock)
    with clients.served("stream", None) as client:
        for rate in (30, 5):
            for _ in range(rate * 10):
                clock.now_s += 1 / rate
                client.took(10_000)
                clients.status()
            (found,) = clients.status()
            assert found.fps == pytest.approx(rate, rel=0.03)
            assert found.kbps == pytest.approx(rate * 80, rel=0.03)
        clock.now_s += 5
        clients.status()
        clock.now_s += 5
        assert clients.status()[0].fps == 0.0
        assert clients.status()[0].address == "unknown"


def test_metrics_tell_how_many_and_how_much_but_not_who(clock: Clock):
    clients = Clients(clock)
    registry = CollectorRegistry()
    registry.register(ClientsCollector(clients))
    with clients.served("stream", "192.0.2.7") as gone:
        gone.took(1000)
    with clients.served("stream", "192.0.2.7") as one, clients.served("events", "192.0.2.8") as other:
        one.took(200)
        other.took(30)
        with clients.served("push", "192.0.2.9") as sender:
            sender.took(5_000_000)
        text = generate_latest(registry).decode()
    assert 'emotion_edge_clients{kind="stream"} 1.0' in text
    assert 'emotion_edge_clients{kind="events"} 1.0' in text
    assert 'emotion_edge_clients{kind="push"} 0.0' in text
    assert "emotion_edge_sent_bytes_total 1230.0" in text
    assert "192.0.2" not in text
