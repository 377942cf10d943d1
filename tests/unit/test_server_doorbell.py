"""Other threads wake the event loop."""

import asyncio
import errno
import os
import threading

import pytest

from edge.server.doorbell import Doorbell


@pytest.fixture(params=["the system's own way", "no file descriptor is left"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise OSError(errno.EMFILE, "Too many open files")

    if request.param == "no file descriptor is left":
        monkeypatch.setattr(os, "eventfd", refuse, raising=False)


def from_a_thread(doorbell: Doorbell, times: int = 1) -> None:
    def ring() -> None:
        for _ in range(times):
            doorbell.ring()

    thread = threading.Thread(target=ring)
    thread.start()
    thread.join()


@pytest.mark.usefixtures("way")
def test_it_is_answered_once_however_often_it_was_rung_and_again_when_it_rings_again() -> None:
    async def scenario() -> None:
        answered = asyncio.Event()
        answers: list[int] = []

        def answer() -> None:
            answers.append(threading.get_ident())
            answered.set()

        doorbell = Doorbell(answer)
        for times in (5, 1):
            answered.clear()
            from_a_thread(doorbell, times)
            async with asyncio.timeout(5):
                await answered.wait()
        assert answers == [threading.get_ident()] * 2
        doorbell.close()

    asyncio.run(scenario())


@pytest.mark.usefixtures("way")
def test_once_closed_it_can_be_rung_and_nobody_answers() -> None:
    async def scenario() -> None:
        answers: list[None] = []
        doorbell = Doorbell(lambda: answers.append(None))
        from_a_thread(doorbell)
        doorbell.close()
        from_a_thread(doorbell)
        await asyncio.sleep(0.01)
        assert answers == []

    asyncio.run(scenario())


@pytest.mark.usefixtures("way")
def test_it_can_be_rung_when_the_loop_has_ended() -> None:
    async def made() -> Doorbell:
        return Doorbell(lambda: None)

    doorbell = asyncio.run(made())
    doorbell.ring()
    doorbell.close()
    doorbell.ring()


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="needs /proc")  # noqa: PTH112
def test_no_descriptor_is_left_behind() -> None:
    async def scenario() -> None:
        before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
        for _ in range(20):
            Doorbell(lambda: None).close()
        assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208

    asyncio.run(scenario())
