"""Every way files and the programs that feed a source can fail, on the real workers; see `test_fault_matrix.py`."""

import itertools
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from edge.sources import open_source
from tests.faults import GROWTH_MB, SILENCE_S, free_port, row
from tests.films import film
from tests.rig import Held, Rig
from tests.tools import require_tool

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
    url = f"http://127.0.0.1:{free_port()}/"
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
