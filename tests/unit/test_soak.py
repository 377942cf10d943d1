"""A long run: what follows from its samples, and what the page says."""

from collections.abc import Callable
from pathlib import Path

import cv2
import msgspec
import numpy as np
import pytest

from benchmarks.soak.found import Soak
from benchmarks.soak.judge import judged
from benchmarks.soak.page import document, sections
from benchmarks.soak.samples import CUT_OFF, End, Record, Sample, Start, note, read_record
from edge.errors import ConfigError, PermanentError
from edge.machine import describe
from training.reporting.document import markdown, write

START = Start("soak", describe(), "A film", 30.0, 3600.0, 10.0, None, None, 0)
FIRST = Sample(
    at_s=0.0,
    rss_mib=120.0,
    anon_mib=66.0,
    peak_mib=125.0,
    mapped_mib=700.0,
    handles=11,
    threads=8,
    cpu_s=2.0,
    load=0.5,
    steal_s=100.0,
    ages_ms=(),
    events=5,
    visits=0,
    lost=0,
    answered=True,
    frames=60,
    skipped={"busy": 2},
    viewer_skipped=0,
    encoded=58,
    reconnects=0,
    level=0,
)
AGES_MS = tuple(map(float, np.linspace(2, 8, 300)))


def sample(number: int) -> Sample:
    """Of a program that behaves, with what is left of a warm-up in its memory."""
    at_s = 10.0 * number
    warming = -6 * float(np.exp(-at_s / 60))
    return msgspec.structs.replace(
        FIRST,
        at_s=at_s,
        rss_mib=120 + warming + 0.2 * (number % 3),
        anon_mib=66 + warming,
        cpu_s=2 + number,
        steal_s=100 + 0.01 * number,
        ages_ms=AGES_MS if number else (),
        events=100,
        visits=number // 3,
        frames=60 + 300 * number,
        encoded=58 + 300 * number,
    )


GOOD = tuple(sample(number) for number in range(361))
Change = Callable[[int, Sample], Sample]


def changed(change: Change, samples: tuple[Sample, ...] = GOOD) -> Soak:
    return judged(Record(START, tuple(change(number, each) for number, each in enumerate(samples)), ""))


def with_leak(number: int, each: Sample) -> Sample:
    return msgspec.structs.replace(each, rss_mib=each.rss_mib + 4 * each.at_s / 3600)


def with_a_leak_that_the_kernel_hides(number: int, each: Sample) -> Sample:
    """It takes away pages of files meanwhile."""
    return msgspec.structs.replace(each, anon_mib=each.anon_mib + 4 * each.at_s / 3600)


def slower_at_the_end(number: int, each: Sample) -> Sample:
    return msgspec.structs.replace(each, ages_ms=tuple(age * (1.2 if number > 320 else 1) for age in each.ages_ms))


def with_one_handle_more(number: int, each: Sample) -> Sample:
    return msgspec.structs.replace(each, handles=each.handles + (number > 330))


def with_a_thread_now_and_then(number: int, each: Sample) -> Sample:
    return msgspec.structs.replace(each, threads=each.threads + (number == 355))


def verdicts(found: Soak) -> list[bool | None]:
    return [well for _, well in found.musts()]


def test_a_program_that_behaves_keeps_everything_and_its_warm_up_is_left_out():
    found = judged(Record(START, GOOD, ""))
    assert verdicts(found) == [True] * 6
    assert found.rss is not None
    assert found.rss.values == 55
    assert abs(found.rss.slope) < 0.3
    assert (found.whole, found.warm_s, found.minute_s, found.ran_s) == (True, 300, 60, 3600)
    assert found.first is not None
    assert found.last is not None
    assert (found.first.begin_min, found.first.end_min) == (5, 15)
    assert (found.last.begin_min, found.last.end_min) == (50, 60)


def test_figures_are_of_the_run_and_not_of_what_was_before_it():
    found = judged(Record(START, GOOD, ""))
    assert (found.frames, found.encoded, found.pictures) == (108000, 108000, 108000)
    assert found.skipped == {}
    assert found.fps == 30
    assert found.cpu_share == 0.1
    assert len(found.minutes) == 60
    minute = found.minutes[30]
    assert (minute.at_min, minute.fps, minute.cpu_share) == (30.5, 30, 0.1)
    assert minute.stolen == pytest.approx(0.001 / START.machine.cores, abs=5e-5)
    assert (minute.p50_ms, minute.p99_ms) == pytest.approx((5, 7.94))


