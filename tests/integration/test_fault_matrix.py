"""Every way a source can fail, on the real workers: the states it goes through, what is shown, and how it recovers.

`pytest -s` prints the table.
"""

import itertools
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from edge.ports import FrameSource
from edge.sources import open_source
from edge.worker import Backoff
from tests.films import film
from tests.mjpeg_server import Fault, MjpegServer, mjpeg_server
from tests.rig import Held, Rig
from tests.senders import Sender, jpegs, receiving
from tests.tools import require_tool

SILENCE_S = 1.6
"""After this a silent stream is given up: later than it is called stalled."""
RECOVERY_S = 4.0
"""The longest wait of the rig's workers, and what opening takes on a busy machine."""
GROWTH_MB = 24


@pytest.fixture(scope="module")
def table() -> Iterator[list[str]]:
    rows: list[str] = []
    yield rows
    print("\n" + "\n".join([f"{'fault':<34}{'states':<64}{'noticed':>9}{'back':>8}{'RSS':>10}", *rows]))


@pytest.fixture(scope="module")
def camera() -> Iterator[MjpegServer]:
    with mjpeg_server() as server:
        yield server


Feeders = list[subprocess.Popen[bytes]]


@contextmanager
def feeding() -> Iterator[Feeders]:
    """Programs that feed a source; gone when the context is left."""
    feeders: Feeders = []
    try:
        yield feeders
    finally:
        for feeder in feeders:
            feeder.kill()
            feeder.wait()


def row(name: str, rig: Rig, noticed_s: float | None, back_s: float | None, before: Held) -> str:
    times = "".join(f"{'–' if s is None else f'{s:.2f} s':>9}" for s in (noticed_s, back_s))
    return f"{name:<34}{' → '.join(rig.capture.states):<64}{times}{Held().rss_mb - before.rss_mb:>+7.1f} MB"


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
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = int(held.getsockname()[1])
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


