"""The stages and the whole frame in one thread, and the floor below which no program of this kind can go.

The floor is the native calls this mix of frames really makes (decode, detector invoke, classifier invokes, JPEG), timed
alone in the same run: frame by frame in turn with the whole, first one and then the other, so that a busy machine and
warm caches favour neither.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import cv2
import msgspec
import numpy as np

from edge.analysis import Outlet
from edge.annotate import Annotator
from edge.bench.clip import HEIGHT_PX, WIDTH_PX, Clip, decode, load_clip
from edge.config import Config
from edge.contract.chip import chip_square, cut_chip
from edge.detectors.blazeface import BlazeFace
from edge.encode import encode_jpeg
from edge.errors import ConfigError
from edge.machine import Machine, describe
from edge.parts import DOUBT, build_classifier, build_detector, build_near, build_pipeline
from edge.ports import FaceDetector
from edge.slot import LatestSlot
from edge.telemetry import Telemetry
from edge.types import Face, Frame, JpegPacket, Pixels, Scene

WARM_FRAMES = 20


class Timing(msgspec.Struct, frozen=True):
    """Milliseconds of one stage over all its runs."""

    runs: int
    mean_ms: float
    p50_ms: float
    p95_ms: float
    p99_ms: float


class Report(msgspec.Struct, frozen=True):
    """What was measured, and under which conditions.

    Attributes:
        machine: where.
        clip: what was shown.
        frames: how many of it.
        detector: which.
        interval: the whole frame is searched at least on every such frame, if anything in it changed.
        faces: read per frame, on average.
        stages: each stage of our own, as part of whole frames.
        whole: decode, analyse, draw, encode, publish.
        floor: the native calls of the same frames, alone.
        ratio: whole over floor, by the medians of each kind of frame (see `typical_ns`).
        ratio_of_means: the same by plain means: on a busy machine mostly noise.
        fps: whole frames per second on one core, by the same medians.
    """

    machine: Machine
    clip: str
    frames: int
    detector: str
    interval: int
    faces: float
    stages: dict[str, Timing]
    whole: Timing
    floor: Timing
    ratio: float
    ratio_of_means: float
    fps: float

    def text(self) -> str:
        """A table for people."""
        m = self.machine
        lines = [
            f"{m.board or m.cpu}, {m.arch}, {m.cores} cores, load {m.load}, Python {m.python}, OpenCV {m.opencv}",
            f"{self.clip}: {self.frames} frames of {WIDTH_PX}x{HEIGHT_PX}, {self.faces:.1f} faces read on each, "
            f"{self.detector} on every {self.interval}. frame at least",
            f"{'stage':<22}{'runs':>6}{'mean':>9}{'p50':>9}{'p95':>9}{'p99':>9}  ms",
        ]
        rows = [*self.stages.items(), ("floor", self.floor), ("whole frame", self.whole)]
        for name, t in rows:
            lines.append(f"{name:<22}{t.runs:>6}{t.mean_ms:>9.3f}{t.p50_ms:>9.3f}{t.p95_ms:>9.3f}{t.p99_ms:>9.3f}")
        lines.append(
            f"{self.fps:.0f} frames a second on one core; "
            f"{self.ratio:.2f} x the floor ({self.ratio_of_means:.2f} by means)"
        )
        return "\n".join(lines)


class Bench:
    """All parts of the runtime in one thread, so that each can be timed."""

    def __init__(self, clip: Clip, config: Config | None = None) -> None:
        """Build the parts as the program would.

        Args:
            clip: what to measure on.
            config: settings; None: the defaults.
        """
        self.clip = clip
        self.config = config or Config()
        self.detector: FaceDetector = build_detector(self.config.detector, doubt=DOUBT)[0]
        # the pipeline has its own; this one is for the floor
        self._near = build_near(self.config.detector, self.detector)
        self.classifier = build_classifier(self.config.expression)[0]
        self._pipeline = build_pipeline(self.config, self.detector, self.classifier)
        self._annotator = Annotator()
        self._jpegs: LatestSlot[JpegPacket] = LatestSlot()
        telemetry = Telemetry(time.monotonic_ns, live=False)
        self._outlet = Outlet(LatestSlot(), (), telemetry)
        self._quality = self.config.stream.quality

    def stages(self) -> dict[str, Callable[[], object]]:
        """Each stage on its own, ready to be called again and again, on a frame with a face if there is one."""
        frame, face = self._with_face()
        box = face.box
        framing = self.detector.framing
        views = [
            (view, chip_square(box, frame.width, frame.height, framing, view.margin)) for view in self.classifier.views
        ]
        chips = [cut_chip(frame.bgr, square, view)[np.newaxis] for view, square in views]
        scene = build_pipeline(self.config, self.detector, self.classifier).step(frame)
        calls: dict[str, Callable[[], object]] = {
            "decode": lambda: decode(self.clip.jpegs[0]),
            "detect": lambda: self.detector.detect(frame),
            "chip": lambda: [cut_chip(frame.bgr, square, view) for view, square in views],
            "classify": lambda: self.classifier.classify(*chips),
            "classifier invoke": self.classifier.invoke,
            "draw": lambda: self._annotator.draw(scene),
            "encode": lambda: encode_jpeg(frame.bgr, self._quality),
        }
        if isinstance(self.detector, BlazeFace):
            calls["detector invoke"] = self.detector.invoke
        return calls

    def _with_face(self) -> tuple[Frame, Face]:
        for index in range(len(self.clip.jpegs)):
            frame = self.clip.frame(index)
            faces = self.detector.detect(frame)
            if faces:
                return frame, faces[0]
        raise ConfigError(f"no face in any of the {len(self.clip.jpegs)} frames of {self.clip.name}; take another clip")

    def whole(self, index: int) -> "Spent":
        """One frame all the way; what it took, by stage."""
        start_ns = time.perf_counter_ns()
        frame = self.clip.frame(index)
        decoded_ns = time.perf_counter_ns()
        scene = self._pipeline.step(frame)
        self._outlet.emit(scene)
        analysed_ns = time.perf_counter_ns()
        canvas = self._annotator.draw(scene)
        drawn_ns = time.perf_counter_ns()
        data = encode_jpeg(canvas, self._quality)
        self._jpegs.put(JpegPacket(frame.seq, frame.t_ns, data, frame.width, frame.height))
        end_ns = time.perf_counter_ns()
        stages = {
            "decode": decoded_ns - start_ns,
            **scene.timings_ns,
            "draw": drawn_ns - analysed_ns,
            "encode": end_ns - drawn_ns,
        }
        return Spent(end_ns - start_ns, stages)

    def floor(self, index: int, mix: "Mix") -> int:
        """Nanoseconds of the native calls such a frame makes, alone."""
        start_ns = time.perf_counter_ns()
        pixels = decode(self.clip.jpegs[index % len(self.clip.jpegs)])
        self.invoke(index, mix, pixels)
        return time.perf_counter_ns() - start_ns

    def invoke(self, index: int, mix: "Mix", pixels: Pixels) -> None:
        """The native calls that follow the decoding of such a frame, on whatever the networks' inputs hold."""
        detector = self._near if mix.searched == "part" else self.detector
        if mix.searched != "nothing":
            if isinstance(detector, BlazeFace):
                detector.invoke()
            else:
                self.detector.detect(Frame(index + 1, 0, pixels))
        for _ in range(mix.faces):
            self.classifier.invoke()
        cv2.imencode(".jpg", pixels, (cv2.IMWRITE_JPEG_QUALITY, self._quality))

    def mixes(self, frames: int) -> list["Mix"]:
        """What each of so many frames will consist of: the pipeline is deterministic, so a dry run tells."""
        pipeline = build_pipeline(self.config, self.detector, self.classifier)
        scenes = (pipeline.step(self.clip.frame(index)) for index in range(frames))
        return [
            Mix(searched(scene), sum(track.scored_seq == scene.frame.seq for track in scene.tracks)) for scene in scenes
        ]


