"""Files as shares, with an engine that only pretends."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from edge.batch.inputs import find_inputs
from edge.batch.mapped import UNCUT, File, Mapped
from edge.batch.records import Records
from edge.batch.settings import BatchSettings
from edge.batch.shares import Piece, Seam, Share
from edge.batch.video import Progress
from edge.errors import PermanentError
from edge.events import SceneEvent
from tests.clips import picture
from tests.films import written

FPS = 25
FRAMES = 110


class Pretending:
    """An engine whose shares have a record for each frame; `answers` has what comes of others."""

    def __init__(self, ahead: int = 3) -> None:
        self._ahead = ahead
        self.answers: dict[Share, Piece | Exception | None] = {}
        self.begun: list[Share] = []
        self.asked: list[Share] = []
        self.dropped: list[Share] = []
        self.most = 0

    def ahead(self) -> int:
        return self._ahead

    def begin(self, share: Share) -> object:
        self.begun.append(share)
        self.most = max(self.most, len(self.begun) - len(self.asked) - len(self.dropped))
        return share

    def result(
        self, begun: Any, progress: Callable[[Progress], None], cancelled: Callable[[], bool]
    ) -> Piece | Exception | None:
        self.asked.append(begun)
        return self.answers.get(begun, piece(begun))

    def drop(self, begun: Any) -> None:
        self.dropped.append(begun)


def piece(share: Share) -> Piece:
    """Of a sound share."""
    if share.kind == "picture":
        return Piece(1, lines(share, 1), (), {}, 0.1)
    begin, end = share.segment.begin_s, share.segment.end_s
    count = FRAMES - round(begin * FPS) if end is None else round((end - begin) * FPS)
    last = round(begin * FPS) + count - 1
    before = Seam(round(begin * FPS) - 1) if begin else None
    return Piece(count, lines(share, count), (), {}, 0.1, last / FPS, before=before, after=Seam(last))


def lines(share: Share, count: int) -> bytes:
    events = (SceneEvent(seq, None, 0.0, share.path, 1, 1, (), False, "", {}) for seq in range(1, count + 1))
    return b"".join(msgspec.json.encode(event) + b"\n" for event in events)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two pictures, a film of 4.4 s, and a picture."""
    for name in ("a.png", "b.png", "d.png"):
        picture(tmp_path / name)
    written(tmp_path / "c.mp4", [np.full((48, 64, 3), 90, np.uint8)] * FRAMES, FPS)
    return tmp_path


def run(
    folder: Path, engine: Pretending, cancelled: Callable[[], bool] = lambda: False
) -> tuple[list[File], list[list[int]], list[Progress]]:
    """The files, the frames of their records, and what was told of films."""
    told: list[Progress] = []
    mapped = Mapped(
        BatchSettings(segment_s=1.0),
        engine,
        Records("jsonl", ()),
        begins=lambda _: None,
        progress=told.append,
        cancelled=cancelled,
        scratch=folder,
    )
    files, frames = [], []
    for file in mapped.run(list(find_inputs([folder]).inputs)):
        assert file.records is not None
        files.append(file)
        frames.append([msgspec.json.decode(line)["seq"] for line in file.records] if not file.problem else [])
    return files, frames, told


def names(files: list[File]) -> list[str]:
    return [file.item.name for file in files]


def film(engine: Pretending, number: int) -> Share:
    """The film's segment of that number."""
    return [share for share in engine.begun if share.kind == "video"][number]


def test_files_come_whole_and_in_order_while_more_shares_are_begun(folder: Path):
    engine = Pretending(ahead=3)
    files, frames, told = run(folder, engine)
    assert names(files) == ["a.png", "b.png", "c.mp4", "d.png"]
    assert frames == [[1], [1], list(range(1, FRAMES + 1)), [1]]
    assert engine.asked == engine.begun
    assert len(engine.begun) == 7
    assert engine.most == 3
    assert [progress.frames for progress in told] == [25, 50, 75, 110]
    assert (files[2].joined.frames, files[2].complete, files[2].notes) == (FRAMES, True, ())


@pytest.mark.parametrize("ahead", [1, 2, 3, 100])
def test_how_many_are_begun_ahead_changes_nothing(ahead: int, folder: Path):
    engine = Pretending(ahead)
    _, frames, _ = run(folder, engine)
    assert [len(found) for found in frames] == [1, 1, FRAMES, 1]
    assert engine.most == min(ahead, 7)


