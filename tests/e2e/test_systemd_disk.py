"""The service while its state directory is full."""

import re
import time
from collections.abc import Callable, Iterator

import pytest

from tests.service import EVENTS, STATE, Service
from tests.viewer import Viewer

pytestmark = [pytest.mark.systemd, pytest.mark.slow]

SIZE_KB = 4096
FILLER = f"{STATE}/filler"
FULL_S = 6.0
"""So long it goes on without a place to write to; its writer tries five times a second."""


@pytest.fixture
def small_disk(service: Service) -> Iterator[Service]:
    """The service, not started, with a tiny disk of its own for its state."""
    owner = "uid=$(id -u emotion-edge),gid=$(id -g emotion-edge)"
    service.machine.run(
        "sh", "-e", "-c", f"mkdir -p {STATE}; mount -t tmpfs -o size={SIZE_KB}k,mode=700,{owner} tmpfs {STATE}"
    )
    try:
        yield service
    finally:
        service.stop()
        service.machine.run("umount", STATE)


def fill(service: Service) -> None:
    """Take the rest of the disk."""
    service.machine.run("dd", "if=/dev/zero", f"of={FILLER}", "bs=4k", check=False)
    assert service.machine.text("df", "--output=avail", STATE).split()[-1] == "0"


def lost(service: Service) -> int:
    """Events that could not be written."""
    return int(service.state()["events_lost"])


def written(service: Service) -> int:
    """Bytes of events on the disk."""
    return int(service.machine.text("sh", "-c", f"cat {EVENTS}* | wc -c"))


def complaints(service: Service) -> list[str]:
    """What the log says of it."""
    return [line for line in service.journal().splitlines() if "events could not be written" in line]


def test_a_full_disk_stops_the_events_and_nothing_else(small_disk: Service, show: Callable[[str], None]) -> None:
    service = small_disk
    service.start()
    service.wait_until(lambda state: state["faces"] > 0, "faces")
    pid = service.properties()["MainPID"]
    with Viewer(service) as viewer:
        viewer.wait(10)
        fill(service)
        full_s = time.monotonic()
        service.wait_until(lambda state: state["events_lost"] > 0, "events are lost")
        time.sleep(FULL_S)
        frames = service.state()["source"]["frames"]
        viewer.wait(10)
        assert service.state()["source"]["frames"] > frames
        assert re.search(rb"(?m)^emotion_edge_events_lost_total [1-9]", service.ask("/metrics").body)
        said = complaints(service)
        assert len(said) == 1, said
        gap_s = viewer.longest_gap_s(full_s)
        service.machine.run("rm", FILLER)
        at_bytes = written(service)
        end_s = time.monotonic() + 20
        while written(service) <= at_bytes:
            assert time.monotonic() < end_s, "events do not go on once there is room"
            time.sleep(0.2)
        at_count = lost(service)
        time.sleep(2.0)
        assert lost(service) == at_count
    whole = service.machine.text("sh", "-c", f"tail -n 1 {EVENTS}")
    assert whole.startswith("{")
    assert service.machine.text("sh", "-c", f"grep -vc '^{{.*}}$' {EVENTS} || true") == "0", "half a line was left"
    found = service.wait_for(MainPID=pid, NRestarts="0", ActiveState="active")
    show(
        f"full disk: {at_count} events lost in {FULL_S:.0f} s, said once, longest gap of the stream {gap_s:.2f} s, "
        f"{found['NRestarts']} restarts; events go on when there is room"
    )


def test_it_starts_and_stops_on_a_full_disk(small_disk: Service, show: Callable[[str], None]) -> None:
    fill(small_disk)
    ready_s = small_disk.start()
    small_disk.wait_until(lambda state: state["events_lost"] > 0, "events are lost")
    took_s = small_disk.stop()
    assert small_disk.properties()["Result"] == "success"
    assert took_s <= 2.0
    show(f"started on a full disk: READY after {ready_s:.2f} s, stopped in {took_s:.2f} s")
