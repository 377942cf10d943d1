"""Videos through the batch engine, with the shipped models."""

import csv
import subprocess
from pathlib import Path

import cv2
import msgspec
import numpy as np
import pytest

from edge.batch.settings import BatchSettings
from edge.batch.video import Networks, Progress, VideoSummary, analyse_video
from edge.config import Config
from edge.errors import PermanentError
from edge.events import SceneEvent
from tests.clips import clip, drawn, recorded_by_run
from tests.real_data import real_data
from tests.tools import require_tool

LIVE_THRESHOLD = Config().expression.threshold


@pytest.fixture(scope="module")
def networks() -> Networks:
    return Networks(Config())


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return clip(tmp_path_factory.mktemp("films") / "people.mp4", 60)


def test_a_films_records_are_those_of_run_line_by_line(film: Path, networks: Networks, tmp_path: Path):
    summary = analyse_video(film, tmp_path / "out", BatchSettings(threshold=LIVE_THRESHOLD), networks=networks)
    found = (tmp_path / "out" / "events.jsonl").read_bytes()
    assert found == recorded_by_run(f"file:{film}?realtime=0", tmp_path / "run.jsonl")
    assert len(found.splitlines()) == summary.with_faces > 50


def test_a_real_films_records_are_those_of_run_line_by_line(networks: Networks, tmp_path: Path):
    real = real_data("videos", "cap13_edit2.mp4")
    analyse_video(real, tmp_path / "out", BatchSettings(threshold=LIVE_THRESHOLD), networks=networks)
    found = (tmp_path / "out" / "events.jsonl").read_bytes()
    assert found == recorded_by_run(f"file:{real}?realtime=0", tmp_path / "run.jsonl")
    assert len(found.splitlines()) == 765


def test_a_film_is_summed_up_by_face(film: Path, networks: Networks, tmp_path: Path):
    told: list[Progress] = []
    settings = BatchSettings(formats=("jsonl", "csv"), annotate=True)
    summary = analyse_video(film, tmp_path / "out", settings, told.append, networks=networks)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "annotated.webm", "events.csv", "events.jsonl", "summary.json",
    ]  # fmt: skip
    assert (summary.frames, summary.duration_s, summary.complete, summary.notes) == (60, 2.4, True, ())
    assert [progress.frames for progress in told] == list(range(1, 61))
    assert told[-1] == Progress(60, 60, 2.36)
    events = [
        msgspec.json.decode(line, type=SceneEvent)
        for line in (tmp_path / "out" / "events.jsonl").read_bytes().splitlines()
    ]
    for face in summary.faces:
        times = [event.media_s for event in events if face.id in {other.id for other in event.faces}]
        assert (face.first_s, face.last_s) == (times[0], times[-1])
        assert sum(face.label_seconds.values()) == pytest.approx(face.last_s - face.first_s, abs=0.001)
    assert {face.id for face in summary.faces} == {face.id for event in events for face in event.faces}
    assert msgspec.json.decode((tmp_path / "out" / "summary.json").read_bytes(), type=VideoSummary) == summary


def test_the_annotated_film_has_the_same_frames_with_boxes(film: Path, networks: Networks, tmp_path: Path):
    analyse_video(film, tmp_path / "out", BatchSettings(annotate=True), networks=networks)
    capture = cv2.VideoCapture(str(tmp_path / "out" / "annotated.webm"))
    assert capture.get(cv2.CAP_PROP_FPS) == 25
    shown = []
    while capture.grab():
        shown.append(capture.retrieve()[1])
    assert len(shown) == 60
    for index in (0, 30, 59):
        apart = [np.abs(shown[index].astype(int) - original).mean() for original in drawn(60)]
        assert int(np.argmin(apart)) == pytest.approx(index, abs=1)
        assert (np.abs(shown[index].astype(int) - drawn(60)[index]).max(axis=2) > 90).mean() > 0.01, "no boxes"