@pytest.mark.parametrize(
    ("name", "ends"),
    [
        ("cut off.mp4", ("starting", "failed")),
        ("cut off.avi", ("starting", "online", "ended")),
        ("text.mp4", ("starting", "failed")),
        ("zero bytes.mp4", ("starting", "failed")),
        ("a folder.mp4", ("starting", "failed")),
        ("not there.mp4", ("starting", "failed")),
        ("whole.mp4", ("starting", "online", "ended")),
    ],
)
def test_a_file_that_is_none_fails_and_says_why(
    name: str, ends: tuple[str, ...], tmp_path: Path, table: list[str]
) -> None:
    path = tmp_path / name
    if name.startswith(("cut", "whole")):
        film(path, 20)
        path.write_bytes(path.read_bytes()[: None if name.startswith("whole") else path.stat().st_size * 6 // 10])
    elif name.startswith("a folder"):
        path.mkdir()
    elif not name.startswith("not"):
        path.write_text("Dear diary\n" * 40 if name.startswith("text") else "")
    before = Held()
    rig = Rig(lambda: open_source(f"file:{path}"), 5.0)
    with rig.running():
        assert rig.ended.wait(10)
        if ends[-1] == "failed":
            rig.wait_for(lambda: rig.shows_a_notice, 2.0)
    table.append(row(name, rig, None, None, before))
    assert tuple(rig.capture.states) == ends
    assert rig.retries == 0, "to open it again would not help"
    if ends[-1] == "failed":
        assert str(path) in rig.capture.status.reason


def test_a_looping_file_that_vanishes_fails_and_says_why(tmp_path: Path, table: list[str]) -> None:
    path, before = film(tmp_path / "loop.mp4", 12), Held()
    rig = Rig(lambda: open_source(f"file:{path}?loop=1"), 5.0)
    with rig.running():
        rig.wait_for(lambda: rig.capture.status.frames > 3)
        path.unlink()
        noticed_s = rig.wait_for(lambda: rig.state == "failed")
        rig.wait_for(lambda: rig.shows_a_notice, 2.0)
    table.append(row("loop.mp4 vanishes", rig, noticed_s, None, before))
    assert rig.capture.states == ["starting", "online", "failed"]
    assert "there is no file" in rig.capture.status.reason


def test_a_feeder_that_is_killed_and_started_again(table: list[str]) -> None:
    ffmpeg = require_tool("ffmpeg", "apt-get install ffmpeg")
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{held.getsockname()[1]}/"
    source = ["-hide_banner", "-loglevel", "error", "-re", "-f", "lavfi", "-i", "testsrc=size=320x240:rate=25"]
    coded = ["-c:v", "mpeg2video", "-g", "5", "-f", "mpegts", "-listen", "1"]

    def feed() -> subprocess.Popen[bytes]:
        return subprocess.Popen([ffmpeg, *source, *coded, url], stdin=subprocess.DEVNULL)

    rig = Rig(lambda: open_source(url, silence_s=SILENCE_S), 5.0)
    with feeding() as feeders:
        # what asks why a connection fails may take ffmpeg's one and only connection: then it ends, and is started again
        def fed() -> bool:
            if not feeders or feeders[-1].poll() is not None:
                feeders.append(feed())
            return rig.state == "online"

        with rig.running():
            rig.wait_for(fed, 25.0)
            rig.wait_for(lambda: rig.shows_a_face)
            before = Held()
            feeders[-1].send_signal(signal.SIGKILL)
            noticed_s = rig.wait_for(lambda: rig.state == "reconnecting")
            rig.wait_for(lambda: rig.shows_a_notice, 1.5)
            back_s = rig.wait_for(fed, 25.0)
            table.append(row("ffmpeg (mpegts) is killed", rig, noticed_s, back_s, before))
    assert rig.capture.states[:4] == ["starting", "online", "reconnecting", "online"]


def test_a_films_time_stamps_that_jump_ahead_by_hours_and_back_do_not_matter(tmp_path: Path) -> None:
    ffmpeg = require_tool("ffmpeg", "apt-get install ffmpeg")
    joined = b""
    for offset_s in (0, 7200, 0):
        part = tmp_path / "part.ts"
        made = [
            "-y",
            "-loglevel",
            "error",
            "-f",
            "lavfi",
            "-i",
            "testsrc=size=160x120:rate=25:duration=0.4",
            "-c:v",
            "mpeg2video",
        ]
        subprocess.run([ffmpeg, *made, "-output_ts_offset", str(offset_s), part], check=True, stdin=subprocess.DEVNULL)
        joined += part.read_bytes()
    path = tmp_path / "jumps.ts"
    path.write_bytes(joined)
    source = open_source(f"file:{path}?realtime=0")
    stamps = [source.read(1.0).t_ns for _ in range(25)]
    source.close()
    assert [later - sooner for sooner, later in itertools.pairwise(stamps)] == [40_000_000] * 24
    rig = Rig(lambda: open_source(f"file:{path}"), 5.0)
    with rig.running():
        assert rig.ended.wait(10)
    assert rig.capture.states == ["starting", "online", "ended"]
    assert rig.capture.status.frames >= 25


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are a POSIX system's")
def test_a_pipe_whose_writer_is_killed_waits_for_the_next_one(tmp_path: Path, table: list[str]) -> None:
    pipe = tmp_path / "camera"
    os.mkfifo(pipe)
    script = (
        "import sys, time\n"
        "from edge.sources import open_source\n"
        "from edge.encode import encode_jpeg\n"
        "source, pipe = open_source('demo:?size=320x240&fps=30'), open(sys.argv[1], 'wb', buffering=0)\n"
        "while True: pipe.write(encode_jpeg(source.read(5).bgr, 80))\n"
    )

    def feed() -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-c", script, pipe], stdin=subprocess.DEVNULL)

    rig = Rig(lambda: open_source(f"fifo:{pipe}", silence_s=SILENCE_S), 5.0)
    with feeding() as feeders:
        feeders.append(feed())
        with rig.running():
            rig.wait_for(lambda: rig.shows_a_face, 20.0)
            before = Held()
            feeders[0].send_signal(signal.SIGKILL)
            noticed_s = rig.wait_for(lambda: rig.state == "reconnecting")
            rig.wait_for(lambda: rig.shows_a_notice, 1.5)
            feeders.append(feed())
            back_s = rig.wait_for(lambda: rig.state == "online", 20.0)
            table.append(row("a pipe's writer is killed", rig, noticed_s, back_s, before))
    assert rig.capture.states[:4] == ["starting", "online", "reconnecting", "online"]
    assert rig.capture.status.reconnects == 1, "openings without a writer are none"
    assert Held().rss_mb - before.rss_mb < GROWTH_MB


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
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = int(held.getsockname()[1])
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
