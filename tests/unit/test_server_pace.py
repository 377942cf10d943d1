"""How often a client is given a picture."""

import asyncio

import pytest

from edge.server.pace import Pace


class Street:
    """A line on which pictures come 30 times a second; waiting moves the clock."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_s = 100.0

        async def sleep(wait_s: float) -> None:
            self.now_s += wait_s

        monkeypatch.setattr("edge.server.pace.asyncio.sleep", sleep)

    def clock_ns(self) -> int:
        return round(self.now_s * 1e9)

    async def sent(self, pace: Pace, size: int, seconds: float) -> list[float]:
        """When pictures of that size are sent."""
        end_s, moments = self.now_s + seconds, []
        while self.now_s < end_s:
            # the next picture
            self.now_s = (int(self.now_s * 30 + 1e-6) + 1) / 30
            moments.append(self.now_s)
            pace.sent(size)
            await pace.bandwidth()
            await pace.interval()
        return moments


@pytest.fixture
def street(monkeypatch: pytest.MonkeyPatch) -> Street:
    return Street(monkeypatch)


@pytest.mark.parametrize("kbps", [400, 1000, 2500])
def test_a_client_gets_no_more_than_its_bandwidth_and_nearly_all_of_it(street: Street, kbps: float):
    moments = asyncio.run(street.sent(Pace(0, lambda: kbps, street.clock_ns), 20_000, 20))
    used_kbps = len(moments) * 20_000 * 8 / 1000 / 20
    assert 0.9 * kbps < used_kbps < 1.05 * kbps


def test_a_picture_is_never_one_that_came_while_the_client_had_to_wait(street: Street):
    moments = asyncio.run(street.sent(Pace(0, lambda: 1000, street.clock_ns), 20_000, 5))
    assert all(moment * 30 == pytest.approx(round(moment * 30)) for moment in moments)


def test_a_client_gets_as_many_as_it_wants(street: Street):
    moments = asyncio.run(street.sent(Pace(0.2, lambda: 0, street.clock_ns), 20_000, 20))
    assert len(moments) == pytest.approx(100, abs=2)


def test_a_limit_that_is_lifted_is_forgotten(street: Street):
    limit = [10.0]
    pace = Pace(0, lambda: limit[0], street.clock_ns)
    asyncio.run(street.sent(pace, 100_000, 1))
    limit[0] = 0
    assert len(asyncio.run(street.sent(pace, 100_000, 5))) >= 149