def test_csv_has_a_row_for_each_face_and_the_same_figures(film: Path, networks: Networks, tmp_path: Path):
    analyse_video(film, tmp_path / "out", BatchSettings(formats=("jsonl", "csv")), networks=networks)
    with (tmp_path / "out" / "events.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    lines = (tmp_path / "out" / "events.jsonl").read_bytes().splitlines()
    events = [msgspec.json.decode(line, type=SceneEvent) for line in lines]
    pairs = [(event, face) for event in events for face in event.faces]
    assert len(rows) == len(pairs)
    for row, (event, face) in zip(rows, pairs, strict=True):
        assert row["file"] == str(film)
        assert (int(row["frame"]), float(row["media_s"]), int(row["face"])) == (event.seq, event.media_s, face.id)
        assert tuple(float(row[key]) for key in "xywh") == face.box
        assert (row["label"], float(row["confidence"])) == (face.label, face.confidence)
        assert {name: float(row[f"score_{name}"]) for name in face.scores} == face.scores


def test_a_cancelled_film_keeps_what_was_done(film: Path, networks: Networks, tmp_path: Path):
    told: list[Progress] = []
    settings = BatchSettings(annotate=True)
    summary = analyse_video(film, tmp_path / "out", settings, told.append, lambda: len(told) >= 20, networks)
    assert (summary.frames, summary.cancelled, summary.complete) == (20, True, False)
    assert cv2.VideoCapture(str(tmp_path / "out" / "annotated.webm")).get(cv2.CAP_PROP_FRAME_COUNT) == 20


def test_a_film_that_breaks_off_is_analysed_as_far_as_it_goes(networks: Networks, tmp_path: Path):
    whole = clip(tmp_path / "whole.avi", 40).read_bytes()
    (tmp_path / "half.avi").write_bytes(whole[: len(whole) // 2])
    summary = analyse_video(tmp_path / "half.avi", tmp_path / "out", BatchSettings(), networks=networks)
    assert 10 < summary.frames < 30
    assert not summary.complete
    (note,) = summary.notes
    assert note == f"The video broke off at frame {summary.frames} of 40: what follows is missing or damaged."


def test_too_large_and_too_long_films_are_refused(film: Path, networks: Networks, tmp_path: Path):
    with pytest.raises(PermanentError, match=r"320×240 = 0.1 megapixels, expected 0.05 at most"):
        analyse_video(film, tmp_path, BatchSettings(max_megapixels=0.05), networks=networks)
    with pytest.raises(PermanentError, match=r"expected 0.02 at most"):
        analyse_video(film, tmp_path, BatchSettings(max_minutes=0.02), networks=networks)
    assert list(tmp_path.iterdir()) == []


def test_a_varying_frame_rate_keeps_its_time(networks: Networks, tmp_path: Path):
    ffmpeg = require_tool("ffmpeg", "apt-get install ffmpeg")
    even = clip(tmp_path / "even.avi", 60)
    # at 25 a second up to frame 30, then every fifth of them
    chosen = "select='lt(n,30)+not(mod(n,5))'"
    varying = tmp_path / "varying.mp4"
    subprocess.run(
        [
            str(ffmpeg),
            "-v",
            "error",
            "-i",
            str(even),
            "-vf",
            chosen,
            "-fps_mode",
            "vfr",
            "-c:v",
            "mpeg4",
            "-video_track_timescale",
            "1000",
            str(varying),
        ],
        check=True,
    )
    summary = analyse_video(varying, tmp_path / "out", BatchSettings(annotate=True), networks=networks)
    lines = (tmp_path / "out" / "events.jsonl").read_bytes().splitlines()
    events = [msgspec.json.decode(line, type=SceneEvent) for line in lines]
    times = [event.media_s for event in events]
    expected = [index / 25 for index in range(60) if index < 30 or index % 5 == 0]
    assert times == pytest.approx(expected[len(expected) - len(times) :], abs=0.002)
    assert any("frame rate varies" in note for note in summary.notes)
    capture = cv2.VideoCapture(str(tmp_path / "out" / "annotated.webm"))
    length_s = capture.get(cv2.CAP_PROP_FRAME_COUNT) / capture.get(cv2.CAP_PROP_FPS)
    assert length_s == pytest.approx(2.24, abs=0.1)
