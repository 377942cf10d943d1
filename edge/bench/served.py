"""The whole program as people use it: its own process, its threads, a socket, and a viewer at the other end.

Its processor time per frame is set against that of the same native calls made by one plain loop at the same frame rate:
a processor that idles between frames does everything more slowly than one in a tight loop. Loop and program take turns,
second by second, the program stopped meanwhile, so that a machine whose speed changes favours neither.
"""

import itertools
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from http.client import HTTPResponse
from pathlib import Path
from typing import IO, NamedTuple

import cv2
import msgspec
import numpy as np

from edge.bench.clip import FPS, HEIGHT_PX, WIDTH_PX, load_clip
from edge.bench.whole import Bench, Mix
from edge.errors import PermanentError
from edge.status import Status

CLIP_FRAMES = 300
SETTLE_S = 0.3
"""A process that was stopped is not at its usual pace at once."""
TIMEOUT_S = 10.0
HEADER = b"X-Sequence:"
"""Once in every part of the stream."""
NO_DETECTION = ("roi", "idle")
"""The policy's reasons not to run the detector."""


class Served(msgspec.Struct, frozen=True):
    """What was measured, and under which conditions. Milliseconds of processor time per frame.

    Attributes:
        clip: what was shown.
        fps: pictures a second.
        rounds: how often program and floor took turns.
        program_ms: all threads of the program with one viewer, each round.
        floor_ms: the native calls alone: decode, detector and classifier invokes, JPEG; before, between and after.
        ratio: median over the rounds of the program by the mean of the floors before and after it.
        shown: pictures that reached the viewer per frame of the film; below 1 the program fell behind.
        detections: share of the frames that the detector ran on.
    """

    clip: str
    fps: float
    rounds: int
    program_ms: tuple[float, ...]
    floor_ms: tuple[float, ...]
    ratio: float
    shown: float
    detections: float

    def text(self) -> str:
        """A line for people."""
        return (
            f"{self.clip}, {WIDTH_PX}x{HEIGHT_PX} at {self.fps:g} fps with a viewer: "
            f"{np.median(self.program_ms):.2f} ms of processor time a frame, "
            f"{self.ratio:.2f} x the floor of {np.median(self.floor_ms):.2f} ms ({self.rounds} rounds in turn)"
        )


def measure_served(source: str | None = None, *, rounds: int = 14, span_s: float = 2.5) -> Served:
    """Measure the program, with the default settings, on a clip that is repeated.

    Args:
        source: a video; None: drawn by code.
        rounds: how often program and floor take turns.
        span_s: how long each turn lasts.

    Raises:
        ConfigError: no frames, or no face in them.
        PermanentError: the program does not start, or shows nothing.
    """
    if not sys.platform.startswith("linux"):
        raise PermanentError(f"measuring with a viewer works on Linux only, not on {sys.platform}")
    bench = Bench(load_clip(source, CLIP_FRAMES))
    with tempfile.TemporaryDirectory(prefix="emotion-edge-bench-") as folder:
        film = Path(folder) / "clip.avi"
        bench.clip.write(film)
        floor = _Floor(bench, film, span_s)
        with _Program(film, span_s) as program:
            floors = [floor.span_ms()]
            spans = []
            for _ in range(rounds):
                spans.append(program.span())
                floors.append(floor.span_ms())
            detections = program.detections()
    programs = [span.spent_ms / span.pictures for span in spans]
    ratios = [own / ((floors[i] + floors[i + 1]) / 2) for i, own in enumerate(programs)]
    return Served(
        clip=bench.clip.name,
        fps=FPS,
        rounds=rounds,
        program_ms=tuple(round(ms, 3) for ms in programs),
        floor_ms=tuple(round(ms, 3) for ms in floors),
        ratio=float(np.median(ratios)),
        shown=sum(span.pictures for span in spans) / (rounds * span_s * FPS),
        detections=detections,
    )


