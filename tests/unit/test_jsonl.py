"""The event log: complete lines, rotated, and a full disk is survived."""

import errno
import json
import logging
import os
import threading
from pathlib import Path, PosixPath

import msgspec
import numpy as np
import pytest

from edge.errors import ConfigError
from edge.events import scene_event
from edge.sinks.jsonl import JsonlSink
from edge.sinks.place import check_place, unwritable
from edge.types import UNCERTAIN, Box, Decision, Scene, Track
from tests.fakes import frame
from tests.wire import eventually

LABELS = ("sad", "happy")


def scene(seq: int = 1, faces: int = 1) -> Scene:
    tracks = tuple(Track(n + 1, Box(0.1, 0.1, 0.2, 0.2), 0.9, None, 1, 0, 1, 40_000_000) for n in range(faces))
    return Scene(frame(seq), tracks, LABELS, Decision(True, "first"), {"detect": 1_500_000})


def classified(faces: Scene, labels: tuple[str, ...] = LABELS, **changes: object) -> Scene:
    """The scene with each of its faces classified as 0.6 of the first label and 0.4 of the second."""
    scores = np.array([0.6, 0.4], np.float32)
    tracks = tuple(
        msgspec.structs.replace(track, **{"scores": scores, "label": labels[0], "confidence": 0.6, **changes})
        for track in faces.tracks
    )
    return msgspec.structs.replace(faces, tracks=tracks, labels=labels)


def sink(path: Path, **settings: object) -> JsonlSink:
    options = {"max_bytes": 1_000_000, "keep": 2, "flush_s": 60.0, **settings}
    return JsonlSink(path, lambda s: scene_event(s, "cam", "2026-01-01T00:00:00.000Z"), **options)  # type: ignore[arg-type]


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_each_scene_with_faces_is_one_line(tmp_path: Path):
    path = tmp_path / "logs" / "events.jsonl"
    log = sink(path)
    for seq in (1, 2, 3):
        log.emit(scene(seq, faces=seq - 1))
    log.close()
    assert [entry["seq"] for entry in lines(path)] == [2, 3]
    first = lines(path)[0]
    assert first["source"] == "cam"
    assert first["time"] == "2026-01-01T00:00:00.000Z"
    assert first["timings_ms"] == {"detect": 1.5}
    assert first["faces"][0]["stale_frames"] == 1  # type: ignore[index]
    assert first["faces"][0]["stale_ms"] == 40.0  # type: ignore[index]


def logged(path: Path, taken: Scene) -> dict[str, object]:
    """The record of the scene's first face, as the log has it."""
    log = sink(path)
    log.emit(taken)
    log.close()
    return lines(path)[0]["faces"][0]  # type: ignore[index, no-any-return]


def test_a_face_has_valence_and_arousal_once_it_is_classified(tmp_path: Path):
    face = logged(tmp_path / "events.jsonl", classified(scene()))
    assert face["scores"] == {"sad": 0.6, "happy": 0.4}
    assert face["valence"] == pytest.approx(0.6 * -0.63 + 0.4 * 0.81, abs=5e-4)
    assert face["arousal"] == pytest.approx(0.6 * -0.27 + 0.4 * 0.51, abs=5e-4)


def test_an_uncertain_face_has_them_too(tmp_path: Path):
    sure = logged(tmp_path / "sure.jsonl", classified(scene()))
    unsure = logged(tmp_path / "unsure.jsonl", classified(scene(), label=UNCERTAIN))
    assert unsure["label"] == "uncertain"
    assert (unsure["valence"], unsure["arousal"]) == (sure["valence"], sure["arousal"])


def test_before_the_first_classification_they_are_null(tmp_path: Path):
    face = logged(tmp_path / "events.jsonl", scene())
    assert (face["label"], face["scores"]) == (None, {})
    assert (face["valence"], face["arousal"]) == (None, None)


def test_with_a_class_that_has_no_coordinates_they_are_null(tmp_path: Path):
    face = logged(tmp_path / "events.jsonl", classified(scene(), ("sad", "contempt")))
    assert face["label"] == "sad"
    assert (face["valence"], face["arousal"]) == (None, None)


def test_lines_are_held_back_to_spare_sd_cards(tmp_path: Path):
    path = tmp_path / "events.jsonl"
    log = sink(path)
    log.emit(scene())
    assert path.read_text() == ""
    log.close()
    assert len(lines(path)) == 1


def test_the_file_is_rotated_by_size_and_the_oldest_goes(tmp_path: Path):
    path = tmp_path / "events.jsonl"
    log = sink(path, max_bytes=1000, keep=2, lossless=True)
    for seq in range(1, 41):
        log.emit(scene(seq))
    log.close()
    files = sorted(p.name for p in tmp_path.iterdir())
    assert files == ["events.jsonl", "events.jsonl.1", "events.jsonl.2"]
    assert all(p.stat().st_size <= 1000 for p in tmp_path.iterdir())
    assert lines(path)[-1]["seq"] == 40
    kept = [entry["seq"] for name in reversed(files) for entry in lines(tmp_path / name)]
    assert kept == list(range(kept[0], 41)), "no gap between the files"


def test_it_goes_on_in_the_file_that_is_there(tmp_path: Path):
    path = tmp_path / "events.jsonl"
    for _ in range(2):
        log = sink(path)
        log.emit(scene())
        log.close()
    assert len(lines(path)) == 2


