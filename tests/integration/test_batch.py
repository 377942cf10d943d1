"""Folders through the batch engine, with the shipped models."""

import errno
import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np
import pytest

from edge.analyzer import EmotionAnalyzer
from edge.batch.inputs import Input, find_inputs
from edge.batch.ledger import Done, Ledger
from edge.batch.run import Batch
from edge.batch.settings import BatchSettings
from edge.batch.shares import Share
from edge.batch.summary import BatchSummary
from edge.batch.video import Progress
from edge.batch.writing import CannotWrite
from edge.config import Config
from edge.errors import ConfigError
from edge.events import SceneEvent
from tests.clips import bomb, clip, picture


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with pictures, a film, and what is neither or broken."""
    folder = tmp_path_factory.mktemp("files")
    for number in (1, 2, 10):
        picture(folder / f"p{number}.png", seed=number)
    clip(folder / "sub" / "film.avi", 20)
    cv2.imwrite(str(folder / "nobody.png"), np.full((120, 160, 3), 90, np.uint8))
    (folder / "bomb.png").write_bytes(bomb())
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "notes.txt").write_text("hello")
    (folder / "junk.mp4").write_bytes(bytes(range(256)) * 8)
    return folder


class Quiet:
    """A reporter that keeps what it is told."""

    def __init__(self, on_file: Callable[[Input], None] = lambda _: None) -> None:
        self.problems: dict[str, str] = {}
        self.progressed: list[Progress] = []
        self._on_file = on_file

    def begun(self, files: int) -> None:
        self.files = files

    def file(self, item: Input) -> None:
        self._on_file(item)

    def progress(self, progress: Progress) -> None:
        self.progressed.append(progress)

    def finished(self, item: Input, problem: str | None) -> None:
        if problem:
            self.problems[item.name] = problem

    def note(self, text: str) -> None:
        raise AssertionError(text)


def batch(
    paths: list[Path], folder: Path | None, reporter: Quiet | None = None, *, fresh: bool = False, **settings: object
) -> BatchSummary:
    made = Batch(
        find_inputs(paths, folder),
        BatchSettings(**settings),  # type: ignore[arg-type]
        reporter or Quiet(),
        folder=folder,
        stream=io.BytesIO(),
        fresh=fresh,
    )
    return made.run()


def records(folder: Path) -> list[SceneEvent]:
    return [msgspec.json.decode(line, type=SceneEvent) for line in (folder / "records.jsonl").read_bytes().splitlines()]


def test_nothing_that_is_wrong_with_a_file_ends_the_run(files: Path, tmp_path: Path):
    reporter = Quiet()
    summary = batch([files, files / "gone.jpg"], tmp_path / "out", reporter)
    assert (summary.files, summary.pictures, summary.videos, summary.frames) == (5, 4, 1, 24)
    reasons = {Path(problem.path).name: problem.reason for problem in summary.failed}
    assert set(reasons) == {"bomb.png", "empty.jpg", "junk.mp4", "gone.jpg"}
    assert "3600.0 megapixels" in reasons["bomb.png"]
    assert reasons["empty.jpg"].startswith("the picture is empty")
    assert reasons["junk.mp4"].startswith("holds no frame")
    assert [(Path(problem.path).name, problem.reason) for problem in summary.skipped] == [("notes.txt", "a text file")]
    assert sum(summary.label_shares.values()) == pytest.approx(1, abs=0.001)
    saved = msgspec.json.decode((tmp_path / "out" / "summary.json").read_bytes(), type=BatchSummary)
    assert saved == summary
    text = "\n".join(summary.lines())
    assert "Analysed 4 pictures and 1 video: 24 frames" in text
    assert "Failed, all or in part: 4 files" in text


def test_each_picture_has_a_record_also_without_a_face(files: Path, tmp_path: Path):
    batch([files], tmp_path / "out")
    found = records(tmp_path / "out")
    with EmotionAnalyzer() as analyzer:
        for name in ("p1.png", "p2.png", "p10.png", "nobody.png"):
            (record,) = [event for event in found if event.source.endswith(name)]
            assert record == analyzer.analyze(files / name)
    assert [event.source.rpartition("/")[2] for event in found if "images:" in event.source] == [
        "nobody.png", "p1.png", "p2.png", "p10.png",
    ]  # fmt: skip
    assert not next(event for event in found if event.source.endswith("nobody.png")).faces


def test_that_no_face_was_found_is_said(files: Path, tmp_path: Path):
    assert "No face was found in 1 of 5 files." in batch([files], tmp_path / "all").lines()
    assert "No face was found in it." in batch([files / "nobody.png"], tmp_path / "one").lines()
    assert "No face" not in "\n".join(batch([files / "p1.png"], tmp_path / "other").lines())


def test_annotated_copies_and_chips_lie_under_the_names_of_their_files(files: Path, tmp_path: Path):
    out = tmp_path / "out"
    batch([files], out, annotate=True, save_chips=True)
    assert sorted(path.relative_to(out).as_posix() for path in (out / "annotated").rglob("*") if path.is_file()) == [
        "annotated/nobody.png.jpg",
        "annotated/p1.png.jpg",
        "annotated/p10.png.jpg",
        "annotated/p2.png.jpg",
        "annotated/sub/film.avi.webm",
    ]
    read = sum(1 for event in records(out) if event.source.endswith("p1.png") for face in event.faces if face.scores)
    chips = sorted((out / "chips" / "p1.png").iterdir())
    assert len(chips) == read > 0
    with EmotionAnalyzer() as analyzer:
        cut = analyzer.chips(analyzer.scene(files / "p1.png"))
    assert (cv2.imread(str(chips[0]), cv2.IMREAD_UNCHANGED)[..., np.newaxis] == cut[1][0]).all()
    assert (out / "chips" / "sub" / "film.avi" / "000001-1.png").exists()


def test_no_face_is_kept_unless_asked_for(files: Path, tmp_path: Path):
    out = tmp_path / "out"
    batch([files], out)
    assert sorted(path.name for path in out.iterdir()) == ["records.jsonl", "state.json", "summary.json"]


def test_a_second_run_does_only_what_is_new(files: Path, tmp_path: Path):
    source, out = tmp_path / "in", tmp_path / "out"
    for name in ("p1.png", "p2.png"):
        (source / name).parent.mkdir(exist_ok=True)
        (source / name).write_bytes((files / name).read_bytes())
    batch([source], out)
    before = (out / "records.jsonl").read_bytes()
    reporter = Quiet()
    assert batch([source], out, reporter).earlier == 2
    assert reporter.files == 0
    assert (out / "records.jsonl").read_bytes() == before
    picture(source / "p3.png", seed=3)
    assert (batch([source], out, reporter).files, reporter.files) == (3, 1)
    assert (out / "records.jsonl").read_bytes().startswith(before)


@pytest.mark.parametrize("style", ["jsonl", "csv"])
def test_a_file_that_has_changed_is_done_again_and_stands_once(style: str, files: Path, tmp_path: Path):
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    for name in ("a.png", "b.png", "c.png"):
        (source / name).write_bytes((files / "p1.png").read_bytes())
    batch([source], out, formats=(style,))
    (source / "b.png").write_bytes((files / "p2.png").read_bytes())
    reporter = Quiet()
    assert batch([source], out, reporter, formats=(style,)).files == 3
    assert reporter.files == 1
    batch([source], tmp_path / "anew", formats=(style,))
    found, expected = ((folder / f"records.{style}").read_text().splitlines() for folder in (out, tmp_path / "anew"))
    assert sorted(found) == sorted(expected)


def test_results_of_other_settings_are_refused_and_stay(files: Path, tmp_path: Path):
    out = tmp_path / "out"
    batch([files / "p1.png"], out)
    before = (out / "records.jsonl").read_bytes()
    for changed in ({"threshold": 0.6}, {"formats": ("csv",)}, {"annotate": True}, {"whole": True}):
        with pytest.raises(ConfigError, match="--fresh to delete them and begin anew"):
            batch([files / "p1.png"], out, **changed)
    assert (out / "records.jsonl").read_bytes() == before
    (out / "mine.txt").write_text("not yours")
    assert batch([files / "p1.png"], out, fresh=True, formats=("csv",), annotate=True).earlier == 0
    assert sorted(path.name for path in out.iterdir()) == [
        "annotated", "mine.txt", "records.csv", "state.json", "summary.json",
    ]  # fmt: skip


def test_a_folder_that_holds_anothers_file_of_that_name_is_refused(files: Path, tmp_path: Path):
    (tmp_path / "records.jsonl").write_text("precious\n")
    with pytest.raises(ConfigError, match="is not of an earlier run"):
        batch([files / "p1.png"], tmp_path)
    assert (tmp_path / "records.jsonl").read_text() == "precious\n"


def test_two_runs_do_not_write_to_one_folder(files: Path, tmp_path: Path):
    def second(_: Input) -> None:
        with pytest.raises(ConfigError, match="another `emotion-edge analyze` writes to"):
            batch([files / "p2.png"], tmp_path / "out")

    assert batch([files / "p1.png"], tmp_path / "out", Quiet(second)).files == 1


def done(name: str) -> Done:
    return Done("", name, "picture", 1, 1, 0, 0, 1, 1, {}, 0.1)


class Counted(dict[str, Done]):
    """Counts how often all of it is gone over."""

    times = 0

    def values(self) -> Any:
        self.times += 1
        return super().values()


def test_to_add_a_file_does_not_go_over_all_that_were_added_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("edge.batch.ledger.SAVE_S", float("inf"))
    with Ledger(tmp_path / "out", "same", "csv", b"head\n") as ledger:
        ledger._done = counted = Counted()
        for number in range(5):
            item = Input(tmp_path / f"{number}.png", "picture", f"{number}.png")
            ledger.add(item, f"{number}\n".encode(), done(item.name))
        assert counted.times == 0
        ledger.drop([Input(tmp_path / "1.png", "picture", "1.png")])
        ledger.add(Input(tmp_path / "1.png", "picture", "1.png"), b"1 again\n", done("1.png"))
    content = (tmp_path / "out" / "records.csv").read_bytes()
    assert content == b"head\n0\n2\n3\n4\n1 again\n"
    assert [content[one.begin : one.end] for one in ledger.done] == [b"0\n", b"2\n", b"3\n", b"4\n", b"1 again\n"]


def test_what_was_written_but_not_counted_is_cut_off(tmp_path: Path):
    def opened() -> Ledger:
        return Ledger(tmp_path / "out", "same", "csv", b"head\n")

    first, second = (Input(tmp_path / name, "video", name) for name in ("a", "b"))
    with opened() as ledger:
        ledger.add(first, b"a1\na2\n", done("a"))
    path = tmp_path / "out" / "records.csv"
    with path.open("ab") as file:
        file.write(b"b1\nhalf a li")
    with opened() as ledger:
        assert path.read_bytes() == b"head\na1\na2\n"
        ledger.add(second, b"b1\n", done("b"))
    assert path.read_bytes() == b"head\na1\na2\nb1\n"


def test_what_a_killed_run_was_writing_is_taken_away_and_nothing_else(files: Path, tmp_path: Path):
    out = tmp_path / "out"
    out.mkdir()
    for name in (
        "unfinished-17-state.json",
        "unfinished-17-summary.json",
        "unfinished-17-records.jsonl",
        "unfinished-me",
    ):
        (out / name).write_text("half")
    batch([files / "p1.png"], out)
    assert sorted(path.name for path in out.iterdir()) == [
        "records.jsonl", "state.json", "summary.json", "unfinished-me",
    ]  # fmt: skip


def test_records_that_somebody_took_away_are_made_again(files: Path, tmp_path: Path):
    out = tmp_path / "out"
    batch([files / "p1.png", files / "p2.png"], out)
    before = (out / "records.jsonl").read_bytes()
    (out / "records.jsonl").unlink()
    batch([files / "p1.png", files / "p2.png"], out)
    assert (out / "records.jsonl").read_bytes() == before


def test_a_full_disk_ends_the_run_and_keeps_what_was_done(files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    out = tmp_path / "out"
    add = Ledger.add

    def full(self: Ledger, item: Input, records: Path | bytes, about: Done) -> None:
        if item.name == "p2.png":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        add(self, item, records, about)

    monkeypatch.setattr(Ledger, "add", full)
    with pytest.raises(CannotWrite, match="No space left on device"):
        batch([files / name for name in ("p1.png", "p2.png", "p10.png")], out)
    assert [Path(event.source).name for event in records(out)] == ["p1.png"]
    found = json.loads((out / "summary.json").read_bytes())
    assert (found["files"], found["interrupted"]) == (1, True)
    monkeypatch.setattr(Ledger, "add", add)
    summary = batch([files / name for name in ("p1.png", "p2.png", "p10.png")], out)
    assert (summary.files, summary.earlier) == (3, 1)


class Refusing:
    """An engine that cannot go on."""

    def ahead(self) -> int:
        return 1

    def begin(self, share: Share) -> object:
        return share

    def result(self, *_: object) -> None:
        raise ConfigError("a node cannot take part")

    def drop(self, begun: object) -> None:
        pass


def test_whatever_ends_a_run_before_its_end_its_summary_says_that_files_are_left(files: Path, tmp_path: Path):
    def interrupted(out: Path) -> bool:
        return bool(json.loads((out / "summary.json").read_bytes())["interrupted"])

    one, two = find_inputs([files / "p1.png"]), tmp_path / "two"
    with pytest.raises(ConfigError, match="a node cannot take part"):
        Batch(one, BatchSettings(), Quiet(), folder=tmp_path / "one", engine=Refusing()).run()
    assert interrupted(tmp_path / "one")

    def again(item: Input) -> None:
        assert interrupted(two), "a run that is killed here would leave none, or an older one"
        if item.name == "p2.png":
            raise KeyboardInterrupt  # as a second Ctrl-C does

    batch([files / "p1.png"], two)
    assert not interrupted(two)
    with pytest.raises(KeyboardInterrupt):
        batch([files / "p1.png", files / "p10.png", files / "p2.png"], two, Quiet(again))
    assert interrupted(two)
    assert batch([files / "p1.png", files / "p10.png", files / "p2.png"], two).earlier == 2
    assert not interrupted(two)


@pytest.mark.parametrize("segment_s", [0.0, 2.0])
def test_a_file_that_cannot_be_read_when_its_turn_comes_does_not_end_the_run(
    segment_s: float, files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("p1.png", "p2.png", "sub/film.avi", "p10.png"):
        (folder / Path(name).name).write_bytes((files / name).read_bytes())
    found = find_inputs([folder])
    real = Path.open

    def stale(self: Path, *args: Any, **settings: Any) -> Any:
        if self.name in ("p2.png", "film.avi"):
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE), str(self))
        return real(self, *args, **settings)

    monkeypatch.setattr(Path, "open", stale)
    summary = Batch(found, BatchSettings(segment_s=segment_s), Quiet(), folder=tmp_path / "out").run()
    assert summary.files == 2
    assert sorted(Path(problem.path).name for problem in summary.failed) == ["film.avi", "p2.png"]
    for problem in summary.failed:
        assert os.strerror(errno.ESTALE) in problem.reason


def test_the_same_settings_have_the_same_fingerprint_and_others_another(tmp_path: Path):
    model = tmp_path / "m.tflite"
    model.write_bytes(b"one")

    def named() -> BatchSettings:
        return BatchSettings(config=msgspec.convert({"expression": {"model": str(model)}}, Config))

    other_camera = msgspec.convert({"source": {"uri": "demo"}, "expression": {"threshold": 0.9}}, Config)
    assert BatchSettings().fingerprint() == BatchSettings(config=other_camera).fingerprint()
    assert BatchSettings().fingerprint() != BatchSettings(codec="vp9").fingerprint()
    before = named().fingerprint()
    assert before == named().fingerprint() != BatchSettings().fingerprint()
    model.write_bytes(b"another")
    assert named().fingerprint() != before