Searched = Literal["nothing", "part", "whole"]


def searched(scene: Scene) -> Searched:
    """Where a detector ran."""
    search = scene.decision.search
    return "nothing" if search is None else "whole" if search.region is None else "part"


@dataclass(frozen=True, slots=True)
class Mix:
    """What a frame consists of: what of it is searched, and how many faces are classified."""

    searched: Searched
    faces: int


@dataclass(frozen=True, slots=True, eq=False)
class Spent:
    """What one whole frame took."""

    total_ns: int
    stages_ns: dict[str, int]


def measure(source: str | None = None, *, quick: bool = False, config: Config | None = None) -> Report:
    """Measure on a clip.

    Args:
        source: a video; None: drawn by code.
        quick: fewer frames.
        config: settings; None: the defaults.

    Raises:
        ConfigError: no frames, or no face in them.
    """
    machine = describe()
    bench = Bench(load_clip(source, 90 if quick else 300), config)
    rounds = WARM_FRAMES + (150 if quick else 900)
    mixes = bench.mixes(rounds)
    wholes: list[int] = []
    floors: list[int] = []
    stages: dict[str, list[int]] = {}
    for index, mix in enumerate(mixes):
        whole_first = index % 2 == 0
        spent = bench.whole(index) if whole_first else None
        floors.append(bench.floor(index, mix))
        spent = spent or bench.whole(index)
        wholes.append(spent.total_ns)
        if index >= WARM_FRAMES:
            for stage, ns in spent.stages_ns.items():
                stages.setdefault(stage, []).append(ns)
    mixes, wholes, floors = mixes[WARM_FRAMES:], wholes[WARM_FRAMES:], floors[WARM_FRAMES:]
    return Report(
        machine=machine,
        clip=bench.clip.name,
        frames=len(wholes),
        detector=bench.detector.name,
        interval=bench.config.detector.interval,
        faces=sum(mix.faces for mix in mixes) / len(mixes),
        stages={stage: timing(values) for stage, values in stages.items()},
        whole=timing(wholes),
        floor=timing(floors),
        ratio=typical_ns(wholes, mixes) / typical_ns(floors, mixes),
        ratio_of_means=sum(wholes) / sum(floors),
        fps=1e9 / typical_ns(wholes, mixes),
    )


def typical_ns(values_ns: list[int], mixes: list[Mix]) -> float:
    """Mean over the mix of frames with the median of each kind in place of its values.

    A frame that another program interrupts says nothing about this one; the mean of all is reported beside.
    """
    kinds: dict[Mix, list[int]] = {}
    for value, mix in zip(values_ns, mixes, strict=True):
        kinds.setdefault(mix, []).append(value)
    return sum(float(np.median(values)) * len(values) for values in kinds.values()) / len(values_ns)


def timing(values_ns: list[int]) -> Timing:
    """Mean and percentiles."""
    p50, p95, p99 = (float(p) for p in np.percentile(values_ns, (50, 95, 99)) / 1e6)
    return Timing(len(values_ns), float(np.mean(values_ns)) / 1e6, p50, p95, p99)
