"""Films cut into segments, with the shipped models: nothing is lost, nothing comes twice, and the rest is alike."""

import io
import json
import os
import random
import struct
from collections.abc import Callable
from pathlib import Path

import cv2
import msgspec
import numpy as np
import pytest

from edge.batch.bench import Bench, Here
from edge.batch.inputs import Input, find_inputs
from edge.batch.mapped import UNCUT
from edge.batch.plan import Segment
from edge.batch.ray_node import Order, Refusal, parts, perform
from edge.batch.run import CHANGED, Batch
from edge.batch.settings import BatchSettings
from edge.batch.shares import Piece, Share
from edge.batch.summary import BatchSummary
from edge.batch.video import Progress
from edge.errors import ConfigError, PermanentError
from edge.events import SceneEvent
from edge.sources.file import open_video
from edge.sources.stretch import Stretch
from tests.clips import clip, picture
from tests.films import encoder, ffmpeg, read, written
from tests.real_data import real_data

SEGMENT_S = 2.0


class Told:
    """A reporter that keeps what it is told."""

    def __init__(self, on_progress: Callable[[], None] = lambda: None) -> None:
        self.progressed: list[Progress] = []
        self.names: list[str] = []
        self._on_progress = on_progress

    def begun(self, files: int) -> None:
        pass

    def file(self, item: Input) -> None:
        self.names.append(item.name)

    def progress(self, progress: Progress) -> None:
        self.progressed.append(progress)
        self._on_progress()

    def finished(self, item: Input, problem: str | None) -> None:
        pass

    def note(self, text: str) -> None:
        raise AssertionError(text)


class Counting(Here):
    """This machine, and what is to happen before the share of a number."""

    def __init__(self, settings: BatchSettings, at: int = 0, what: Callable[[], None] = lambda: None) -> None:
        super().__init__(Bench(settings))
        self.count = 0
        self._at = at
        self._what = what

    def result(
        self, begun: object, progress: Callable[[Progress], None], cancelled: Callable[[], bool]
    ) -> Piece | Exception | None:
        self.count += 1
        if self.count == self._at:
            self._what()
        return super().result(begun, progress, cancelled)


class AsANode(Here):
    """What a node of a cluster makes of shares."""

    def __init__(self, settings: BatchSettings) -> None:
        super().__init__(Bench(settings))
        content = msgspec.json.encode(settings)
        self._order = Order(content, str(Path.cwd()), parts(content))

    def result(
        self, begun: object, progress: Callable[[Progress], None], cancelled: Callable[[], bool]
    ) -> Piece | Exception | None:
        assert isinstance(begun, Share)
        found = perform(self._order, begun, Path(begun.path).stat().st_size)
        return PermanentError(found.reason) if isinstance(found, Refusal) else found


def batch(paths: list[Path], folder: Path, told: Told | None = None, **settings: object) -> BatchSummary:
    settings = {"segment_s": SEGMENT_S, **settings}
    found = find_inputs(paths, folder)
    return Batch(found, BatchSettings(**settings), told or Told(), folder=folder).run()  # type: ignore[arg-type]


def records(folder: Path) -> list[SceneEvent]:
    return [msgspec.json.decode(line, type=SceneEvent) for line in (folder / "records.jsonl").read_bytes().splitlines()]


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """8.2 s: three segments, and a rest that belongs to the last."""
    return clip(tmp_path_factory.mktemp("people") / "people.mp4", 205)


