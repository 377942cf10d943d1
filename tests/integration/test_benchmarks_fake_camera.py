"""A V4L2 camera made of code, as programs see it who read cameras."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.streaming import fake_camera as module
from benchmarks.streaming.fake_camera import LIBRARY, Format, compiled, fake_camera
from edge.errors import PermanentError
from tests.tools import require_tool

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="V4L2 is Linux's")

READ = """
import sys
import time
from pathlib import Path
import cv2
from benchmarks.streaming import timecode
from edge.sources.v4l2_modes import read_card

device, code = sys.argv[1:]
for mode in read_card(Path(device)).modes:
    print(mode.format, mode.width, mode.height, *mode.fps)
for _ in range(2):  # it can be opened again
    capture = cv2.VideoCapture(device, cv2.CAP_V4L2)
    assert capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*code)), "format"
    assert capture.set(cv2.CAP_PROP_BUFFERSIZE, 2), "buffers"
    last_ns = 0
    for number in range(5):
        if number == 2:
            time.sleep(0.2)  # all buffers are full now
        done, picture = capture.read()
        assert done, "no picture"
        now_ns = timecode.now_ns()
        taken_ns = timecode.read(picture, now_ns)
        assert taken_ns is not None, "no moment in it"
        assert last_ns < taken_ns <= now_ns, "not in order"
        assert now_ns - taken_ns < 5e9, "an old one"
        last_ns = taken_ns
    capture.release()
print(picture.shape, round(picture.std()) > 20)
"""


@pytest.mark.parametrize("code", ["MJPG", "YUYV"])
def test_opencv_reads_it_as_any_camera(code: Format):
    require_tool("cc", "apt-get install gcc libc6-dev")
    with fake_camera(code, faces=1, seconds=1) as camera:
        asked = [sys.executable, "-c", READ, str(camera.device), code]
        environment = {**os.environ, **camera.environment}
        done = subprocess.run(asked, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [f"{code} 640 480 30.0", "(480, 640, 3) True"]
    assert not camera.device.exists()


def test_without_a_compiler_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PermanentError, match="apt-get install gcc"), fake_camera("MJPG"):
        pass


def test_what_the_compiler_says_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    require_tool("cc", "apt-get install gcc libc6-dev")
    broken = tmp_path / "broken.c"
    broken.write_text(LIBRARY.read_text(encoding="utf-8").replace("struct camera *camera;", ""), encoding="utf-8")
    monkeypatch.setattr(module, "LIBRARY", broken)
    with pytest.raises(PermanentError, match=r"broken\.c.*error"):
        compiled(tmp_path)
