"""Sources on a V4L2 camera that is refused, and the whole program on one that fails. Run by root in a VM."""

import contextlib
import logging
import platform
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import cv2

from edge.errors import EdgeError, TemporaryError
from edge.sources import choose, open_source
from tests.e2e import program
from tests.e2e.program import running
from tests.stages.inside import vivid
from tests.stages.inside.report import Check, go_through
from tests.stages.inside.vivid_live import Live

program.START_S = 120.0
CAMERA = "v4l2:/dev/video0?size=640x480&fps=15"
BY_PATH = "/dev/v4l/by-path/platform-vivid.0-video-index0"
NOBODY = 65534
TAKES_S = 10.0


def taken(uri: str, count: int = 3) -> str:
    """Open, take some frames, close; says what came."""
    source = open_source(uri)
    try:
        frames = [source.read(TAKES_S) for _ in range(count)]
    finally:
        source.close()
    assert [frame.seq for frame in frames] == sorted({frame.seq for frame in frames})
    return f"{frames[-1].width}x{frames[-1].height} {frames[-1].format.value}"


def refused(uri: str, holds: str) -> str:
    """The message with which it does not open, which holds some words."""
    try:
        came = taken(uri)
    except TemporaryError as error:
        told = str(error)
    else:
        raise AssertionError(f"{uri} delivered {came}")
    assert holds in told, told
    return told


@contextlib.contextmanager
def warnings() -> Iterator[list[str]]:
    """What is logged as a warning meanwhile."""
    said: list[str] = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger().addHandler(handler)
    try:
        yield said
    finally:
        logging.getLogger().removeHandler(handler)


def versions() -> str:
    vivid.plug_in()
    offered = vivid.formats()
    assert "YUYV" in offered
    assert "MJPG" not in offered
    return (
        f"Linux {platform.release()}, Python {platform.python_version()}, OpenCV {cv2.__version__}; vivid offers "
        f"{len(offered)} formats: {' '.join(offered[:8])} … BGR3 RGB3 GREY, no MJPG"
    )


def chosen() -> str:
    choice = choose("auto")
    assert choice.uri == "v4l2:/dev/video0", choice
    return choice.caption


def formats_and_sizes() -> str:
    uris = {f"size={size}": size for size in ("320x180", "640x480", "1280x720")}
    uris |= {"format=yuyv&size=640x480": "640x480", "fps=5&size=640x480": "640x480"}
    for options, size in uris.items():
        found = taken(f"v4l2:/dev/video0?{options}")
        assert found == f"{size} bgr", f"{options}: {found}"
    return ", ".join(uris)


def other_size() -> str:
    with warnings() as said:
        found = taken("v4l2:/dev/video0?size=800x600")
    return f"asked for 800x600, came as {found}; warnings: {said or 'none'}"


def colours() -> str:
    """The bars are those of the test picture, and in their places."""
    source = open_source(CAMERA)
    try:
        picture = source.read(TAKES_S).bgr
    finally:
        source.close()
    bars = (picture[400, 40::80] > 96).astype(int).tolist()
    white, yellow, cyan, green = [1, 1, 1], [0, 1, 1], [1, 1, 0], [0, 1, 0]
    magenta, red, blue, black = [1, 0, 1], [0, 0, 1], [1, 0, 0], [0, 0, 0]
    assert bars == [white, yellow, cyan, green, magenta, red, blue, black], picture[400, 40::80].tolist()
    return "white yellow cyan green magenta red blue black"


def refused_format() -> str:
    """A format the camera does not have is not passed over in silence."""
    with warnings() as said:
        try:
            came = taken("v4l2:/dev/video0?size=640x480&format=mjpg")
        except EdgeError as error:
            came = "refused"
            said.append(str(error))
    assert any("mjpg" in text.lower() for text in said), (
        f"came as {came}, and nothing was said about the format: {said}"
    )
    return f"format=mjpg: {came}; {said[0]}"


def by_path() -> str:
    link = Path(BY_PATH).readlink()
    return f"{BY_PATH} → {link}: {taken(f'v4l2:{BY_PATH}?size=640x480')}"


def busy() -> str:
    streaming = subprocess.Popen(
        ["v4l2-ctl", "--device", "/dev/video0", "--stream-mmap", "--stream-count=100000"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        time.sleep(2.0)
        told = refused(CAMERA, f"in use by v4l2-ctl (process {streaming.pid})")
        by_link = refused(f"v4l2:{BY_PATH}", f"in use by v4l2-ctl (process {streaming.pid})")
    finally:
        streaming.kill()
        streaming.wait()
    assert by_link
    taken(CAMERA)
    return told


def forbidden() -> str:
    code = f"from edge.sources import open_source; open_source({CAMERA!r})"
    done = subprocess.run(
        [sys.executable, "-c", code],
        user=NOBODY,
        group=NOBODY,
        extra_groups=[],
        capture_output=True,
        text=True,
        check=False,
    )
    told = done.stderr.strip().splitlines()[-1]
    assert done.returncode != 0
    assert "TemporaryError: no permission to use /dev/video0" in told, done.stderr
    assert "usermod -aG video nobody" in told
    return told


def missing() -> str:
    return refused("v4l2:/dev/video7", "there is no /dev/video7, but /dev/video0")


ALONE: dict[str, Check] = {
    "camera": versions,
    "auto takes it": chosen,
    "formats, sizes, rates": formats_and_sizes,
    "a size it does not have": other_size,
    "colours": colours,
    "a format it does not have": refused_format,
    "link by path": by_path,
    "busy": busy,
    "forbidden": forbidden,
    "missing": missing,
}


def main() -> int:
    """Exit status."""
    failures = go_through(ALONE)
    vivid.call("modprobe", "-r", "vivid")
    with running("--source", f"{CAMERA}&frozen=3", EMOTION_EDGE_SOURCE_MAX_FPS="4") as edge:
        live_failures = go_through(Live(edge).checks())
        if live_failures:
            print("".join(edge.log[-60:]))
    return min(1, failures + live_failures)


if __name__ == "__main__":
    sys.exit(main())
