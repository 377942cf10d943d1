"""`emotion-edge bench`: how fast this device is, how close to the floor, and better or worse than last time."""

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from edge.errors import ConfigError
from edge.named_paths import is_folder, is_there

ABOUT = """\
It takes five to seven minutes, on a slow board too: it measures for as long as planned, not for so many frames. Leave
the machine alone meanwhile. Figures of different machines are never compared.

  emotion-edge bench --json today.json
  emotion-edge bench --json now.json --against today.json
"""


def add_bench(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.description = ABOUT
    add = parser.add_argument
    add("--source", metavar="FILE", help="a video to measure on instead of the generated clip")
    add("--json", metavar="OUT", type=Path, help="write all figures as JSON")
    add("--against", metavar="OLD", type=Path, help="say what is better or worse than in the JSON of an earlier run")
    add("--model", metavar="PATH", type=Path, action="append", help="compare this expression model (.tflite), too")
    add("--quick", action="store_true", help="under a minute, and less exact")
    parser.set_defaults(command=_bench)


def _bench(arguments: argparse.Namespace) -> int:
    from edge.bench.against import compare, read_figures, refuse_other  # noqa: PLC0415  # loads all of the program
    from edge.bench.clip import name_of  # noqa: PLC0415
    from edge.bench.figures import measure_all  # noqa: PLC0415
    from edge.files import write_whole  # noqa: PLC0415
    from edge.machine import describe  # noqa: PLC0415

    # whatever can be wrong is found out before the minutes it takes
    old = read_figures(arguments.against) if arguments.against else None
    if old:
        refuse_other(old, describe(), name_of(arguments.source))
    if arguments.json:
        check_writable(arguments.json)
    models = tuple(arguments.model or ())
    with ended_in_order():
        figures = measure_all(arguments.source, quick=arguments.quick, models=models, say=progress(time.monotonic()))
    if arguments.json:
        try:
            write_whole(arguments.json, msgspec.json.format(msgspec.json.encode(figures)) + b"\n")
        except OSError as error:
            print(figures.text())
            raise _unwritable(arguments.json, error) from error
    print(figures.text())
    if old:
        print(f"\nAgainst {arguments.against}\n{compare(old, figures).text()}")
    return 0


@contextmanager
def ended_in_order() -> Iterator[None]:
    """Within, a service manager that ends us does not leave the program that is measured behind, stopped perhaps."""
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def progress(start_s: float) -> Callable[[str], None]:
    """Tells people who wait what is going on."""

    def say(line: str) -> None:
        minutes, seconds = divmod(int(time.monotonic() - start_s), 60)
        print(f"[{minutes}:{seconds:02d}] {line} …", file=sys.stderr, flush=True)

    return say


def check_writable(path: Path) -> None:
    """Make sure that a file can be written.

    Raises:
        ConfigError: it cannot.
    """
    if is_folder(path):
        raise ConfigError(f"cannot write the figures to {path}: it is a folder; name a file in it")
    if is_there(path.parent) and not is_folder(path.parent):
        raise ConfigError(f"cannot write the figures to {path}: {path.parent} is no folder; name a file in one")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise _unwritable(path, error) from error


def _unwritable(path: Path, error: OSError) -> ConfigError:
    return ConfigError(f"cannot write the figures to {path}: {error.strerror}; name a file where this user may write")
