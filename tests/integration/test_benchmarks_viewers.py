"""Many viewers, measured for a moment: servers on the camera made of code, and who watches them."""

import sys
import time
from pathlib import Path

import pytest

from benchmarks.streaming import viewers
from benchmarks.streaming.crowds import OWN
from benchmarks.streaming.fake_camera import fake_camera
from benchmarks.streaming.streamers import PLAIN, SERVERS, USTREAMER, version_of_ustreamer
from benchmarks.streaming.viewers_page import document
from benchmarks.streaming.watchers import KeepingViewer, ages
from tests.tools import require_tool
from training.reporting.document import write

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="epoll, and clocks of other processes, as Linux has"
)


@pytest.fixture(autouse=True)
def _compiler() -> None:
    require_tool("cc", "apt-get install gcc libc6-dev")


@pytest.mark.parametrize("server", SERVERS)
def test_every_server_streams_the_raw_camera_with_the_moment_in_it(server: str):
    if server == USTREAMER and not version_of_ustreamer():
        pytest.skip("needs ustreamer: apt-get install ustreamer")
    with fake_camera("YUYV", faces=1, seconds=1) as camera, SERVERS[server](camera) as streamer:
        viewer = KeepingViewer(streamer.port, keep_every=1)
        end_s = time.monotonic() + 15
        while not ages(viewer.kept) and time.monotonic() < end_s:
            viewer.forget()
            time.sleep(0.1)
            assert viewer.take()
        assert 0 < min(ages(viewer.kept)) < 5000
        assert viewer.bytes > 2000 * viewer.pictures > 0


def test_nothing_to_measure_is_refused(capsys: pytest.CaptureFixture[str]):
    assert viewers.main(["--rounds", "0"]) == 78
    assert "0 rounds of 20 s measure nothing" in capsys.readouterr().err


def test_servers_are_measured_with_viewers_some_of_them_stalled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(viewers, "WARM_S", 1.0)
    monkeypatch.setattr(viewers, "FORMATS", ("MJPG",))
    monkeypatch.setattr(viewers, "version_of_ustreamer", str)  # as where it is not installed
    said: list[str] = []
    found = viewers.survey(0.7, (1, 3), 1, said.append)
    assert [(crowd.server, crowd.camera, crowd.viewers) for crowd in found.crowds] == [
        (OWN, "MJPG", 1),
        (OWN, "MJPG", 3),
        (PLAIN, "MJPG", 1),
        (PLAIN, "MJPG", 3),
    ]
    for crowd in found.crowds:
        assert 0 < crowd.least_fps <= crowd.median_fps
        assert 0 < crowd.p50_ms <= crowd.p95_ms
        assert crowd.cpu_share > 0
        assert crowd.rss_mib > crowd.rss_after_mib > 0
        assert crowd.picture_kib > 2
        assert (crowd.encodes_per_scene is None) == (crowd.server == PLAIN)
        assert crowd.lost == 0
    assert len(said) == 4
    page = write(document(found), tmp_path).read_text(encoding="utf-8")
    assert "| emotion-edge, MJPG, 3 |" in page
    assert "Left out: ustreamer is not installed" in page
    assert (tmp_path / "streaming.json").is_file()
    assert (tmp_path / "streaming-processor.png").is_file()
