"""The benchmark counts what it says it counts."""

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.bench.clip import Clip, load_clip
from edge.bench.served import measure_served, url_of
from edge.bench.whole import Bench, Mix, measure, timing, typical_ns
from edge.config import Config, DetectorConfig
from edge.errors import ConfigError, PermanentError

HAAR = Config(detector=DetectorConfig(name="haar"))


@pytest.fixture(scope="module")
def clip() -> Clip:
    return load_clip(None, 12)


def test_the_generated_clip_is_always_the_same(clip: Clip):
    assert load_clip(None, 12).jpegs == clip.jpegs
    assert clip.frame(0).bgr.shape == (480, 640, 3)


def test_the_mix_foretells_what_whole_frames_do(clip: Clip):
    bench = Bench(clip, HAAR)
    mixes = bench.mixes(11)
    assert mixes[0].searched == "whole"
    assert {mix.searched for mix in mixes} == {"whole", "nothing"}, "Haar searches no parts"
    for index, mix in enumerate(mixes):
        spent = bench.whole(index)
        assert ("detect" in spent.stages_ns) is (mix.searched != "nothing")
        assert ("classify" in spent.stages_ns) is (mix.faces > 0)
        assert 0 < sum(spent.stages_ns.values()) <= spent.total_ns


def test_every_stage_can_be_called_alone(clip: Clip):
    for name, call in Bench(clip, HAAR).stages().items():
        call()
        assert name


def test_a_report_has_figures_of_all_stages_and_a_ratio_above_one():
    report = measure(quick=True, config=HAAR)
    assert report.stages.keys() >= {"decode", "detect", "track", "chip", "classify", "draw", "encode"}
    assert report.whole.p50_ms <= report.whole.p95_ms <= report.whole.p99_ms
    assert report.ratio > 0.8, "Haar's floor is the whole of it"
    assert report.machine.cores >= 1
    assert "x the floor" in report.text()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="processes are stopped and timed as Linux does it")
def test_the_program_with_a_viewer_is_measured_against_its_floor():
    served = measure_served(rounds=2, span_s=0.6)
    assert (len(served.program_ms), len(served.floor_ms)) == (2, 3)
    assert min(served.program_ms) > 0
    assert min(served.floor_ms) > 0
    assert served.ratio > 1
    assert 0.5 < served.shown < 1.5
    assert 0.05 < served.detections < 0.6
    assert "with a viewer" in served.text()


def test_a_program_that_does_not_start_says_why():
    command = [sys.executable, "-c", "import sys; sys.exit('the port is taken')"]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process,
        pytest.raises(PermanentError, match="did not start: the port is taken"),
    ):
        url_of(process)


def test_a_clip_as_a_film_has_its_frames(clip: Clip, tmp_path: Path):
    clip.write(tmp_path / "clip.avi")
    film = load_clip(str(tmp_path / "clip.avi"), 99)
    assert len(film.jpegs) == len(clip.jpegs)
    difference = np.abs(film.frame(5).bgr.astype(int) - clip.frame(5).bgr.astype(int))
    assert difference.mean() < 3


def test_a_film_that_cannot_be_written_is_refused(clip: Clip, tmp_path: Path):
    with pytest.raises(ConfigError, match="cannot write a film to"):
        clip.write(tmp_path / "nowhere" / "clip.avi")


def test_one_interrupted_frame_does_not_change_the_typical_one():
    mixes = [Mix("nothing", 1)] * 9 + [Mix("whole", 1)] * 3
    assert typical_ns([10] * 8 + [9999] + [50] * 3, mixes) == pytest.approx((9 * 10 + 3 * 50) / 12)


def test_percentiles_are_in_milliseconds():
    spent = timing([1_000_000, 2_000_000, 3_000_000])
    assert (spent.runs, spent.mean_ms, spent.p50_ms) == (3, 2.0, 2.0)


def test_a_clip_without_a_face_is_refused(tmp_path: Path):
    path = tmp_path / "grey.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 30, (640, 480))
    for _ in range(3):
        writer.write(np.full((480, 640, 3), 128, np.uint8))
    writer.release()
    with pytest.raises(ConfigError, match=r"no face in any of the 3 frames of grey\.avi"):
        Bench(load_clip(str(path), 5), HAAR).stages()


def test_a_clip_that_is_not_there_is_refused():
    with pytest.raises(ConfigError, match="there is no file"):
        load_clip("nowhere.mp4", 3)
