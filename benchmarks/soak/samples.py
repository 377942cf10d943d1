"""What is noted during a long run, line by line, so that a run that is cut off leaves what it has."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import msgspec

from edge.errors import ConfigError
from edge.machine import Machine


class Start(msgspec.Struct, frozen=True, tag="start"):
    """The first line: under which conditions.

    Attributes:
        name: of the run and its files: `soak` or `soak_small`.
        machine: where.
        source: what is shown.
        fps: of it; None where it is not known.
        planned_s: how long it is to run.
        interval_s: between samples.
        core: the only one the program may use; None: all.
        memory_mib: of addresses, to which the program is limited; None: not at all.
        nice: of program, viewers and sampler.
    """

    name: str
    machine: Machine
    source: str
    fps: float | None
    planned_s: float
    interval_s: float
    core: int | None
    memory_mib: int | None
    nice: int


class Sample(msgspec.Struct, frozen=True, tag="sample"):
    """One line for each interval.

    Attributes:
        at_s: since the first sample.
        rss_mib: resident memory.
        anon_mib: the part of it that belongs to no file.
        peak_mib: most resident memory so far.
        mapped_mib: most addresses so far, which is what `RLIMIT_AS` limits.
        handles: open ones.
        threads: of the program.
        cpu_s: processor time so far.
        load: of the machine, over the last minute.
        steal_s: time so far, summed over all cores, in which the machine's host ran something else instead.
        ages_ms: of the pictures that reached the viewer since the last sample, when it had them.
        events: records that reached the reader of the events since the last sample.
        visits: of the viewer who comes and goes, so far.
        lost: connections that the program ended, so far.
        answered: whether `/state` and `/metrics` were answered; the rest is as of the last time they were.
        frames: grabbed so far.
        skipped: not analysed so far, by reason.
        viewer_skipped: pictures the viewer did not get, being too slow for them, on its present connection.
        encoded: JPEGs so far.
        reconnects: of the source, so far.
        level: of effort, 0 is all of it; None where the budget does not say.
    """

    at_s: float
    rss_mib: float
    anon_mib: float
    peak_mib: float
    mapped_mib: float
    handles: int
    threads: int
    cpu_s: float
    load: float
    steal_s: float
    ages_ms: tuple[float, ...]
    events: int
    visits: int
    lost: int
    answered: bool
    frames: int
    skipped: dict[str, int]
    viewer_skipped: int
    encoded: int
    reconnects: int
    level: int | None


class End(msgspec.Struct, frozen=True, tag="end"):
    """The last line.

    Attributes:
        what: happened, for people; empty: it ran as long as it was to.
    """

    what: str


Line = Start | Sample | End
CUT_OFF = "the record breaks off: whatever measured still runs, or was killed"


class Record(msgspec.Struct, frozen=True):
    """The lines of a run.

    Attributes:
        start: the conditions.
        samples: in their order.
        end: what happened, for people; empty: it ran as long as it was to.
    """

    start: Start
    samples: tuple[Sample, ...]
    end: str


def note(file: IO[bytes], line: Line) -> None:
    """Append a line; it is in the file when this returns."""
    file.write(msgspec.json.encode(line) + b"\n")
    file.flush()


def read_record(path: Path) -> Record:
    """Read what was noted, up to where it was cut off.

    Raises:
        ConfigError: it is no record of a long run.
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise ConfigError(f"cannot read the record of a run {path}: {error.strerror}") from error
    if lines.pop():
        pass  # half a line: it was being written when the end came
    try:
        found: list[Line] = [msgspec.json.decode(line, type=Line) for line in lines]
    except msgspec.MsgspecError as error:
        raise ConfigError(f"{path} is no record of a long run: {error}") from error
    if not found or not isinstance(found[0], Start):
        raise ConfigError(f"{path} is no record of a long run: it does not begin with the run's conditions")
    ends = [line.what for line in found if isinstance(line, End)]
    samples = tuple(line for line in found if isinstance(line, Sample))
    return Record(found[0], samples, ends[-1] if ends else CUT_OFF)


class Process(msgspec.Struct, frozen=True):
    """A process as the kernel sees it: see `Sample`."""

    rss_mib: float
    anon_mib: float
    peak_mib: float
    mapped_mib: float
    threads: int
    handles: int


def look_at(pid: int) -> Process:
    """Look at a process of one's own.

    Raises:
        OSError: there is no such process any more.
        KeyError: it has ended, and nobody has asked for its exit code yet.
    """
    folder = Path(f"/proc/{pid}")
    text = (folder / "status").read_text(encoding="ascii", errors="replace")
    fields = dict(line.split(":", 1) for line in text.splitlines())
    rss, anon, peak, mapped = (
        round(int(fields[key].split()[0]) / 1024, 3) for key in ("VmRSS", "RssAnon", "VmHWM", "VmPeak")
    )
    return Process(rss, anon, peak, mapped, int(fields["Threads"]), sum(1 for _ in (folder / "fd").iterdir()))


def stolen_s() -> float:
    """Seconds of all cores since the machine's start in which its host ran something else; 0 where it does not tell."""
    values: Sequence[str] = Path("/proc/stat").read_text(encoding="ascii").partition("\n")[0].split()
    return int(values[8]) / os.sysconf("SC_CLK_TCK") if len(values) > 8 else 0.0
