"""Videos over real sockets, analysed by a real child process with the real model."""

import json
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import msgspec
import pytest

from edge.app import App
from edge.config import Config
from edge.status import UploadsStatus
from edge.uploads import videos
from edge.uploads.store import KEEP_FREE_BYTES, LOCK, PREFIX, free_bytes
from tests.films import written
from tests.uploading import SHORT_FRAMES, Taking, ask, encoded, eventually, people, taking


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A film that takes seconds to analyse."""
    path = tmp_path_factory.mktemp("films") / "long.avi"
    return written(path, [people("1280x720")] * 400, 25).read_bytes()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Taking]:
    with taking(tmp_path) as server:
        yield server


def stored(folder: Path) -> list[Path]:
    """All files of the server, but its lock."""
    return [path for path in folder.rglob("*") if path.is_file() and path.name != LOCK]


def test_files_are_for_nobody_else_and_the_upload_goes_when_it_is_done(server: Taking, short_video: bytes) -> None:
    folder = Path(server.settings.current.uploads.folder)
    job = server.wait(server.send(short_video).json["id"])
    assert sorted(path.name for path in stored(folder)) == ["annotated.webm", "events.csv", "events.jsonl"]
    for path in folder.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    assert server.ask("DELETE", f"/api/v1/videos/{job['id']}").json["state"] == "done"
    assert stored(folder) == []
    assert server.ask("GET", f"/api/v1/videos/{job['id']}").status == 404


def test_a_video_can_be_cancelled_while_it_runs_and_while_it_waits(
    server: Taking, long: bytes, short_video: bytes
) -> None:
    first, second, third = (server.send(video).json["id"] for video in (long, long, short_video))
    running = server.wait(first, "running")
    eventually(lambda: server.job(first)["frames"] > 0, "it says how far it is")
    assert 0 < server.job(first)["progress"] < 1
    assert running["message"] == ""
    assert (server.desk.status().running, server.desk.status().waiting) == (1, 2)
    early = server.ask("GET", f"/api/v1/videos/{first}/events.csv")
    assert (early.status, early.code) == (409, "not_done")
    assert server.ask("DELETE", f"/api/v1/videos/{second}").json["state"] == "cancelled"
    assert server.ask("DELETE", f"/api/v1/videos/{first}").json["state"] == "cancelled"
    assert server.wait(third)["state"] == "done"
    assert [job["id"] for job in server.ask("GET", "/api/v1/videos").json] == [third]
    assert len({path.parent for path in stored(Path(server.settings.current.uploads.folder))}) == 1


def test_a_process_that_is_killed_fails_its_video_only(server: Taking, long: bytes, short_video: bytes) -> None:
    first, second = (server.send(video).json["id"] for video in (long, short_video))
    eventually(lambda: server.job(first)["frames"] > 0, "it runs")
    os.kill(only_child(), signal.SIGKILL)
    failed = server.wait(first)
    assert failed["state"] == "failed"
    assert "crashed" in failed["message"]
    assert server.ask("GET", f"/api/v1/videos/{first}/events.csv").status == 404
    assert server.wait(second)["state"] == "done"


def only_child() -> int:
    """The process that analyses a video."""
    command = f"ps --ppid {os.getpid()} -o pid=,args="
    found = subprocess.run(command.split(), capture_output=True, text=True, check=True).stdout.splitlines()
    (child,) = (line for line in found if "edge.uploads.worker" in line)
    return int(child.split()[0])


def test_when_the_queue_is_full_one_has_to_come_back(tmp_path: Path, long: bytes, short_video: bytes) -> None:
    with taking(tmp_path, max_waiting=1) as server:
        first, second = (server.send(long).json["id"] for _ in range(2))
        full = server.send(short_video)
        assert (full.status, full.code) == (503, "busy")
        assert int(full.headers["retry-after"]) > 0
        assert "max_waiting" in full.message
        for job_id in (first, second):
            server.ask("DELETE", f"/api/v1/videos/{job_id}")
        assert server.send(short_video).status == 202


def test_a_full_disk_is_named_before_anything_is_written(tmp_path: Path, short_video: bytes) -> None:
    with taking(tmp_path, free=lambda _: KEEP_FREE_BYTES + 100) as server:
        answer = server.send(short_video)
        assert (answer.status, answer.code) == (507, "no_space")
        assert "100 MB have to stay free" in answer.message
    assert stored(tmp_path) == []


def test_a_disk_that_fills_up_ends_the_analysis(tmp_path: Path, long: bytes) -> None:
    free = [10**12]
    with taking(tmp_path, free=lambda _: free[0]) as server:
        job_id = server.send(long).json["id"]
        eventually(lambda: server.job(job_id)["frames"] > 0, "it runs")
        free[0] = 0
        failed = server.wait(job_id)
        assert failed["state"] == "failed"
        assert "0 MB free" in failed["message"]
        assert stored(tmp_path) == []


def test_a_disk_that_is_full_although_it_said_otherwise(tmp_path: Path, long: bytes) -> None:
    if (
        os.geteuid() != 0
        or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=1m", "none", tmp_path], capture_output=True, check=False
        ).returncode
    ):
        pytest.skip("may not mount a disk of 1 MB")
    try:
        with taking(tmp_path, free=lambda _: 10**12) as server:
            answer = server.send(long)
            assert (answer.status, answer.code) == (507, "no_space")
            assert stored(tmp_path) == []
    finally:
        subprocess.run(["umount", tmp_path], check=True)


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ({"max_minutes": 0.01}, "this video lasts 0.0 minutes, expected 0.01 at most"),
        ({"max_megapixels": 0.01}, "this video has 160×120"),
    ],
)
def test_what_is_too_long_or_too_large_fails_with_the_limit(
    tmp_path: Path, short_video: bytes, limits: dict[str, float], said: str
) -> None:
    with taking(tmp_path, **limits) as server:
        job = server.wait(server.send(short_video).json["id"])
    assert job["state"] == "failed"
    assert said in job["message"]
    assert str(tmp_path) not in job["message"]


def test_too_many_bytes_are_refused_with_and_without_a_length(tmp_path: Path, short_video: bytes) -> None:
    with taking(tmp_path, max_mb=0.01) as server:
        assert (server.send(short_video).status, server.send(short_video).code) == (413, "too_large")
        chunked = ask(server.port, "POST", "/api/v1/videos", [short_video], Transfer_Encoding="chunked")
        assert chunked.status == 413
    assert stored(tmp_path) == []


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "empty"),
        (b"#EXTM3U\nfile:///etc/passwd\n", "expected a video"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "expected a video"),
        (encoded(people("160x120")), "JPEG picture"),
        (b"PK\3\4" + bytes(2000), "50 4b"),
    ],
    ids=["empty", "playlist", "concatenation", "picture", "archive"],
)
def test_what_is_no_video_is_refused_at_its_first_bytes(server: Taking, body: bytes, said: str) -> None:
    answer = server.send(body)
    assert (answer.status, answer.code) == (415, "unsupported_media_type")
    assert said in answer.message
    assert stored(Path(server.settings.current.uploads.folder)) == []


def test_a_video_that_breaks_off_while_it_comes_leaves_nothing(server: Taking, long: bytes) -> None:
    import socket

    with socket.create_connection(("127.0.0.1", server.port)) as sock:
        head = "POST /api/v1/videos HTTP/1.1\r\nHost: localhost\r\nContent-Type: video/mp4\r\n"
        sock.sendall(f"{head}Content-Length: {len(long)}\r\n\r\n".encode() + long[: 3 << 20])
        eventually(lambda: server.desk.videos.waiting == 1, "it arrives")
    eventually(lambda: server.desk.videos.waiting == 0, "it is given up")
    eventually(lambda: stored(Path(server.settings.current.uploads.folder)) == [], "nothing is left")


def test_results_expire_when_nobody_asks_for_them(server: Taking, short_video: bytes) -> None:
    kept, left = (server.wait(server.send(short_video).json["id"])["id"] for _ in range(2))
    now_s = time.monotonic()
    clock = [now_s + 20 * 60]
    server.desk.videos._clock_s = lambda: clock[0]
    server.job(kept)
    clock[0] += 11 * 60
    sweep(server)
    assert [job["id"] for job in server.ask("GET", "/api/v1/videos").json] == [kept]
    assert server.ask("GET", f"/api/v1/videos/{left}").status == 404
    clock[0] += 31 * 60
    sweep(server)
    assert stored(Path(server.settings.current.uploads.folder)) == []


def sweep(server: Taking) -> None:
    """Look for what is to be deleted now, not later."""
    import asyncio

    runner = server.desk.videos._sweeper
    assert runner is not None
    asyncio.run_coroutine_threadsafe(server.desk.videos.sweep(), runner.get_loop()).result(20)


def test_the_oldest_results_go_when_there_are_too_many(
    server: Taking, short_video: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(videos, "MAX_KEPT", 2)
    ids = [server.wait(server.send(short_video).json["id"])["id"] for _ in range(4)]
    eventually(lambda: len(server.ask("GET", "/api/v1/videos").json) == 2, "two are left")
    assert [job["id"] for job in server.ask("GET", "/api/v1/videos").json] == ids[2:]


@pytest.mark.parametrize(("mode", "annotated"), [("none", False), ("boxes", True), ("blurred", True)])
def test_no_more_of_a_video_is_shown_than_of_the_camera(
    tmp_path: Path, short_video: bytes, mode: str, annotated: bool
) -> None:
    with taking(tmp_path, privacy={"video": mode}) as server:
        job = server.wait(server.send(short_video).json["id"])
        assert (job["state"], job["annotated"], job["frames"]) == ("done", annotated, SHORT_FRAMES)
        answer = server.ask("GET", f"/api/v1/videos/{job['id']}/annotated.webm")
        assert answer.status == (200 if annotated else 403)
        server.settings.change({"privacy": {"video": "none"}})
        stricter = server.ask("GET", f"/api/v1/videos/{job['id']}/annotated.webm")
        assert (stricter.status, stricter.json["error"]["code"]) == (403, "private")
        assert "privacy.video is none" in stricter.json["error"]["message"]
    if mode == "boxes":
        (tmp_path / "film.webm").write_bytes(answer.body)
        _, picture = cv2.VideoCapture(str(tmp_path / "film.webm")).read()
        # where the film has its white blocks
        assert abs(picture[106:, :].astype(int) - (40, 34, 30)).max() < 25


def test_the_server_stops_at_once_though_a_video_runs(tmp_path: Path, long: bytes) -> None:
    with taking(tmp_path) as server:
        job_id = server.send(long).json["id"]
        eventually(lambda: server.job(job_id)["frames"] > 0, "it runs")
        child = only_child()
        began_s = time.monotonic()
    assert time.monotonic() - began_s < 2
    assert not Path(f"/proc/{child}").exists()
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_run_left_behind_is_deleted_and_nothing_else(tmp_path: Path) -> None:
    dead, foreign = tmp_path / f"{PREFIX}dead", tmp_path / "emotion-edge-other"
    for folder in (dead, foreign):
        folder.mkdir()
        (folder / LOCK).touch()
        (folder / "annotated.webm").touch()
    with taking(tmp_path) as running, taking(tmp_path):
        assert not dead.exists()
        assert foreign.exists()
        running.send(b"\x1a\x45\xdf\xa3" + bytes(2000))
        with taking(tmp_path):
            assert len(list(tmp_path.glob(f"{PREFIX}*"))) == 1
    assert list(tmp_path.iterdir()) == [foreign]


def test_a_program_that_is_killed_takes_its_process_with_it(tmp_path: Path, long: bytes) -> None:
    (tmp_path / "long.avi").write_bytes(long)
    code = (
        "import sys, time; from tests.uploading import taking; from pathlib import Path\n"
        "with taking(sys.argv[1]) as server:\n"
        "    job = server.send(Path(sys.argv[1], 'long.avi').read_bytes()).json['id']\n"
        "    while not server.job(job)['frames']: time.sleep(.05)\n"
        "    print('running', flush=True); time.sleep(60)\n"
    )
    program = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    try:
        assert program.stdout is not None
        assert program.stdout.readline() == "running\n"
        command = f"ps --ppid {program.pid} -o pid=".split()
        child = int(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[0])
    finally:
        program.kill()
        program.wait()
    eventually(lambda: not Path(f"/proc/{child}").exists(), "it was killed as well")


def test_free_space_is_that_of_the_disk(tmp_path: Path) -> None:
    assert free_bytes(tmp_path) == pytest.approx(os.statvfs(tmp_path).f_bavail * os.statvfs(tmp_path).f_frsize, rel=0.1)


def test_pictures_are_read_while_a_video_runs(server: Taking, long: bytes) -> None:
    job_id = server.send(long).json["id"]
    eventually(lambda: server.job(job_id)["frames"] > 0, "it runs")
    assert server.analyze(encoded(people("320x240"))).status == 200
    assert server.job(job_id)["state"] == "running"
    assert json.loads(server.ask("GET", "/state").body)["uploads"] is None
    assert threading.active_count() < 30


def test_the_state_tells_what_may_be_sent() -> None:
    config = msgspec.convert({"source": {"uri": "demo"}, "uploads": {"max_mb": 3.0}}, Config)
    assert App(config).status().uploads == UploadsStatus(True, 3.0, 10.0, running=0, waiting=0)