def test_a_segment_that_fails_fails_its_film_and_the_rest_of_it_is_dropped(folder: Path):
    planned = Pretending(100)
    run(folder, planned)
    engine = Pretending(4)
    engine.answers[film(planned, 1)] = PermanentError("was given up")
    files, frames, _ = run(folder, engine)
    assert [(file.item.name, str(file.problem)) for file in files if file.problem] == [("c.mp4", "was given up")]
    assert names(files) == ["a.png", "b.png", "c.mp4", "d.png"]
    assert frames[3] == [1]
    assert engine.dropped == [film(planned, 2), film(planned, 3)]
    assert sorted(map(str, engine.begun)) == sorted(map(str, engine.asked + engine.dropped))


def test_of_a_film_that_failed_no_more_is_begun(folder: Path):
    planned = Pretending(100)
    run(folder, planned)
    engine = Pretending(1)
    engine.answers[film(planned, 1)] = PermanentError("was given up")
    run(folder, engine)
    assert [share.segment.begin_s for share in engine.begun if share.kind == "video"] == [0.0, 1.0]
    assert engine.dropped == []


def test_segments_that_do_not_meet_are_thrown_away_for_the_whole(folder: Path):
    planned = Pretending(100)
    run(folder, planned)
    engine = Pretending(4)
    engine.answers[film(planned, 2)] = msgspec.structs.replace(piece(film(planned, 2)), before=Seam(7))
    whole = Share(str(folder / "c.mp4"), "video")
    engine.answers[whole] = Piece(30, lines(whole, 30), (), {}, 0.1, complete=False, notes=("It broke off.",))
    files, frames, _ = run(folder, engine)
    assert engine.dropped == [film(planned, 3)]
    assert frames[2] == list(range(1, 31))
    assert (files[2].notes, files[2].complete, files[2].joined.frames) == ((UNCUT, "It broke off."), False, 30)
    assert names(files) == ["a.png", "b.png", "c.mp4", "d.png"]


def test_a_film_that_ends_too_soon_is_not_complete(folder: Path):
    planned = Pretending(100)
    run(folder, planned)
    engine = Pretending()
    last = film(planned, 3)
    engine.answers[last] = msgspec.structs.replace(piece(last), frames=5, records=lines(last, 5))
    files, _, _ = run(folder, engine)
    assert not files[2].complete
    assert files[2].notes == ("The video broke off at frame 80 of 110: what follows is missing or damaged.",)


def test_of_a_film_that_ended_one_segment_behind_its_end_is_enough(folder: Path):
    planned = Pretending(100)
    run(folder, planned)
    for ahead in (1, 4):
        engine = Pretending(ahead)
        engine.answers[film(planned, 2)] = Piece(0, b"", (), {}, 0.1, before=Seam(49), ended=True)
        files, frames, _ = run(folder, engine)
        assert frames == [[1], [1], list(range(1, 51)), [1]]
        assert film(planned, 3) not in engine.asked
        assert engine.dropped == [share for share in engine.begun if share == film(planned, 3)]
        assert files[2].notes == ("The video broke off at frame 50 of 110: what follows is missing or damaged.",)
        assert not files[2].complete


def test_a_segment_in_which_a_film_shows_no_new_frame_or_seems_to_end_is_not_its_end(folder: Path):
    planned = Pretending(100)
    run(folder, planned)
    engine = Pretending()
    second, third, fourth = (piece(film(planned, number)) for number in (1, 2, 3))
    engine.answers[film(planned, 1)] = msgspec.structs.replace(second, ended=True)
    engine.answers[film(planned, 2)] = msgspec.structs.replace(third, frames=0, records=b"", after=None)
    engine.answers[film(planned, 3)] = msgspec.structs.replace(fourth, before=second.after)
    _, frames, _ = run(folder, engine)
    assert frames[2] == list(range(1, 86))


def test_what_is_no_film_has_no_shares(folder: Path):
    (folder / "c.mp4").write_bytes(bytes(range(256)) * 8)
    engine = Pretending()
    files, _, _ = run(folder, engine)
    assert [share.kind for share in engine.begun] == ["picture"] * 3
    assert [file.item.name for file in files if file.problem] == ["c.mp4"]
    assert "holds no frame" in str(files[2].problem)


def test_it_ends_between_pictures_and_within_a_film(folder: Path):
    engine = Pretending()
    files, _, _ = run(folder, engine, lambda: len(engine.asked) >= 1)
    assert [(file.item.name, file.cancelled) for file in files] == [("a.png", False), ("b.png", True)]
    planned = Pretending(100)
    run(folder, planned)
    engine = Pretending()
    engine.answers[film(planned, 1)] = None
    files, _, _ = run(folder, engine)
    assert [(file.item.name, file.cancelled) for file in files][2:] == [("c.mp4", True)]
