"""Those who send pictures fail, and people stop and pause a camera, on the real workers; see `test_fault_matrix.py`."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from edge.sources import open_source
from edge.worker import Backoff
from tests.faults import GROWTH_MB, SILENCE_S, free_port, row
from tests.mjpeg_server import MjpegServer, mjpeg_server
from tests.rig import Held, Rig
from tests.senders import Sender, jpegs, receiving


@dataclass(frozen=True)
class Sending:
    """What a sender of pictures does, and what is said of it.

    Attributes:
        fault: for the table.
        does: it.
        reason: words of the reason that is shown.
    """

    fault: str
    does: Callable[[Sender], None]
    reason: str


def garbage(sender: Sender) -> None:
    """What is no picture, up to the end of the server's patience."""
    for _ in range(30):
        sender.post(b"garbage")
    assert sender.closing()[0] == 1007
    sender.close()


def half_a_message(sender: Sender) -> None:
    """A picture that breaks off in its middle."""
    sender.sock.sendall(b"\x82\xfe\x40\x00\x00\x00\x00\x00\xff\xd8\xff\xe0")
    sender.vanish()


SENDING = [
    Sending("a sender vanishes (TCP reset)", Sender.vanish, "nobody sends pictures"),
    Sending("a sender takes leave", Sender.close, "nobody sends pictures"),
    Sending("a sender breaks off", half_a_message, "nobody sends pictures"),
    Sending("a sender sends garbage", garbage, "nobody sends pictures"),
    Sending("a sender stalls", lambda _: None, "is connected and sends no pictures"),
]


@pytest.mark.parametrize("case", SENDING, ids=[case.fault for case in SENDING])
def test_a_sender_of_pictures_fails_is_shown_as_failing_and_comes_back(case: Sending, table: list[str]) -> None:
    pictures = jpegs(4)

    def seen(sender: Sender) -> None:
        for seq, picture in enumerate(pictures, start=1):
            sender.post(picture)
            assert "result" in sender.answer(seq)

    with receiving() as at:
        rig = at.rig
        rig.wait_for(lambda: rig.state == "waiting" and rig.shows_a_notice)
        sender = Sender(at.port).greeted()
        seen(sender)
        rig.wait_for(lambda: rig.state == "online" and rig.shows_a_face)
        before = Held()
        case.does(sender)
        noticed_s = rig.wait_for(lambda: rig.state == "waiting", 5.0)
        rig.wait_for(lambda: rig.shows_a_notice, 1.5)
        rig.wait_for(lambda: case.reason in rig.capture.status.reason, 2.0)
        assert not rig.showed_a_face_while_broken, "no face is shown as live"
        sender.close()
        rig.wait_for(lambda: not at.mailbox.sender)
        since_s = time.monotonic()
        with Sender(at.port).greeted() as again:
            seen(again)
            back_s = time.monotonic() - since_s
            with Sender(at.port) as second:
                assert second.closing()[0] == 1013, "one sender at a time"
            rig.wait_for(lambda: rig.shows_a_face, 2.0)
        table.append(row(case.fault, rig, noticed_s, back_s, before))
        assert rig.capture.states[:4] == ["starting", "waiting", "online", "waiting"]
        assert rig.capture.status.since == len(pictures) + 1, "the numbers go on"
        assert (rig.retries, rig.capture.status.reconnects) == (0, 0), "it is not opened again, which mends nothing"
        assert Held().rss_mb - before.rss_mb < GROWTH_MB


def test_a_person_stops_and_starts_a_camera_and_pauses_it(camera: MjpegServer, table: list[str]) -> None:
    camera.fault = None
    rig = Rig(lambda: open_source(f"{camera.url}/faulty", silence_s=SILENCE_S), 5.0)
    with rig.running():
        rig.wait_for(lambda: rig.shows_a_face)
        before = Held()
        for ask, end, state in [("stop", "start", "stopped"), ("pause", "resume", "paused")]:
            rig.capture.ask(ask)  # type: ignore[arg-type]
            noticed_s = rig.wait_for(lambda state=state: rig.state == state)  # type: ignore[misc]
            rig.wait_for(lambda: rig.shows_a_notice, 1.5)
            frames = rig.capture.status.frames
            time.sleep(0.5)
            assert rig.capture.status.frames == frames
            assert not rig.showed_a_face_while_broken, "no face is shown as live"
            resumed_ns = time.monotonic_ns()
            rig.capture.ask(end)  # type: ignore[arg-type]
            back_s = rig.wait_for(lambda: rig.state == "online")
            rig.wait_for(lambda: rig.shows_a_face, 2.0)
            assert rig.shown is not None
            assert rig.shown.t_ns > resumed_ns, "nothing old is shown as live"
            table.append(row(f"a person asks for {ask}", rig, noticed_s, back_s, before))
    assert rig.capture.status.reconnects == 0


def test_a_camera_that_is_not_there_can_be_stopped_and_is_tried_at_once_when_it_is_started(table: list[str]) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}/stream"
    rig, before = Rig(lambda: open_source(url, silence_s=SILENCE_S), 5.0, Backoff(3600.0, 3600.0, 0.0)), Held()
    with rig.running():
        rig.wait_for(lambda: rig.retries == 1)
        rig.capture.ask("stop")
        noticed_s = rig.wait_for(lambda: rig.state == "stopped", 2.0)
        time.sleep(0.5)
        assert rig.retries == 1, "nothing opens it while it is stopped"
        with mjpeg_server(port):
            rig.capture.ask("start")
            back_s = rig.wait_for(lambda: rig.state == "online")
            table.append(row("stopped while it is not there", rig, noticed_s, back_s, before))
