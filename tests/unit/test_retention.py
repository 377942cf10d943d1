"""What is older than it may get goes, and nothing else does."""

import json
import logging
import os
from pathlib import Path

import pytest

from edge.events import AggregateEvent, scene_event
from edge.logs import rfc3339
from edge.sinks.jsonl import DAY_S, JsonlSink
from edge.sinks.retention import forget, log_files
from tests.wire import eventually

NOW_S = 1_767_225_600.0


def old(days: float) -> str:
    """The time of a record of so many days ago."""
    return rfc3339(NOW_S - days * DAY_S)


def lines(*days: float) -> str:
    return "".join(json.dumps({"seq": n, "time": old(each)}) + "\n" for n, each in enumerate(days))


def ages(path: Path) -> list[float]:
    """Of the records in a file, in days."""
    known = {old(each): each for each in range(100)}
    return [known[json.loads(line)["time"]] for line in path.read_text().splitlines()]


def sink(path: Path, now_s: list[float], **settings: object) -> JsonlSink:
    options = {"max_bytes": 1_000_000, "keep": 3, "flush_s": 0.0, "keep_days": 30.0, **settings}
    return JsonlSink(path, lambda scene: scene_event(scene, "cam", None), wall_s=lambda: now_s[0], **options)  # type: ignore[arg-type]


def test_lines_that_are_too_old_go_and_the_others_stay_as_they_are(tmp_path: Path):
    path = tmp_path / "events.jsonl"
    path.write_text(lines(40, 31, 30, 29, 2))
    path.chmod(0o640)
    assert forget(path, old(30)) == 2
    assert path.read_text() == "".join(lines(40, 31, 30, 29, 2).splitlines(keepends=True)[2:])
    assert path.stat().st_mode & 0o777 == 0o640
    assert [each.name for each in tmp_path.iterdir()] == ["events.jsonl"]
    assert forget(path, old(30)) == 0


def test_a_file_of_which_nothing_would_be_left_is_deleted(tmp_path: Path):
    path = tmp_path / "events.jsonl.2"
    path.write_text(lines(60, 50, 40))
    assert forget(path, old(30)) == 3
    assert not path.exists()


def test_what_tells_no_time_goes_with_what_stands_before_it(tmp_path: Path):
    path = tmp_path / "events.jsonl"
    path.write_text(lines(40) + "not json\n" + lines(2) + "neither\n")
    assert forget(path, old(30)) == 2
    assert path.read_text() == lines(2) + "neither\n"
    path.write_text(lines(40) + '{"time": 5}\n\xff\n')
    assert forget(path, old(30)) == 3
    assert not path.exists()


def test_a_line_from_the_future_keeps_nothing_that_stands_behind_it(tmp_path: Path):
    path = tmp_path / "events.jsonl"
    path.write_text("half a line\n" + lines(-5000, 60, 40) + "no time\n" + lines(1))
    assert forget(path, old(30)) == 3
    assert path.read_text().splitlines() == ["half a line", lines(-5000).strip(), lines(1).strip()]


def test_what_stands_before_the_first_time_goes_with_that(tmp_path: Path):
    path = tmp_path / "events.jsonl"
    path.write_text("half a line\n" + lines(60, 2))
    assert forget(path, old(30)) == 2


def test_a_link_to_a_log_stays_one(tmp_path: Path):
    disk = tmp_path / "disk"
    disk.mkdir()
    (disk / "log").write_text(lines(40, 2))
    path = tmp_path / "events.jsonl"
    path.symlink_to(disk / "log")
    assert forget(path, old(30)) == 1
    assert path.is_symlink()
    assert ages(disk / "log") == [2]
    assert forget(path, old(1)) == 1
    assert path.is_symlink()
    assert list(disk.iterdir()) == []