class _Floor:
    """The native calls, on one thread, at the film's own pace."""

    def __init__(self, bench: Bench, film: Path, span_s: float) -> None:
        self._span_s = span_s
        self._bench = bench
        self._film = film
        self._mixes: list[Mix] = bench.mixes(len(bench.clip.jpegs))

    def span_ms(self) -> float:
        """Milliseconds of processor time per frame."""
        settle, frames = round(SETTLE_S * FPS), round(self._span_s * FPS)
        decoder = cv2.VideoCapture(str(self._film), cv2.CAP_FFMPEG)
        start_s, cpu_s = time.monotonic(), 0.0
        for index, mix in enumerate(itertools.islice(itertools.cycle(self._mixes), settle + frames)):
            if index == settle:
                cpu_s = time.process_time()
            done, pixels = decoder.read()
            if not done:
                decoder.open(str(self._film), cv2.CAP_FFMPEG)
                _, pixels = decoder.read()
            self._bench.invoke(index, mix, pixels)
            time.sleep(max(0.0, start_s + (index + 1) / FPS - time.monotonic()))
        spent_s = time.process_time() - cpu_s
        decoder.release()
        return 1e3 * spent_s / frames


class _Program:
    """The program in a process of its own, with a viewer; stopped but for the spans that are asked for."""

    def __init__(self, film: Path, span_s: float) -> None:
        self._span_s = span_s
        self._command = [sys.executable, "-m", "edge", "run", "--port", "0", "--source", f"file:{film}?loop=1"]
        self._left = threading.Event()
        self._pictures = 0

    def __enter__(self) -> "_Program":
        self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        # the process's clock as Linux names it: see clock_getcpuclockid(3)
        self._clock = ~self._process.pid << 3 | 2
        try:
            self._url = url_of(self._process)
            stream = urllib.request.urlopen(f"{self._url}stream.mjpg", timeout=TIMEOUT_S)
        except BaseException:
            self._process.kill()
            raise
        self._viewer = threading.Thread(target=self._watch, args=(stream,), daemon=True)
        self._viewer.start()
        time.sleep(SETTLE_S)
        self._process.send_signal(signal.SIGSTOP)
        return self

    def __exit__(self, *_: object) -> None:
        self._left.set()
        self._process.send_signal(signal.SIGCONT)
        self._viewer.join(TIMEOUT_S)
        self._process.terminate()
        self._process.communicate(timeout=TIMEOUT_S)

    def span(self) -> "_Span":
        """Let it run for a while."""
        self._process.send_signal(signal.SIGCONT)
        time.sleep(SETTLE_S)
        spent_s, pictures = time.clock_gettime(self._clock), self._pictures
        time.sleep(self._span_s)
        span = _Span(1e3 * (time.clock_gettime(self._clock) - spent_s), self._pictures - pictures)
        self._process.send_signal(signal.SIGSTOP)
        if not span.pictures:
            raise PermanentError(f"no picture reached the viewer within {self._span_s:g} s; look at what it logs")
        return span

    def detections(self) -> float:
        """Share of the frames so far that the detector ran on."""
        self._process.send_signal(signal.SIGCONT)
        with urllib.request.urlopen(f"{self._url}state", timeout=TIMEOUT_S) as answer:
            decisions = msgspec.json.decode(answer.read(), type=Status).decisions
        without = sum(decisions.get(reason, 0) for reason in NO_DETECTION)
        return 1 - without / sum(decisions.values())

    def _watch(self, stream: HTTPResponse) -> None:
        """As a browser would, take every picture, and count them."""
        rest = b""
        with stream:
            while not self._left.is_set() and (data := stream.read1(1 << 16)):
                rest += data
                self._pictures += rest.count(HEADER)
                rest = rest[-len(HEADER) + 1 :]


class _Span(NamedTuple):
    """Milliseconds of the program's processor time, and pictures that reached the viewer."""

    spent_ms: float
    pictures: int


def url_of(process: subprocess.Popen[str]) -> str:
    """The URL a program that was just started prints.

    Raises:
        PermanentError: it ended instead.
    """
    out: IO[str] | None = process.stdout
    words = out.readline().split() if out else []
    url = next((word for word in words if word.startswith("http")), None)
    if url is None:
        said = process.communicate(timeout=TIMEOUT_S)[1].strip().splitlines()
        raise PermanentError(f"the program to be measured did not start: {said[-1] if said else 'it said nothing'}")
    return url
