"""Whatever is sent: a clear answer, nothing in the log, nothing left, and the next picture is read."""

import gc
import logging
import os
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests import malformed_files
from tests.uploading import Answer, Taking, encoded, people, taking

SEED = 20_260
PICTURE_STATUSES = {200, 400, 413, 415, 422}
GROWTH_BYTES = 40_000_000


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Taking]:
    with taking(tmp_path / "uploads", max_megapixels=4.0, max_mb=5.0, max_waiting=50) as server:
        yield server


def check(name: str, answer: Answer, allowed: set[int]) -> None:
    assert answer.status in allowed, (name, answer.status, answer.body[:300])
    if answer.status >= 400:
        assert answer.code.islower(), name
        assert 20 < len(answer.message) < 400, name
        assert "Traceback" not in answer.message, name
        assert "/tmp" not in answer.message, name


def held() -> tuple[int, int, int]:
    """Memory, open files and threads of this process, in which the server runs."""
    gc.collect()
    process = psutil.Process()
    return process.memory_info().rss, process.num_fds(), threading.active_count()


def send_pictures(server: Taking, seed: int, count: int) -> Counter[str]:
    found: Counter[str] = Counter()
    for name, data in malformed_files.pictures(seed, count):
        answer = server.analyze(data, "?picture=1&whole=1")
        check(name, answer, PICTURE_STATUSES)
        found[f"{answer.status} {answer.code}" if answer.status >= 400 else "200"] += 1
    return found


def send_videos(server: Taking, seed: int, count: int, folder: Path) -> Counter[str]:
    found: Counter[str] = Counter()
    for name, data in malformed_files.videos(seed, count, folder):
        answer = server.send(data)
        check(name, answer, {202, 415})
        if answer.status != 202:
            found[f"{answer.status} {answer.code}"] += 1
            continue
        job = server.wait(answer.json["id"])
        assert job["state"] in ("done", "failed"), name
        assert job["message"], name
        assert str(folder) not in job["message"], name
        found[f"202, then {job['state']}"] += 1
        server.ask("DELETE", f"/api/v1/videos/{job['id']}")
    return found


def calm(caplog: pytest.LogCaptureFixture) -> bool:
    """Whether the log has no errors, and warnings of the server's own only."""
    return not [record for record in caplog.records if record.levelno >= logging.ERROR or record.exc_info]


def test_files_made_to_do_harm(server: Taking, caplog: pytest.LogCaptureFixture) -> None:
    sound = encoded(people("160x120"))
    for name, data in malformed_files.fixed():
        check(name, server.analyze(data, "?picture=1"), PICTURE_STATUSES)
        check(name, server.send(data), {415})
        assert server.analyze(sound).status == 200, name
    assert calm(caplog), caplog.text


def test_random_damage(server: Taking, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    thorough(server, tmp_path, caplog, 150, 9)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_much_random_damage(server: Taking, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    thorough(server, tmp_path, caplog, 3000, 120)


def thorough(server: Taking, folder: Path, caplog: pytest.LogCaptureFixture, pictures: int, videos: int) -> None:
    send_pictures(server, SEED - 1, 30)
    before = held()
    found = send_pictures(server, SEED, pictures)
    seen = send_videos(server, SEED, videos, folder)
    after = held()
    print(f"\n{pictures} pictures: {dict(found.most_common())}\n{videos} videos: {dict(seen.most_common())}")
    assert len(found) > 1
    assert calm(caplog), caplog.text
    assert after[0] - before[0] < GROWTH_BYTES
    assert after[1] <= before[1] + 4  # the store's lock
    assert after[2] <= before[2] + min(32, (os.cpu_count() or 1) + 4)  # asyncio's threads for the disk
    assert server.analyze(encoded(people("160x120"))).status == 200
    assert [path for path in folder.joinpath("uploads").rglob("*") if path.is_file() and path.name != "in-use"] == []
