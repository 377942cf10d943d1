"""All parts of the runtime in one thread, so that each can be timed, and the native calls in them alone."""

import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count, islice

import cv2
import numpy as np

from edge.analysis import Outlet
from edge.annotate import Annotator
from edge.bench.clip import Clip, decode
from edge.bench.timing import Mix, Searched
from edge.classifier import load_classifier
from edge.config import Config
from edge.contract.chip import chip_square, cut_chip
from edge.detectors.blazeface import BlazeFace
from edge.encode import encode_jpeg
from edge.errors import ConfigError
from edge.machine import cores
from edge.parts import DOUBT, build_classifier, build_detector, build_near, build_pipeline, model_files
from edge.pipeline import Stopwatch
from edge.ports import ExpressionModel, FaceDetector
from edge.slot import LatestSlot
from edge.telemetry import Telemetry
from edge.types import Face, Frame, JpegPacket, Pixels, Scene


@dataclass(frozen=True, slots=True, eq=False)
class Spent:
    """What one whole frame took, and what it consisted of."""

    total_ns: int
    stages_ns: dict[str, int]
    mix: Mix


class Bench:
    """All parts of the runtime in one thread, so that each can be timed."""

    def __init__(self, clip: Clip, config: Config | None = None, *, threads: int = 1) -> None:
        """Build the parts as the program would.

        Args:
            clip: what to measure on.
            config: settings; None: the defaults.
            threads: of the interpreters and of OpenCV; the program has one, but for the cascade.
        """
        self.clip = clip
        self.config = config or Config()
        self.detector: FaceDetector = build_detector(self.config.detector, doubt=DOUBT, threads=threads)[0]
        # the pipeline has its own; this one is for the floor
        self._near = build_near(self.config.detector, self.detector)
        self.classifier = _classifier(self.config, threads)
        self._threads = cores() if self.detector.name == "haar" else threads
        self._pipeline = build_pipeline(self.config, self.detector, self.classifier)
        self._annotator = Annotator()
        self._jpegs: LatestSlot[JpegPacket] = LatestSlot()
        telemetry = Telemetry(time.monotonic_ns, live=False)
        self._outlet = Outlet(LatestSlot(), (), telemetry)
        self._quality = self.config.stream.quality
        # slots and threads of the program hold some frames at any time; with none held, malloc would give the memory
        # of each back to the system, and each next one pay for it with two hundred page faults
        self._held: deque[Pixels] = deque(maxlen=4)

    def enter(self) -> None:
        """Its turn begins: OpenCV's threads are the whole process's."""
        cv2.setNumThreads(self._threads)

    def stages(self) -> dict[str, Callable[[], object]]:
        """Each stage on its own, ready to be called again and again, on a frame with a face.

        Raises:
            ConfigError: no frame has one.
        """
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

    def first_face(self) -> int:
        """Index of the first frame with a face.

        Raises:
            ConfigError: no frame has one.
        """
        return self._with_face()[0].seq - 1

    def _with_face(self) -> tuple[Frame, Face]:
        for index in range(len(self.clip.jpegs)):
            frame = self.clip.frame(index)
            faces = self.detector.detect(frame)
            if faces:
                return frame, faces[0]
        raise ConfigError(f"no face in any of the {len(self.clip.jpegs)} frames of {self.clip.name}; take another clip")

    def whole(self, index: int) -> Spent:
        """One frame all the way; what it took, by stage."""
        start_ns = time.perf_counter_ns()
        frame = self.clip.frame(index)
        decoded_ns = time.perf_counter_ns()
        self._held.append(frame.pixels)
        scene = self._pipeline.step(frame)
        self._outlet.emit(scene)
        analysed_ns = time.perf_counter_ns()
        canvas = self._annotator.draw(scene)
        drawn_ns = time.perf_counter_ns()
        data = encode_jpeg(canvas, self._quality)
        encoded_ns = time.perf_counter_ns()
        self._jpegs.put(JpegPacket(frame.seq, frame.t_ns, data, frame.width, frame.height))
        end_ns = time.perf_counter_ns()
        stages = {
            "decode": decoded_ns - start_ns,
            **scene.timings_ns,
            "draw": drawn_ns - analysed_ns,
            "encode": encoded_ns - drawn_ns,
        }
        return Spent(end_ns - start_ns, stages, mix_of(scene))

    def floor(self, index: int, mix: Mix) -> int:
        """Nanoseconds of the native calls such a frame makes, alone."""
        return sum(self.native(index, mix).values())

    def native(self, index: int, mix: Mix) -> dict[str, int]:
        """The same by the stage that makes them."""
        watch = Stopwatch(time.perf_counter_ns)
        watch.start()
        pixels = decode(self.clip.jpegs[index % len(self.clip.jpegs)])
        watch.lap("decode")
        self._held.append(pixels)
        self._search(index, mix, pixels)
        watch.lap("detect")
        self._read(mix)
        watch.lap("classify")
        self._encode(pixels)
        watch.lap("encode")
        return watch.laps_ns

    def invoke(self, index: int, mix: Mix, pixels: Pixels) -> None:
        """The native calls that follow the decoding of such a frame, on whatever the networks' inputs hold."""
        self._search(index, mix, pixels)
        self._read(mix)
        self._encode(pixels)

    def _search(self, index: int, mix: Mix, pixels: Pixels) -> None:
        if mix.searched == "nothing":
            return
        detector = self._near if mix.searched == "part" else self.detector
        if isinstance(detector, BlazeFace):
            detector.invoke()
        else:
            self.detector.detect(Frame(index + 1, 0, pixels))

    def _read(self, mix: Mix) -> None:
        for _ in range(mix.faces):
            self.classifier.invoke()

    def _encode(self, pixels: Pixels) -> None:
        cv2.imencode(".jpg", pixels, (cv2.IMWRITE_JPEG_QUALITY, self._quality))

    def foretell(self) -> Iterator[Mix]:
        """What each frame will consist of: the pipeline is deterministic, so another one tells, a frame at a time."""
        pipeline = build_pipeline(self.config, self.detector, self.classifier)
        return (mix_of(pipeline.step(self.clip.frame(index))) for index in count())

    def mixes(self, frames: int) -> list[Mix]:
        """What each of so many frames will consist of."""
        return list(islice(self.foretell(), frames))


def mix_of(scene: Scene) -> Mix:
    """What the frame of a scene consisted of."""
    return Mix(searched(scene), sum(track.scored_seq == scene.frame.seq for track in scene.tracks))


def searched(scene: Scene) -> Searched:
    """Where a detector ran."""
    search = scene.decision.search
    return "nothing" if search is None else "whole" if search.region is None else "part"


def _classifier(config: Config, threads: int) -> ExpressionModel:
    if threads == 1:
        return build_classifier(config.expression)[0]
    (path,) = model_files(config.expression)
    return load_classifier(path, threads=threads)