@pytest.fixture(scope="module")
def encoded(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    return encoder(tmp_path_factory.mktemp("encoded"))


def test_a_film_in_segments_has_the_frames_and_faces_of_the_whole_one(people: Path, tmp_path: Path):
    told = Told()
    summary = batch([people], tmp_path / "cut", told)
    whole = batch([people], tmp_path / "whole", segment_s=0.0)
    assert (summary.frames, summary.faces, summary.failed, summary.notes) == (205, whole.faces, (), ())
    cut, uncut = records(tmp_path / "cut"), records(tmp_path / "whole")
    assert [(event.seq, event.media_s, event.source) for event in cut] == [
        (event.seq, event.media_s, event.source) for event in uncut
    ]
    assert cut[:50] == uncut[:50]
    assert cut != uncut, "it was not cut"
    faces = [[(face.id, face.label) for face in event.faces] for event in cut]
    alike = sum(a == [(face.id, face.label) for face in b.faces] for a, b in zip(faces, uncut, strict=True))
    assert alike > 0.9 * len(cut)
    frames = [progress.frames for progress in told.progressed]
    assert frames == sorted(frames)
    assert set(frames) == set(range(1, 206))
    assert {progress.total for progress in told.progressed} == {205}


def test_the_real_film_too(tmp_path: Path):
    real = real_data("videos", "cap13_edit2.mp4")
    assert batch([real], tmp_path / "cut", segment_s=10.0).faces == 1
    batch([real], tmp_path / "whole", segment_s=0.0)
    cut, uncut = records(tmp_path / "cut"), records(tmp_path / "whole")
    assert [(event.seq, event.media_s) for event in cut] == [(event.seq, event.media_s) for event in uncut]
    labels = [[[face.label for face in event.faces] for event in events] for events in (cut, uncut)]
    assert sum(a == b for a, b in zip(*labels, strict=True)) > 0.95 * 765


def test_a_film_of_one_segment_is_the_whole_film_byte_for_byte(people: Path, tmp_path: Path):
    picture(tmp_path / "in" / "a.png")
    for style in ("jsonl", "csv"):
        batch([people, tmp_path / "in"], tmp_path / f"cut {style}", segment_s=100.0, formats=(style,))
        batch([people, tmp_path / "in"], tmp_path / f"whole {style}", segment_s=0.0, formats=(style,))
        cut, whole = ((tmp_path / f"{kind} {style}" / f"records.{style}").read_bytes() for kind in ("cut", "whole"))
        assert cut == whole


def test_a_varying_rate_loses_no_frame(encoded: Callable[[str], Path], tmp_path: Path):
    for name in ("varies.mp4", "h264.ts"):
        summary = batch([encoded(name)], tmp_path / name)
        assert (summary.frames, summary.notes, summary.failed) == (len(read(Stretch(encoded(name), 0.0))), (), ())


def test_what_cannot_be_cut_is_analysed_in_one_piece_and_told(encoded: Callable[[str], Path], tmp_path: Path):
    one = encoded("h264.ts").read_bytes()
    twice = tmp_path / "twice.ts"
    twice.write_bytes(one + one)
    told = Told()
    summary = batch([twice], tmp_path / "cut", told)
    batch([twice], tmp_path / "whole", segment_s=0.0)
    assert any(UNCUT in note for note in summary.notes)
    assert (tmp_path / "cut" / "records.jsonl").read_bytes() == (tmp_path / "whole" / "records.jsonl").read_bytes()
    assert summary.frames > 251
    assert told.progressed[-1].frames == summary.frames


def test_a_film_that_breaks_off_says_where_as_ever(tmp_path: Path):
    whole = clip(tmp_path / "whole.avi", 200).read_bytes()
    half = tmp_path / "half.avi"
    half.write_bytes(whole[: len(whole) // 2])
    cut, uncut = batch([half], tmp_path / "cut"), batch([half], tmp_path / "uncut", segment_s=0.0)
    (problem,) = cut.failed
    assert problem == uncut.failed[0]
    assert "The video broke off at frame" in problem.reason
    assert cut.frames == uncut.frames
    assert [e.seq for e in records(tmp_path / "cut")] == [e.seq for e in records(tmp_path / "uncut")]


def test_whether_the_film_ended_is_told(people: Path):
    bench = Bench(BatchSettings())
    found = {}
    for segment in (Segment(0.0, 2.0), Segment(6.0), Segment(60.0, 120.0)):
        piece = bench.analyse(Share(str(people), "video", segment))
        assert piece is not None
        found[segment.begin_s] = (piece.frames, piece.ended)
    assert found == {0.0: (50, False), 6.0: (55, True), 60.0: (0, True)}


def test_a_film_that_claims_to_last_for_an_hour_takes_no_more_than_what_is_there(tmp_path: Path):
    data = bytearray(clip(tmp_path / "short.avi", 100).read_bytes())
    frames = data.index(b"strh") + 40
    assert struct.unpack_from("<I", data, frames) == (100,)
    struct.pack_into("<I", data, frames, 90_000)
    (tmp_path / "long.avi").write_bytes(data)
    settings = BatchSettings(segment_s=SEGMENT_S)
    engine = Counting(settings)
    summary = Batch(
        find_inputs([tmp_path / "long.avi"]), settings, Told(), folder=tmp_path / "out", engine=engine
    ).run()
    assert engine.count == 3  # two with frames, and one behind them
    assert summary.frames == 100
    assert [problem.reason for problem in summary.failed] == [
        "The video broke off at frame 100 of 90000: what follows is missing or damaged."
    ]


@pytest.fixture(scope="module")
def damaged(people: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """H.264, with bits that were turned over in its middle; frames are many to a key frame."""
    folder = tmp_path_factory.mktemp("damaged")
    options = ("-c:v", "libx264", "-preset", "veryfast", "-g", "90", "-bf", "3", "-pix_fmt", "yuv420p")
    data = bytearray(ffmpeg(people, folder / "sound.mp4", *options).read_bytes())
    chance = random.Random(3)
    for _ in range(150):
        data[chance.randrange(len(data) * 3 // 10, len(data) * 7 // 10)] ^= 1 << chance.randrange(8)
    path = folder / "damaged.mp4"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("segment_s", [SEGMENT_S, 100.0])
def test_of_a_damaged_film_everybody_makes_the_same_each_time(
    damaged: Path, segment_s: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    settings = BatchSettings(segment_s=segment_s)
    made = []
    for cores in ("1", "8"):  # FFMPEG takes that for their number, unless it is told how many threads to use
        monkeypatch.setenv("OPENCV_FFMPEG_THREADS", cores)
        for name, engine in (("here", None), ("node", AsANode(settings))):
            out = tmp_path / f"{name} {cores}"
            done = Batch(find_inputs([damaged]), settings, Told(), folder=out, engine=engine).run()
            made.append(((out / "records.jsonl").read_bytes(), done.frames, done.faces, done.failed, done.notes))
    assert made == made[:1] * 4
    assert made[0][0]


def test_segments_are_decoded_by_one_thread_and_whole_films_by_all(people: Path, monkeypatch: pytest.MonkeyPatch):
    asked: list[int | None] = []

    def opened(path: Path, threads: int | None = None) -> cv2.VideoCapture:
        asked.append(threads)
        return open_video(path, threads)

    assert open_video(people, 1).get(cv2.CAP_PROP_N_THREADS) == 1
    for module in ("file", "stretch"):
        monkeypatch.setattr(f"edge.sources.{module}.open_video", opened)
    before = dict(os.environ)
    stream = io.BytesIO()
    for segment_s in (4.0, 100.0, 0.0):
        Batch(find_inputs([people]), BatchSettings(segment_s=segment_s), Told(), stream=stream).run()
    assert asked == [1, 1, 1, None]
    assert os.environ == before


@pytest.mark.parametrize("segment_s", [SEGMENT_S, 0.0])
def test_a_film_that_becomes_another_while_it_is_analysed_counts_as_failed_and_is_done_again(
    segment_s: float, people: Path, tmp_path: Path
):
    path, out = tmp_path / "film.mp4", tmp_path / "out"
    path.write_bytes(people.read_bytes())
    grey = written(tmp_path / "grey.mp4", [np.full((240, 320, 3), 90, np.uint8)] * 205, 25.0)

    def swap() -> None:
        if grey.exists():
            grey.replace(path)

    settings = BatchSettings(segment_s=segment_s)
    engine = Counting(settings, 3, swap) if segment_s else None
    told = Told() if segment_s else Told(swap)
    first = Batch(find_inputs([path]), settings, told, folder=out, engine=engine).run()
    assert [(problem.path, problem.reason) for problem in first.failed] == [(str(path), CHANGED)]
    again = batch([path], out, segment_s=segment_s)
    assert (again.failed, again.frames, again.faces, again.earlier) == ((), 205, 0, 0)


def test_a_bad_file_does_not_end_the_run_and_has_the_same_reason(people: Path, tmp_path: Path):
    folder = tmp_path / "in"
    picture(folder / "a.png")
    (folder / "b.jpg").write_bytes(b"\xff\xd8\xff\xe0 this is broken")
    (folder / "c.mp4").write_bytes(bytes(range(256)) * 8)
    (folder / "d.mp4").write_bytes(people.read_bytes())
    picture(folder / "e.png", seed=5)
    told = Told()
    cut, uncut = batch([folder], tmp_path / "cut", told), batch([folder], tmp_path / "uncut", segment_s=0.0)
    assert cut.failed == uncut.failed
    assert len(cut.failed) == 2
    assert (cut.files, cut.frames) == (3, 207)
    assert told.names == ["a.png", "b.jpg", "c.mp4", "d.mp4", "e.png"]


def test_an_interrupted_run_goes_on_and_ends_as_if_it_had_not_been(people: Path, tmp_path: Path):
    folder, out = tmp_path / "in", tmp_path / "out"
    for name in ("a.mp4", "b.mp4"):
        folder.mkdir(exist_ok=True)
        (folder / name).write_bytes(people.read_bytes())
    batch([folder], tmp_path / "expected")
    told = Told()

    def second_under_way() -> bool:
        return told.names == ["a.mp4", "b.mp4"] and told.progressed[-1].frames == 120

    settings = BatchSettings(segment_s=SEGMENT_S)
    first = Batch(find_inputs([folder]), settings, told, folder=out, cancelled=second_under_way).run()
    assert (first.interrupted, first.files) == (True, 1)
    assert {event.source.rpartition("/")[2] for event in records(out)} == {"a.mp4 320×240"}
    assert sorted(path.name for path in out.iterdir()) == ["records.jsonl", "state.json", "summary.json"]
    again = batch([folder], out)
    assert (again.interrupted, again.files, again.earlier) == (False, 2, 1)
    assert (out / "records.jsonl").read_bytes() == (tmp_path / "expected" / "records.jsonl").read_bytes()


def test_results_in_other_segments_are_other_results(people: Path, tmp_path: Path):
    batch([people], tmp_path / "out")
    with pytest.raises(ConfigError, match=r"other settings.*--segment-s 60 for what a cluster began"):
        batch([people], tmp_path / "out", segment_s=3.0)


def test_records_reach_a_stream_file_by_file(people: Path, tmp_path: Path):
    batch([people], tmp_path / "out")
    stream = io.BytesIO()
    Batch(find_inputs([people]), BatchSettings(segment_s=SEGMENT_S), Told(), stream=stream).run()
    assert stream.getvalue() == (tmp_path / "out" / "records.jsonl").read_bytes()
    assert json.loads(stream.getvalue().splitlines()[-1])["seq"] == 205


@pytest.mark.parametrize("wanted", ["annotate", "save_chips"])
def test_copies_and_chips_are_refused(wanted: str, people: Path, tmp_path: Path):
    with pytest.raises(ConfigError, match="--annotate and --save-chips without --engine ray and --segment-s"):
        batch([people], tmp_path / "out", **{wanted: True})
    assert not (tmp_path / "out").exists()


def test_a_film_without_a_face_has_no_records_and_all_its_frames(tmp_path: Path):
    written(tmp_path / "grey.mp4", [np.full((120, 160, 3), 90, np.uint8)] * 150, 25.0)
    summary = batch([tmp_path / "grey.mp4"], tmp_path / "out")
    assert (summary.frames, summary.faces, summary.without_a_face) == (150, 0, 1)
    assert (tmp_path / "out" / "records.jsonl").read_bytes() == b""
