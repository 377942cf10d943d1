"""One long run: the program with its viewers, looked at in intervals, and every sample written down at once."""

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

import msgspec

from benchmarks.soak.samples import End, Sample, Start, look_at, note, stolen_s
from benchmarks.soak.watchers import Came
from edge.errors import PermanentError
from edge.status import Status

TIMEOUT_S = 20.0
ANSWER_S = 5.0
SETTLE_S = 1.0
"""Until the viewers have what they missed while they connected."""

Process = subprocess.Popen[str]


def long_run(start: Start, uri: str, folder: Path, say: Callable[[str], None]) -> Path:
    """Let the program run, and note what is seen of it.

    Args:
        start: the conditions; program and viewers are started by them.
        uri: of the source, as the program takes it.
        folder: for the record and the program's log; it must be there.
        say: told a line of every sample.

    Returns:
        the record, `<name>.jsonl`.

    Raises:
        PermanentError: the program did not start.
    """
    path = folder / f"{start.name}.jsonl"
    with (
        (folder / f"{start.name}.log").open("w+b") as log,
        _program(start, uri, log) as (process, url),
        _watchers(start, url) as watchers,
        path.open("wb") as record,
    ):
        note(record, start)
        end = "whatever measured broke down"
        try:
            end = _watched(start, _Sampler(process, url, watchers), record, say)
        except KeyboardInterrupt:
            end = "it was ended from outside"
        finally:
            code = process.poll()
            note(record, End(end if code is None else f"the program {_how(code)}; its last words: {_last_words(log)}"))
    return path


def _watched(start: Start, sampler: "_Sampler", record: IO[bytes], say: Callable[[str], None]) -> str:
    """Take samples; what ended it, empty if nothing did."""
    time.sleep(SETTLE_S)
    sampler.came()
    begin_s = time.monotonic()
    for number in range(round(start.planned_s / start.interval_s) + 1):
        if sampler.ended_before(begin_s + number * start.interval_s):
            return "the program ended"
        sample = sampler.sample(time.monotonic() - begin_s)
        if sample is None:
            return "the viewers, or the program, ended by themselves"
        note(record, sample)
        say(_line(sample))
    return ""


class _Sampler:
    """Looks at one program and its viewers."""

    def __init__(self, process: Process, url: str, watchers: Process) -> None:
        self._process = process
        self._url = url
        self._watchers = watchers
        # the process's clock as Linux names it: see clock_getcpuclockid(3)
        self._clock = ~process.pid << 3 | 2
        self._status: Status | None = None

    def ended_before(self, at_s: float) -> bool:
        """Wait until then, or for the program's end."""
        try:
            self._process.wait(max(0.0, at_s - time.monotonic()))
        except subprocess.TimeoutExpired:
            return False
        return True

    def came(self) -> Came | None:
        """What the viewers got since this was last asked; None if they are gone."""
        question, answer = self._watchers.stdin, self._watchers.stdout
        if question is None or answer is None:
            return None
        try:
            question.write("\n")
            question.flush()
            return msgspec.json.decode(answer.readline(), type=Came)
        except (OSError, msgspec.MsgspecError):
            return None

    def sample(self, at_s: float) -> Sample | None:
        """All figures now; None if the program or its viewers are gone."""
        # first what the questions that follow would change
        try:
            seen = look_at(self._process.pid)
            cpu_s = time.clock_gettime(self._clock)
        except (OSError, KeyError):
            return None
        came = self.came()
        if came is None:
            return None
        answered = self._ask()
        status = self._status
        streams = [client for client in status.clients if client.kind == "stream"] if status else []
        return Sample(
            at_s=round(at_s, 2),
            rss_mib=seen.rss_mib,
            anon_mib=seen.anon_mib,
            peak_mib=seen.peak_mib,
            mapped_mib=seen.mapped_mib,
            handles=seen.handles,
            threads=seen.threads,
            cpu_s=round(cpu_s, 3),
            load=round(os.getloadavg()[0], 2),
            steal_s=round(stolen_s(), 2),
            ages_ms=came.ages_ms,
            events=came.events,
            visits=came.visits,
            lost=came.lost,
            answered=answered,
            frames=status.source.frames if status else 0,
            skipped=dict(status.skipped) if status else {},
            viewer_skipped=max(streams, key=lambda client: client.since_s).skipped if streams else 0,
            encoded=status.encoded if status else 0,
            reconnects=status.source.reconnects if status else 0,
            level=status.budget.level if status and status.budget else None,
        )

    def _ask(self) -> bool:
        """As a monitoring system would, each time on a new connection; whether there was an answer in time."""
        try:
            with urllib.request.urlopen(f"{self._url}metrics", timeout=ANSWER_S) as answer:
                answer.read()
            with urllib.request.urlopen(f"{self._url}state", timeout=ANSWER_S) as answer:
                self._status = msgspec.json.decode(answer.read(), type=Status)
        except (OSError, msgspec.MsgspecError):
            return False
        return True


@contextmanager
def _program(start: Start, uri: str, log: IO[bytes]) -> Iterator[tuple[Process, str]]:
    limits = ["-" if value is None else str(value) for value in (start.core, start.memory_mib)]
    own = [sys.executable, "-m", "edge", "run", "--port", "0", "--source", uri]
    command = [sys.executable, "-m", "benchmarks.soak.start", *limits, *own]
    # not in the runner's session: Ctrl-C is for the runner, which ends the rest in order
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True) as process:
        try:
            words = process.stdout.readline().split() if process.stdout else []
            url = next((word for word in words if word.startswith("http")), None)
            if url is None:
                process.wait(TIMEOUT_S)
                raise PermanentError(f"the program to be watched did not start: {_last_words(log)}")
            yield process, url
        finally:
            _end(process)


@contextmanager
def _watchers(start: Start, url: str) -> Iterator[Process]:
    command = [sys.executable, "-m", "benchmarks.soak.watchers", str(urlsplit(url).port), str(start.interval_s)]
    pipe = subprocess.PIPE
    # what it says when the program is gone, the record says better
    with subprocess.Popen(
        command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True, start_new_session=True
    ) as process:
        try:
            yield process
        finally:
            _end(process)


def _end(process: Process) -> None:
    process.terminate()
    try:
        process.wait(TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()


def _how(code: int) -> str:
    """A process's end, in words."""
    return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended by itself with exit code {code}"


def _last_words(log: IO[bytes]) -> str:
    log.seek(0)
    lines = log.read().decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"


def _line(sample: Sample) -> str:
    ages_ms = sorted(sample.ages_ms)
    p99 = f"{ages_ms[int(0.99 * len(ages_ms))]:.1f}" if ages_ms else "–"
    return (
        f"{sample.at_s / 60:6.1f} min: {sample.rss_mib:.1f} MiB, {sample.handles} handles, {sample.threads} threads, "
        f"{len(ages_ms)} pictures, p99 {p99} ms, load {sample.load}"
    )
