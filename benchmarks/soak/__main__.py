"""`python -m benchmarks.soak`: the program with viewers for an hour. Does anything grow, does anything become slow?

Every sample is appended to `<out>/soak.jsonl` as it is taken: a run that is interrupted, or whose program dies, has its
page all the same, and `--from` makes it again.
"""

import argparse
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from benchmarks.clips import real_clip
from benchmarks.outcome import outcome
from benchmarks.soak.found import Soak
from benchmarks.soak.judge import judged
from benchmarks.soak.page import document
from benchmarks.soak.run import long_run
from benchmarks.soak.samples import Start, read_record
from edge.bench.clip import FPS, HEIGHT_PX, WIDTH_PX, load_clip
from edge.errors import ConfigError, PermanentError
from edge.machine import describe
from training.reporting.document import write
from training.reporting.style import new_figure

FRAMES = 300
INTERVAL_S = 10.0
SMALL_MIB = 512


def survey(
    folder: Path,
    minutes: float,
    source: str | None,
    say: Callable[[str], None],
    *,
    small: bool = False,
    interval_s: float = INTERVAL_S,
) -> Soak:
    """Run the program for so many minutes, and judge what was seen of it.

    Args:
        folder: for the record, and for the program's log.
        minutes: how long, after it has started.
        source: to show; None: a film of the real clip, or of the generated one where that is not at hand.
        say: told a line of every sample.
        small: on one core and with 512 MiB.
        interval_s: between samples.

    Raises:
        ConfigError: matplotlib is not installed.
        PermanentError: the program did not start, or nothing was measured.
    """
    if not sys.platform.startswith("linux"):
        raise PermanentError(f"a long run is watched on Linux only, not on {sys.platform}")
    with new_figure((1, 1)):
        pass  # whoever cannot draw the page learns it now
    folder.mkdir(parents=True, exist_ok=True)
    cores = sorted(os.sched_getaffinity(0))
    machine = describe()
    with _shown(source) as (uri, name, fps), _kept_off(cores[-1] if small else None):
        start = Start(
            name="soak_small" if small else "soak",
            machine=machine,
            source=name,
            fps=fps,
            planned_s=60 * minutes,
            interval_s=interval_s,
            core=cores[-1] if small else None,
            memory_mib=SMALL_MIB if small else None,
            nice=os.getpriority(os.PRIO_PROCESS, 0),
        )
        record = long_run(start, uri, folder, say)
    return judged(read_record(record))


@contextmanager
def _shown(source: str | None) -> Iterator[tuple[str, str, float | None]]:
    """The source as the program takes it, its name for people, and its pictures a second if they are known."""
    if source is not None:
        yield source, f"Source {source}", None
        return
    real = real_clip()
    with tempfile.TemporaryDirectory(prefix="emotion-edge-") as made:
        clip = load_clip(str(real) if real else None, FRAMES)
        film = Path(made) / "film.avi"
        clip.write(film)
        name = f"{clip.name}, {len(clip.jpegs)} frames of {WIDTH_PX}×{HEIGHT_PX} as Motion JPEG over and over"
        yield f"file:{film}?loop=1", name[:1].upper() + name[1:] if real is None else name, FPS


@contextmanager
def _kept_off(core: int | None) -> Iterator[None]:
    """Keep this process and those it starts off the only core of the program, if there are others."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, before - {core} or before)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _take_precedence(nice: int) -> None:
    try:
        os.setpriority(os.PRIO_PROCESS, 0, nice)
    except PermissionError as error:
        raise ConfigError(
            f"may not run with niceness {nice}: {error.strerror}; run it as root, or without --nice"
        ) from error


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def main(argv: Sequence[str] | None = None) -> int:
    """0 done; 1 it did not run to its end, and the page says why; 78 what was asked for cannot be done as asked."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.soak", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=60.0, help="default: 60; fewer than 30 prove little")
    parser.add_argument(
        "--source", help="as the program takes it, such as demo:; default: a clip with a face as a film"
    )
    parser.add_argument("--interval", type=float, default=INTERVAL_S, help="seconds between samples; default: 10")
    parser.add_argument("--small", action="store_true", help=f"on one core and with {SMALL_MIB} MiB of addresses")
    parser.add_argument("--nice", type=int, help="niceness of everything; below 0 it takes precedence, for root only")
    parser.add_argument("--from", type=Path, dest="record", help="make the page of this record, and run nothing")
    parser.add_argument("--out", type=Path, default=Path("runs/soak"), help="default: runs/soak")
    given = parser.parse_args(argv)
    ends: list[str] = []

    def body() -> None:
        if given.record:
            found = judged(read_record(given.record))
        else:
            if given.nice is not None:
                _take_precedence(given.nice)
            signal.signal(signal.SIGTERM, _interrupt)
            say = partial(print, flush=True)
            found = survey(given.out, given.minutes, given.source, say, small=given.small, interval_s=given.interval)
        print(f"page in {write(document(found), given.out)}")
        ends.append(found.end)

    try:
        code = outcome(body)
    except KeyboardInterrupt:
        ends.append("it was ended from outside before anything was measured")
        code = 1
    if any(ends):
        print(f"error: {ends[-1]}", file=sys.stderr)
        code = 1
    return code


if __name__ == "__main__":
    sys.exit(main())
