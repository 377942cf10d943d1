"""Every way a network camera can fail, on the real workers: its states, what is shown, and how it recovers.

`pytest -s` prints the table of these and of the other `test_fault_matrix_*.py`.
"""

import time
from dataclasses import dataclass

import pytest

from edge.ports import FrameSource
from edge.sources import open_source
from edge.worker import Backoff
from tests.faults import GROWTH_MB, SILENCE_S, free_port, row
from tests.mjpeg_server import Fault, MjpegServer, mjpeg_server
from tests.rig import Held, Rig

RECOVERY_S = 4.0
"""The longest wait of the rig's workers, and what opening takes on a busy machine."""


@dataclass(frozen=True)
class Case:
    """What `/faulty` does, and what is said of it.

    Attributes:
        fault: of the server.
        states: after `online` and before it is online again; `starting` is the first of all.
        reason: words of the reason that is shown.
    """

    fault: Fault
    states: tuple[str, ...]
    reason: str


BROKEN = ("reconnecting",)
SILENT = ("stalled", "reconnecting")
CASES = [
    Case("stalls", SILENT, "fallen silent"),
    Case("drips", SILENT, "fallen silent"),
    Case("drops", BROKEN, "not with a video"),
    Case("closes in mid-JPEG", BROKEN, "not with a video|ended"),
    Case("sends garbage", BROKEN, "not with a video|fallen silent"),
    Case("redirects for ever", BROKEN, "not with a video|answers 302"),
    Case(401, BROKEN, "answers 401; user or password"),
    Case(404, BROKEN, "answers 404; check the path"),
    Case(500, BROKEN, "answers 500"),
    Case("repeats itself", BROKEN, "same picture for 1 s"),
]


@pytest.mark.parametrize("case", CASES, ids=[str(case.fault) for case in CASES])
def test_a_network_camera_fails_is_shown_as_failing_and_comes_back(
    case: Case, camera: MjpegServer, table: list[str]
) -> None:
    camera.fault = None

    def opener() -> FrameSource:
        frozen_s = 1.0 if case.fault == "repeats itself" else 0.0
        return open_source(f"{camera.url}/faulty", silence_s=SILENCE_S, frozen_s=frozen_s)

    rig = Rig(opener, 5.0)
    reasons: list[str] = []
    with rig.running():
        rig.wait_for(lambda: rig.state == "online" and rig.shows_a_face)
        before = Held()
        camera.fault = case.fault
        noticed_s = rig.wait_for(lambda: rig.state == case.states[0])
        told_s = rig.wait_for(lambda: rig.shows_a_notice, 1.5)
        for state in case.states[1:]:
            rig.wait_for(lambda state=state: rig.state == state)  # type: ignore[misc]
        rig.wait_for(lambda: rig.retries >= 2, 25.0)
        reasons = rig.capture.reasons
        assert not rig.showed_a_face_while_broken, "no face is shown as live"
        camera.fault = None
        since_s = time.monotonic()
        # an attempt that is under way may have to run into its own limit first
        rig.wait_for(lambda: rig.state == "online", 12.0 + RECOVERY_S)
        rig.wait_for(lambda: rig.shows_a_face, 2.0)
        back_s = time.monotonic() - since_s
        states = rig.capture.states
    table.append(row(str(case.fault), rig, noticed_s, back_s, before))
    assert told_s < 1.0
    if case.fault == "closes in mid-JPEG":  # FFMPEG takes half a JPEG for a picture
        assert set(states[3:]) <= {"online", "reconnecting"}
    else:
        assert states == ["starting", "online", *case.states, "online"]
    assert any(words in reason for words in case.reason.split("|") for reason in reasons), reasons
    assert rig.capture.status.reconnects >= 1
    assert rig.capture.status.since > 1, "the numbers go on"
    assert Held().rss_mb - before.rss_mb < GROWTH_MB


def test_a_camera_that_changes_its_size_or_address_is_shown_on(camera: MjpegServer, table: list[str]) -> None:
    camera.fault = None
    rig = Rig(lambda: open_source(f"{camera.url}/faulty", silence_s=SILENCE_S), 5.0)
    with rig.running():
        rig.wait_for(lambda: rig.shows_a_face)
        before = Held()
        camera.fault = "changes size"
        frames = rig.capture.status.frames
        rig.wait_for(lambda: rig.capture.status.frames > frames + 40)
        table.append(row("changes size", rig, None, None, before))
        # FFMPEG's reader scales to the size it began with
        assert (rig.state, rig.capture.status.width) == ("online", 320)
        camera.fault = "redirects"
        noticed_s = rig.wait_for(lambda: rig.state == "reconnecting")
        back_s = rig.wait_for(lambda: rig.state == "online")
        table.append(row("redirects", rig, noticed_s, back_s, before))
    assert rig.capture.states[:3] == ["starting", "online", "reconnecting"]


def test_a_computer_that_is_switched_off_and_on_again_is_found_again(table: list[str]) -> None:
    with mjpeg_server() as first:
        port = first.port
        rig = Rig(lambda: open_source(f"{first.url}/stream", silence_s=SILENCE_S), 5.0)
        workers = rig.running()
        workers.__enter__()
        rig.wait_for(lambda: rig.shows_a_face)
        before = Held()
    try:
        rig.wait_for(lambda: any("refuses port" in reason for reason in rig.capture.reasons))
        with mjpeg_server(port):
            back_s = rig.wait_for(lambda: rig.state == "online")
            table.append(row("is switched off and on", rig, None, back_s, before))
    finally:
        workers.__exit__(None, None, None)
    assert rig.capture.states[:4] == ["starting", "online", "reconnecting", "online"]


def test_a_camera_that_is_not_there_at_boot_is_waited_for(table: list[str]) -> None:
    port = free_port()
    rig = Rig(lambda: open_source(f"http://127.0.0.1:{port}/stream", silence_s=SILENCE_S), 5.0)
    before = Held()
    with rig.running():
        rig.wait_for(lambda: rig.retries >= 3)
        assert rig.shows_a_notice
        with mjpeg_server(port):
            back_s = rig.wait_for(lambda: rig.state == "online")
            table.append(row("not there at boot", rig, None, back_s, before))
    assert rig.capture.states[:2] == ["starting", "online"]
    assert rig.capture.status.reconnects == 0


def test_one_that_dies_after_each_picture_is_not_stormed(camera: MjpegServer, table: list[str]) -> None:
    camera.fault, before = "dies after each picture", Held()
    rig = Rig(lambda: open_source(f"{camera.url}/faulty", silence_s=SILENCE_S), 5.0, Backoff(0.1, 60.0, 0.0))
    asked = camera.asked
    with rig.running():
        rig.wait_for(lambda: rig.retries >= 4)
        asked = camera.asked - asked
        table.append(row("dies after each picture", rig, None, None, before))
    assert asked <= 12, "each time it fails it is given more time"
    waits = [round(wait_s, 3) for wait_s in rig.waits_s]
    assert waits[:4] == [0.1, 0.2, 0.4, 0.8]
    camera.fault = None