class SmallDisk(PosixPath):
    """A path on a disk that takes `room` more bytes."""

    room = 0

    def open(self, *_: object, **__: object) -> "SmallFile":  # type: ignore[override]
        return SmallFile(Path(self), self)


class SmallFile:
    """Writes what fits, as a file without buffer does."""

    def __init__(self, path: Path, disk: SmallDisk) -> None:
        self._file = path.open("ab", buffering=0)
        self._disk = disk

    def __enter__(self) -> "SmallFile":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def tell(self) -> int:
        return self._file.tell()

    def truncate(self, size: int) -> int:
        return self._file.truncate(size)

    def write(self, data: bytes) -> int:
        written = self._file.write(data[: SmallDisk.room])
        SmallDisk.room -= written
        if written < len(data) and written == 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return written


def test_a_full_disk_is_reported_counted_and_survived_without_half_a_line(tmp_path: Path, monkeypatch, caplog):
    path = tmp_path / "events.jsonl"
    log = sink(path, flush_s=0.01)
    monkeypatch.setattr(SmallDisk, "room", 100)
    log._path = SmallDisk(path)
    with caplog.at_level(logging.ERROR):
        log.emit(scene(1))
        eventually(lambda: log.dropped == 1, "the loss is counted")
    assert "No space left on device" in caplog.text
    assert "the stream goes on" in caplog.text
    assert path.read_bytes() == b"", "no half line is left"
    monkeypatch.setattr(SmallDisk, "room", 1_000_000)
    log.emit(scene(2))
    log.close()
    assert [entry["seq"] for entry in lines(path)] == [2]
    assert log.dropped == 1


def test_what_was_written_before_a_rotation_does_not_count_as_lost(tmp_path: Path, monkeypatch, caplog):
    path = tmp_path / "events.jsonl"
    log = sink(path, max_bytes=1000, keep=0)
    for seq in (1, 2, 3, 4):
        log.emit(scene(seq))
    monkeypatch.setattr(
        JsonlSink, "_rotate", lambda self: (_ for _ in ()).throw(PermissionError(13, "Permission denied"))
    )
    with caplog.at_level(logging.ERROR):
        log.close()
    assert log.dropped == 0
    assert len(lines(path)) == 4
    assert "cannot be rotated: Permission denied" in caplog.text


@pytest.mark.parametrize("path", ["/proc/nowhere/events.jsonl", "/dev/null/events.jsonl"])
def test_a_path_that_cannot_be_written_is_refused_at_start(path: str):
    with pytest.raises(ConfigError, match="cannot write events"):
        sink(Path(path))


SERVICE = {"STATE_DIRECTORY": "/var/lib/emotion-edge"}
PUT_IT_THERE = "the service may write below /var/lib/emotion-edge only: put it there"
CHOOSE = "choose another --events path or change its owner"


@pytest.mark.parametrize(("number", "environment", "said"), [
    (errno.EROFS, SERVICE, f"Read-only file system; {PUT_IT_THERE}"),
    (errno.EACCES, SERVICE, f"Permission denied; {PUT_IT_THERE}"),
    (errno.ENOSPC, SERVICE, f"No space left on device; {CHOOSE}"),
    (errno.EACCES, {}, f"Permission denied; {CHOOSE}"),
])  # fmt: skip
def test_who_may_not_write_there_is_told_what_helps(number: int, environment: dict[str, str], said: str):
    error = unwritable(Path("/srv/e.jsonl"), OSError(number, os.strerror(number)), environment)
    assert str(error) == f"cannot write events to /srv/e.jsonl: {said}"


def test_a_place_is_looked_at_without_writing_to_it(tmp_path: Path):
    for path in (tmp_path / "a" / "b" / "events.jsonl", tmp_path / "events.jsonl", Path("events.jsonl")):
        check_place(path, {})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("read_only", "said"), [(False, "Permission denied"), (True, "Read-only file system")])
def test_a_place_that_is_closed_to_this_user_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read_only: bool, said: str
):
    monkeypatch.setattr("edge.sinks.place.os.access", lambda *_: False)
    monkeypatch.setattr("edge.sinks.place._is_read_only", lambda _: read_only)
    with pytest.raises(ConfigError, match=said):
        check_place(tmp_path / "a" / "events.jsonl", {})


def test_the_services_own_folder_is_right_for_those_who_may_not_look_into_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("edge.sinks.place.os.access", lambda *_: False)
    monkeypatch.setattr("edge.sinks.place._is_read_only", lambda _: False)
    check_place(Path("/var/lib/emotion-edge/logs/events.jsonl"), {})


def test_what_a_disk_that_hangs_has_not_taken_at_the_end_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    held = threading.Event()
    monkeypatch.setattr(JsonlSink, "_write", lambda *_: held.wait())
    monkeypatch.setattr("edge.sinks.jsonl.CLOSE_S", 0.05)
    log = sink(tmp_path / "events.jsonl", flush_s=0.0)
    log.emit(scene(1))
    eventually(lambda: log._in_hand == 1, "the first is being written")
    log.emit(scene(2))
    log.emit(scene(3))
    log.close()
    held.set()
    assert log.dropped == 3
    assert "before the end; the disk takes too long" in caplog.text
    eventually(lambda: not log._thread.is_alive(), "the writer ends once it can")
