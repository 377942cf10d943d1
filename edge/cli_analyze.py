"""`emotion-edge analyze`: pictures and videos, by the file or by the folder, to records and annotated copies."""

import argparse
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from edge.errors import EXIT_CLEAN, EXIT_FAULT, ConfigError
from edge.named_paths import is_folder, is_there

SAY_S = 10.0
"""Where there is no terminal, how things go is said so often."""


def add_analyze(parser: argparse.ArgumentParser) -> None:
    """Declare the command."""
    add = parser.add_argument
    add("paths", metavar="PATH", nargs="+", type=Path, help="a picture, a video, or a folder with such")
    add("--out", metavar="DIR", type=Path, help="folder for the results; without it, records go to standard output")
    add("--format", choices=("jsonl", "csv"), default="jsonl", help="of the records (default jsonl)")
    add("--annotate", action="store_true", help="write pictures and videos with boxes and labels to DIR/annotated")
    add("--codec", choices=("vp8", "vp9"), default="vp8", help="of annotated videos: vp9 is smaller and much slower")
    add("--save-chips", action="store_true", help="write what the model saw of each face to DIR/chips")
    add("--threshold", metavar="SHARE", type=float, help="below this confidence a face is uncertain (default 0.35)")
    add("--whole", action="store_true", help="take a picture without a face as one")
    add(
        "--detector",
        metavar="NAME",
        help="auto (default), blazeface-full, blazeface-sparse, blazeface-short, haar, mediapipe",
    )
    add("--model", metavar="PATH", action="append", help="expression model (.tflite); given again: the mean of all")
    add("--config", metavar="FILE", type=Path, help="TOML file with settings; [detector] and [expression] count")
    add("--fresh", action="store_true", help="begin anew instead of going on with the earlier run in DIR")
    add("--engine", choices=("local", "ray"), default="local", help="where: here (default), or on a Ray cluster")
    add("--address", metavar="HOST:PORT", help="of the cluster's head (default: RAY_ADDRESS, else this machine's own)")
    add(
        "--segment-s",
        metavar="S",
        type=float,
        help="cut videos into pieces of so many seconds, each analysed by itself (default 60 with ray, else 0: whole)",
    )
    parser.set_defaults(command=_analyze)


def _analyze(arguments: argparse.Namespace) -> int:
    """Do it; to be interrupted is a fault, for whoever relies on the results."""
    try:
        return _analyzed(arguments)
    except KeyboardInterrupt:  # before anything began, or for the second time
        print("Interrupted: the same command goes on where it was.", file=sys.stderr)
        return EXIT_FAULT


def _analyzed(arguments: argparse.Namespace) -> int:
    from edge import logs  # noqa: PLC0415
    from edge.config_layers import load  # noqa: PLC0415

    flags = {
        "detector": {"name": arguments.detector} if arguments.detector else {},
        "expression": {"model": arguments.model} if arguments.model else {},
    }
    if arguments.out is None and (arguments.annotate or arguments.save_chips or arguments.fresh):
        raise ConfigError("--annotate, --save-chips and --fresh need a folder for the results: --out DIR")
    if arguments.out is not None and is_there(arguments.out) and not is_folder(arguments.out):
        raise ConfigError(f"--out {arguments.out} is no folder; name one, it is made if it is missing")
    if arguments.threshold is not None and not 0 <= arguments.threshold <= 1:
        raise ConfigError(f"--threshold is a share from 0 to 1, found {arguments.threshold:g}; 35 % is 0.35")
    if arguments.address is not None and arguments.engine != "ray":
        raise ConfigError("--address is that of a Ray cluster; give --engine ray with it")
    config = load(arguments.config, flags)
    logs.setup(config.log.level, config.log.format)
    from edge.analyzer import THRESHOLD  # noqa: PLC0415
    from edge.batch.inputs import find_inputs  # noqa: PLC0415
    from edge.batch.plan import segment_length_s  # noqa: PLC0415
    from edge.batch.run import Batch  # noqa: PLC0415
    from edge.batch.settings import BatchSettings  # noqa: PLC0415

    found = find_inputs(arguments.paths, arguments.out)
    if not found.inputs:
        raise ConfigError(_nothing(arguments.paths, [*found.missing, *found.skipped]))
    settings = BatchSettings(
        config=config,
        threshold=THRESHOLD if arguments.threshold is None else arguments.threshold,
        whole=arguments.whole,
        annotate=arguments.annotate,
        codec=arguments.codec,
        save_chips=arguments.save_chips,
        formats=(arguments.format,),
        segment_s=segment_length_s(arguments.segment_s, arguments.engine),
    )
    reporter = _Bars() if sys.stderr.isatty() else _Lines()
    stream = sys.stdout.buffer
    with _interruptible() as interrupted, _engine(arguments, settings, reporter.note) as engine:
        batch = Batch(
            found,
            settings,
            reporter,
            folder=arguments.out,
            stream=stream,
            fresh=arguments.fresh,
            cancelled=lambda: bool(interrupted),
            engine=engine,
        )
        try:
            summary = batch.run()
        finally:
            reporter.close()
    print("\n".join(summary.lines()), file=sys.stderr)
    if arguments.out is not None:
        print(f"Results: {arguments.out}", file=sys.stderr)
    return EXIT_FAULT if summary.failed or summary.interrupted else EXIT_CLEAN