def test_what_is_written_anew_is_never_more_open_than_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "events.jsonl"
    path.write_text(lines(40, 2))
    path.chmod(0o600)
    (tmp_path / "events.jsonl.new").write_text("left by a run that was killed")
    (tmp_path / "events.jsonl.new").chmod(0o666)
    seen: list[tuple[int, int]] = []

    def seen_on_the_way(descriptor: int) -> None:
        found = os.fstat(descriptor)
        seen.append((found.st_size, found.st_mode & 0o777))

    before = os.umask(0)
    try:
        monkeypatch.setattr("edge.sinks.retention.os.fsync", seen_on_the_way)
        forget(path, old(30))
    finally:
        os.umask(before)
    assert seen == [(len(path.read_text()), 0o600)]


def test_records_of_media_analysed_off_line_have_no_age(tmp_path: Path):
    path = tmp_path / "events.jsonl"
    path.write_text('{"time": null, "media_s": 1.0}\n' * 3)
    assert forget(path, old(0)) == 0
    assert len(path.read_text().splitlines()) == 3


@pytest.mark.parametrize("path", [Path("/dev/full"), Path("/proc/nowhere/events.jsonl")])
def test_what_is_no_plain_file_is_left_alone(path: Path):
    assert forget(path, old(0)) == 0


def test_the_files_of_a_log_are_its_own_and_those_rotated_away(tmp_path: Path):
    for name in ("events.jsonl", "events.jsonl.1", "events.jsonl.10", "events.jsonl.new", "events.jsonlx.1", "other.1"):
        (tmp_path / name).touch()
    names = [path.name for path in log_files(tmp_path / "events.jsonl")]
    assert names == ["events.jsonl.10", "events.jsonl.1", "events.jsonl"]


def test_at_the_start_all_files_of_the_log_are_gone_through(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO)
    path = tmp_path / "events.jsonl"
    (tmp_path / "events.jsonl.2").write_text(lines(90, 80))
    (tmp_path / "events.jsonl.1").write_text(lines(70, 20))
    path.write_text(lines(10, 1))
    log = sink(path, [NOW_S])
    eventually(lambda: "events.forgotten" in {getattr(record, "event", "") for record in caplog.records}, "they went")
    log.close()
    assert sorted(each.name for each in tmp_path.iterdir()) == ["events.jsonl", "events.jsonl.1"]
    assert ages(tmp_path / "events.jsonl.1") == [20]
    assert ages(path) == [10, 1]


def test_then_once_a_day_also_while_nothing_is_written(tmp_path: Path):
    path = tmp_path / "events.jsonl"
    path.write_text(lines(29, 1))
    now_s = [NOW_S]
    log = sink(path, now_s, clear_every_s=0.02)
    aggregate = AggregateEvent(old(0), old(0), None, 60.0, "cam", 1, 1, 1.0, 1, {})
    log.write(aggregate)
    eventually(lambda: len(path.read_text().splitlines()) == 3, "a line is written beside it")
    now_s[0] += 2 * DAY_S
    eventually(lambda: ages(path) == [1, 0], "two days later the oldest is gone")
    log.close()


def test_for_ever_is_for_ever(tmp_path: Path):
    path = tmp_path / "events.jsonl"
    path.write_text(lines(99))
    log = sink(path, [NOW_S], keep_days=0.0, clear_every_s=0.0)
    log.write(AggregateEvent(old(0), old(0), None, 60.0, "cam", 1, 1, 1.0, 1, {}))
    log.close()
    assert ages(path) == [99, 0]


def test_what_cannot_be_written_anew_stays_and_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    def full(_descriptor: int) -> None:
        raise OSError(28, os.strerror(28))

    path = tmp_path / "events.jsonl"
    path.write_text(lines(40, 1))
    monkeypatch.setattr("edge.sinks.retention.os.fsync", full)
    log = sink(path, [NOW_S])
    eventually(lambda: "cannot be deleted: No space left on device" in caplog.text, "it is told")
    log.close()
    assert ages(path) == [40, 1]
    assert [each.name for each in tmp_path.iterdir()] == ["events.jsonl"]