@pytest.mark.parametrize(
    ("index", "change"),
    [
        (1, with_leak),
        (2, with_a_leak_that_the_kernel_hides),
        (3, slower_at_the_end),
        (4, with_one_handle_more),
        (5, with_a_thread_now_and_then),
    ],
)
def test_what_does_not_hold_is_said(index: int, change: Change):
    found = changed(change)
    assert verdicts(found) == [number != index for number in range(6)]
    assert markdown(document(found)).count("**not kept**") == 1


def test_a_program_that_no_longer_shows_anything_is_not_prompt():
    found = changed(lambda number, each: msgspec.structs.replace(each, ages_ms=each.ages_ms if number < 200 else ()))
    assert verdicts(found)[3] is False
    assert "no pictures came" in markdown(document(found))


def test_what_a_viewer_was_too_slow_for_counts_over_all_its_connections():
    slow = {10: 4, 11: 9, 12: 2, 13: 3}
    found = changed(lambda number, each: msgspec.structs.replace(each, viewer_skipped=slow.get(number, 0)))
    assert found.viewer_skipped == 10


def test_skipped_frames_are_counted_by_reason():
    found = changed(
        lambda number, each: msgspec.structs.replace(each, skipped={"busy": 2 + number, "load": number // 9})
    )
    assert found.skipped == {"busy": 360, "load": 40}
    assert "busy 360, load 40" in markdown(document(found))


def test_the_spans_of_a_short_run_shrink_and_the_page_says_that_it_proves_little():
    found = judged(Record(msgspec.structs.replace(START, planned_s=180.0), GOOD[:19], ""))
    assert not found.whole
    assert (found.warm_s, found.minute_s) == (30, 10)
    assert verdicts(found)[1:3] == [None, None]
    assert "A run of 3 minutes proves little" in markdown(document(found))
    assert "proves little" not in markdown(document(judged(Record(START, GOOD, ""))))


def test_of_a_very_short_run_nothing_is_claimed():
    found = judged(Record(START, GOOD[:2], "the program was killed by SIGKILL"))
    assert verdicts(found)[:3] == [False, None, None]
    page = markdown(document(found))
    assert "**not kept**: it runs for 60 minutes: the program was killed by SIGKILL" in page
    assert "Too few figures for a trend" in page
    with pytest.raises(PermanentError, match="left 1 samples, expected two at least: it was too short"):
        judged(Record(START, GOOD[:1], ""))


def test_a_run_of_a_day_is_told_in_no_more_figures_than_one_of_three_hours():
    day = tuple(sample(360 * number) for number in range(25 * 4))
    found = judged(Record(msgspec.structs.replace(START, interval_s=60.0), day, ""))
    assert len(found.minutes) <= 180


def test_the_page_has_its_pictures_and_its_figures_can_be_read_again(tmp_path: Path):
    found = judged(Record(START, GOOD, ""))
    page = write(document(found), tmp_path)
    text = page.read_text(encoding="utf-8")
    assert "60 minutes with a viewer" in text
    assert "(soak-course.png)" in text
    picture = cv2.imread(str(tmp_path / "soak-course.png"))
    assert picture is not None
    stored = (tmp_path / "soak.json").read_bytes()
    assert len(stored) < 100_000
    assert msgspec.json.decode(stored, type=Soak) == found


def test_the_small_run_names_its_limits_and_its_own_picture():
    small = msgspec.structs.replace(START, name="soak_small", core=1, memory_mib=512)
    found = judged(Record(small, GOOD, ""))
    (section,) = sections(found)
    assert section.title == "60 minutes with a viewer on one core and with 512 MiB"
    page = markdown(document(found))
    assert "(soak_small-course.png)" in page
    assert "limited to 512 MiB of addresses (`RLIMIT_AS`)" in page
    assert "| addresses, most, MiB | 700 of 512 |" in page


def test_a_record_that_breaks_off_is_read_up_to_there(tmp_path: Path):
    path = tmp_path / "soak.jsonl"
    with path.open("wb") as file:
        for line in (START, GOOD[0], GOOD[1]):
            note(file, line)
        file.write(msgspec.json.encode(GOOD[2])[:40])
    assert read_record(path) == Record(START, GOOD[:2], CUT_OFF)


def test_a_record_tells_how_it_ended(tmp_path: Path):
    path = tmp_path / "soak.jsonl"
    with path.open("wb") as file:
        for line in (START, GOOD[0], End("a person ended it")):
            note(file, line)
    assert read_record(path).end == "a person ended it"


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"\n", "no record of a long run"), (b'{"type":"end","what":""}\n', "does not begin with the run's conditions")],
)
def test_what_is_no_record_is_refused(content: bytes, message: str, tmp_path: Path):
    path = tmp_path / "other.jsonl"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=message):
        read_record(path)
    with pytest.raises(ConfigError, match="cannot read the record"):
        read_record(tmp_path / "nowhere.jsonl")
