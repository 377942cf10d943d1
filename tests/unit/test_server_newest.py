import asyncio
import threading
from collections.abc import Callable
from typing import Any

from edge.server.newest import Newest
from edge.slot import LatestSlot


class CountingSlot(LatestSlot[int]):
    """A slot that knows how many listen."""

    listeners = 0

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        self.listeners += 1
        unsubscribe = super().subscribe(listener)

        def leave() -> None:
            self.listeners -= 1
            unsubscribe()

        return leave


def from_a_thread(action: Callable[[], Any]) -> None:
    thread = threading.Thread(target=action)
    thread.start()
    thread.join()


def test_an_item_put_by_a_thread_wakes_all_readers() -> None:
    async def scenario() -> None:
        slot: LatestSlot[int] = LatestSlot()
        newest = Newest(slot)
        with newest.reading():
            readers = [asyncio.create_task(newest.newer(0)) for _ in range(3)]
            await asyncio.sleep(0)
            from_a_thread(lambda: slot.put(7))
            assert await asyncio.gather(*readers) == [(1, 7)] * 3

    asyncio.run(scenario())


def test_a_late_reader_gets_the_newest_and_not_what_came_before() -> None:
    async def scenario() -> None:
        slot: LatestSlot[int] = LatestSlot()
        newest = Newest(slot)
        with newest.reading():
            for item in range(10):
                slot.put(item)
            assert await newest.newer(2) == (10, 9)
            assert newest.seq() == 10

    asyncio.run(scenario())


def test_the_slot_is_listened_to_only_while_somebody_reads() -> None:
    async def scenario() -> None:
        slot = CountingSlot()
        newest = Newest(slot)
        assert slot.listeners == 0
        with newest.reading():
            with newest.reading():
                assert slot.listeners == 1
            assert slot.listeners == 1
        assert slot.listeners == 0

    asyncio.run(scenario())


def test_readers_end_when_the_slot_closes() -> None:
    async def scenario() -> None:
        slot: LatestSlot[int] = LatestSlot()
        newest = Newest(slot)
        with newest.reading():
            reader = asyncio.create_task(newest.newer(0))
            await asyncio.sleep(0)
            from_a_thread(slot.close)
            assert await reader is None

    asyncio.run(scenario())


def test_readers_end_when_the_server_stops_though_the_slot_lives_on() -> None:
    async def scenario() -> None:
        slot: LatestSlot[int] = LatestSlot()
        newest = Newest(slot)
        with newest.reading():
            reader = asyncio.create_task(newest.newer(0))
            await asyncio.sleep(0)
            newest.close()
            assert await reader is None
        assert not slot.closed

    asyncio.run(scenario())


def test_an_item_put_after_the_loop_has_gone_troubles_nobody() -> None:
    slot: LatestSlot[int] = LatestSlot()
    newest = Newest(slot)
    context = newest.reading()

    async def leave_without_unsubscribing() -> None:
        context.__enter__()

    asyncio.run(leave_without_unsubscribing())
    slot.put(1)
    assert slot.newer(0) == (1, 1)
