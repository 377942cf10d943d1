"""What a process that opens foreign files may use."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from edge.config import Config
from edge.live import LiveSettings
from edge.uploads.confinement import Limits, limits_for_pictures, limits_for_videos
from edge.uploads.desk import UploadDesk
from edge.uploads.process import Child, Died, environment
from tests.films import film

SMALL = Limits(2**30, 2**20, 5.0, 10**6, "usual")


def ran(code: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", f"import os, sys\nfrom edge.uploads.confinement import *\n{code}"]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def confined(code: str, limits: Limits = SMALL) -> subprocess.CompletedProcess[str]:
    return ran(f"confine({limits!r}, os.getppid())\n{code}")


@pytest.mark.parametrize(
    ("priority", "policy", "niceness"),
    [("usual", os.SCHED_OTHER, 0), ("low", os.SCHED_OTHER, 19), ("idle", os.SCHED_IDLE, 19)],
)
def test_it_gives_way(priority: str, policy: int, niceness: int) -> None:
    limits = Limits(2**30, 2**20, 5.0, 10**6, priority)  # type: ignore[arg-type]
    asked = confined("print(os.sched_getscheduler(0), os.nice(0))", limits)
    assert asked.stdout.split() == [str(policy), str(min(19, os.nice(0) + niceness))]


def test_by_default_videos_wait_for_an_idle_core_and_pictures_do_not() -> None:
    desk = UploadDesk(LiveSettings(Config()))
    assert (desk.pictures._priority, desk.videos._priority) == ("low", "idle")


def test_it_cannot_take_more_memory() -> None:
    assert "MemoryError" in confined("bytearray(2**30)").stderr


def test_it_cannot_write_large_files(tmp_path: Path) -> None:
    result = confined(f"open({str(tmp_path / 'file')!r}, 'wb', 0).write(bytes(2**21)); print(os.umask(0))")
    assert (tmp_path / "file").stat().st_size <= 2**20
    assert result.stdout in ("63\n", "")  # 0o077


def test_it_is_ended_when_it_computes_for_too_long() -> None:
    result = confined("allow_cpu(0.1)\nwhile True: pass")
    assert result.returncode < 0


def test_it_may_compute_again_for_the_next_one() -> None:
    code = "import time\nfor _ in range(3):\n allow_cpu(1.0)\n end = time.process_time() + .6\n"
    result = confined(f"{code} while time.process_time() < end: pass\nallow_cpu(0)\nprint('done')")
    assert result.stdout == "done\n"


def test_it_does_not_start_when_its_parent_has_gone() -> None:
    assert ran(f"confine({SMALL!r}, 1 if os.getppid() != 1 else 2)\nprint('runs')").stdout == ""


def test_more_pixels_may_take_more_memory() -> None:
    small, large = (limits_for_pictures(megapixels, 20.0, "low") for megapixels in (1.0, 40.0))
    assert large.address_space_bytes > small.address_space_bytes
    assert limits_for_videos(40.0, 200.0, 20.0, "idle").address_space_bytes > large.address_space_bytes


def test_it_knows_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMOTION_EDGE_SERVER_TOKEN", "secret-token")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret-key")
    assert not [value for value in environment(SMALL).values() if "secret" in value]


@pytest.mark.parametrize(("with_limits", "readable"), [(False, True), (True, False)])
def test_a_video_may_not_name_other_files(tmp_path: Path, with_limits: bool, readable: bool) -> None:
    film(tmp_path / "other.avi", 3)
    (tmp_path / "list").write_text("ffconcat version 1.0\nfile other.avi\n")
    code = f"import cv2; print(cv2.VideoCapture({str(tmp_path / 'list')!r}, cv2.CAP_FFMPEG).read()[0])"
    surroundings = {**os.environ, **(environment(SMALL) if with_limits else {})}
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, capture_output=True, text=True, env=surroundings, check=True)
    assert result.stdout == f"{readable}\n"


def test_what_it_says_as_it_dies_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    async def said() -> tuple[str, int]:
        monkeypatch.setattr("edge.uploads.process.MODULE", "edge.uploads.no_such_module")
        child = await Child.start(SMALL)
        try:
            await child.answer()
        except Died as death:
            return death.said, death.signal
        finally:
            await child.end()
        return "", 0

    line, signal = asyncio.run(said())
    assert "no_such_module" in line
    assert signal == 0