def _nothing(paths: list[Path], problems: list[Any]) -> str:
    named = ", ".join(map(str, paths))
    if not problems:
        return f"there is nothing to analyse in {named}; expected pictures or videos"
    more = f", and {len(problems) - 1} more like it" if len(problems) > 1 else ""
    return f"there is nothing to analyse in {named}: {problems[0].path}: {problems[0].reason}{more}"


@contextmanager
def _engine(arguments: argparse.Namespace, settings: Any, note: Callable[[str], None]) -> Iterator[Any]:
    """Gives who does the work elsewhere; None: nobody does."""
    if arguments.engine == "local":
        yield None
        return
    from edge.batch.ray_engine import RayEngine  # noqa: PLC0415

    with RayEngine(settings, arguments.address) as engine:
        note(engine.notice)
        yield engine


@contextmanager
def _interruptible() -> Iterator[list[int]]:
    """Gives a list that is no longer empty once the program was asked to end; asked again, it ends at once."""
    asked: list[int] = []

    def ask(number: int, _: FrameType | None) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(number)

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Bars:
    """A bar for the files, and one for the frames of a film, on a terminal."""

    def __init__(self) -> None:
        from tqdm import tqdm  # noqa: PLC0415

        self._bar = tqdm
        self._files: Any = None
        self._frames: Any = None
        self._count = 0

    def begun(self, files: int) -> None:
        """See `edge.batch.run.Reporter`."""
        self._count = files
        if files > 1:
            self._files = self._bar(total=files, unit="file", dynamic_ncols=True)

    def file(self, item: Any) -> None:
        """See `edge.batch.run.Reporter`."""
        if item.kind == "video":
            self._frames = self._bar(unit="frame", desc=item.path.name, leave=self._count == 1, dynamic_ncols=True)

    def progress(self, progress: Any) -> None:
        """See `edge.batch.run.Reporter`."""
        if self._frames.total != progress.total:
            self._frames.total = progress.total
        self._frames.update(progress.frames - self._frames.n)

    def finished(self, item: Any, problem: str | None) -> None:
        """See `edge.batch.run.Reporter`."""
        if self._frames is not None:
            self._frames.close()
            self._frames = None
        if problem:
            self._bar.write(f"{item.path}: {problem}", file=sys.stderr)
        if self._files is not None:
            self._files.update()

    def note(self, text: str) -> None:
        """See `edge.batch.run.Reporter`."""
        self._bar.write(text, file=sys.stderr)

    def close(self) -> None:
        """Take the bars away."""
        for bar in (self._frames, self._files):
            if bar is not None:
                bar.close()


class _Lines:
    """A line now and then, for logs."""

    def __init__(self) -> None:
        self._files = 0
        self._done = 0
        self._name = ""
        self._said_s = time.monotonic()

    def begun(self, files: int) -> None:
        """See `edge.batch.run.Reporter`."""
        self._files = files

    def file(self, item: Any) -> None:
        """See `edge.batch.run.Reporter`."""
        self._name = str(item.path)
        self._say("")

    def progress(self, progress: Any) -> None:
        """See `edge.batch.run.Reporter`."""
        self._say(f", frame {progress.frames} of {progress.total or 'an unknown number'}")

    def finished(self, item: Any, problem: str | None) -> None:
        """See `edge.batch.run.Reporter`."""
        self._done += 1
        if problem:
            self.note(f"{item.path}: {problem}")

    def note(self, text: str) -> None:
        """See `edge.batch.run.Reporter`."""
        print(text, file=sys.stderr, flush=True)

    def close(self) -> None:
        """Nothing is held."""

    def _say(self, detail: str) -> None:
        now_s = time.monotonic()
        if now_s - self._said_s >= SAY_S:
            self._said_s = now_s
            self.note(f"{self._done} of {self._files} files done; {self._name}{detail}")
