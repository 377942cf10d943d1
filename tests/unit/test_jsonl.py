"""The event log: complete lines, rotated, and a full disk is survived."""

import errno
import json
import logging
from pathlib import Path

import pytest

from edge.errors import ConfigError
from edge.events import scene_event
from edge.sinks.jsonl import JsonlSink
from edge.types import Box, Decision, Scene, Track
from tests.fakes import frame

LABELS = ("sad", "happy")


def scene(seq: int = 1, faces: int = 1) -> Scene:
    tracks = tuple(Track(n + 1, Box(0.1, 0.1, 0.2, 0.2), 0.9, None, 1, 0, 1, 40_000_000) for n in range(faces))
    return Scene(frame(seq), tracks, LABELS, Decision(True, "first"), {"detect": 1_500_000})


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


def test_a_full_disk_is_reported_counted_and_survived(tmp_path: Path, monkeypatch, caplog):
    path = tmp_path / "events.jsonl"
    log = sink(path)
    full = True
    append = JsonlSink._append

    def failing(self: JsonlSink, batch: list[bytes]) -> None:
        if full:
            raise OSError(errno.ENOSPC, "No space left on device")
        append(self, batch)

    monkeypatch.setattr(JsonlSink, "_append", failing)
    with caplog.at_level(logging.ERROR):
        log.emit(scene(1))
        log._closing.set()
        log.emit(scene(2))
        log.close()
    assert log.dropped >= 1
    assert "No space left on device" in caplog.text
    assert "the stream goes on" in caplog.text


@pytest.mark.parametrize("path", ["/proc/nowhere/events.jsonl", "/dev/null/events.jsonl"])
def test_a_path_that_cannot_be_written_is_refused_at_start(path: str):
    with pytest.raises(ConfigError, match="cannot write events"):
        sink(Path(path))


def test_a_line_is_never_left_half_written(tmp_path: Path):
    path = tmp_path / "events.jsonl"
    log = sink(path)

    class Short:
        """A file on a disk that takes ten more bytes."""

        def __init__(self) -> None:
            self.file = path.open("ab", buffering=0)

        def __enter__(self) -> "Short":
            return self

        def __exit__(self, *_: object) -> None:
            self.file.close()

        def tell(self) -> int:
            return self.file.tell()

        def write(self, data: bytes) -> int:
            return self.file.write(data[:10])

        def truncate(self, size: int) -> int:
            return self.file.truncate(size)

    class Disk(type(path)):  # type: ignore[misc]
        def open(self, *_: object, **__: object) -> Short:  # type: ignore[override]
            return Short()

    log._path = Disk(path)
    with pytest.raises(OSError, match="No space"):
        log._append([b'{"seq": 1}\n', b'{"seq": 2}\n'])
    assert path.read_bytes() == b""
    log._path = path
    log.close()
