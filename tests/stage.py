"""A stand-in for the program behind the server: it makes scenes and pictures without camera, detector or model."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import cv2
import numpy as np
from prometheus_client import CollectorRegistry, Counter

from edge.audience import Audience
from edge.config import Config
from edge.contract.labels import FER2013_LABELS
from edge.events import AggregateEvent, SceneEvent, scene_event
from edge.live import LiveSettings
from edge.palette import face_colour
from edge.server.clients import Clients
from edge.server.view import Backstage
from edge.slot import LatestSlot
from edge.status import Percentiles, SourceStatus, Status
from edge.types import UNCERTAIN, Box, Decision, Frame, JpegPacket, Pixels, Scene, Track
from tests.wire import eventually

WIDTH_PX, HEIGHT_PX = 640, 480
THRESHOLD = 0.45


class Stage:
    """Holds the slots that the server reads. `step` makes one scene; `running` makes them all the time.

    Attributes:
        encodes: whether `step` makes the default picture where somebody watches, whatever kind that wants.
    """

    def __init__(self, faces: int = 2) -> None:
        self.faces = faces
        self.seq = 0
        self.encoded = 0
        self.encodes = True
        self.scenes: LatestSlot[Scene] = LatestSlot()
        self.aggregates: LatestSlot[AggregateEvent] = LatestSlot()
        self.audience = Audience(lambda: self.settings.current.stream.max_variants)
        self.jpegs: LatestSlot[JpegPacket] = self.audience.default.jpegs
        self.settings = LiveSettings(Config())
        self.clients = Clients()
        self.registry = CollectorRegistry()
        self.source = SourceStatus(
            "demo camera", "online", "chosen because no camera is connected", WIDTH_PX, HEIGHT_PX
        )
        self.notices: tuple[str, ...] = ()
        self.alive = (True, "all workers do their work")
        self.ready = (True, "frames flow")
        self._frames = Counter("emotion_edge_test_frames", "scenes made", registry=self.registry)

    def backstage(self) -> Backstage:
        """What the composition root would hand to the server."""
        return Backstage(
            scenes=self.scenes,
            audience=self.audience,
            clients=self.clients,
            settings=self.settings,
            status=self.status,
            event=self.event,
            aggregates=self.aggregates,
            registry=lambda: self.registry,
            ready=lambda: self.ready,
            alive=lambda: self.alive,
        )

    def step(self) -> Scene:
        """Make the next scene, and its picture if anybody watches."""
        self.seq += 1
        tracks = tuple(make_track(index + 1, self.seq) for index in range(self.faces))
        frame = Frame(self.seq, time.monotonic_ns(), background(self.seq))
        scene = Scene(frame, tracks, FER2013_LABELS, Decision(self.seq % 5 == 1, "cadence"), {"detect": 2_100_000})
        self._frames.inc()
        self.scenes.put(scene)
        if self.encodes and self.audience.count > 0:
            self.encode(scene)
        return scene

    def encode(self, scene: Scene) -> JpegPacket:
        """Draw and encode a scene, watched or not."""
        ok, data = cv2.imencode(".jpg", draw(scene))
        assert ok
        packet = JpegPacket(
            scene.frame.seq,
            scene.frame.t_ns,
            data.tobytes(),
            WIDTH_PX,
            HEIGHT_PX,
            privacy=self.settings.current.privacy,
            result=self.event(scene),
        )
        self.encoded += 1
        self.jpegs.put(packet)
        return packet

    @contextmanager
    def running(self, hz: float = 30.0) -> Iterator["Stage"]:
        """Make scenes on a thread for as long as the context lasts."""
        stop = threading.Event()

        def run() -> None:
            while not stop.wait(1 / hz):
                self.step()

        thread = threading.Thread(target=run, name="stage", daemon=True)
        thread.start()
        try:
            yield self
        finally:
            stop.set()
            thread.join()

    def event(self, scene: Scene) -> SceneEvent:
        """The record of a scene."""
        return scene_event(scene, self.source.name, "2026-01-01T00:00:00.000Z")

    def status(self) -> Status:
        """A snapshot with plausible figures."""
        return Status(
            version="0.1.0",
            uptime_s=754.0,
            source=self.source,
            detector="blazeface-full",
            model="emotion-edge-48",
            runtime="LiteRT 2.3.0",
            labels=FER2013_LABELS,
            threshold=THRESHOLD,
            fps=29.8,
            faces=self.faces,
            latency_ms=Percentiles(7.4, 11.2),
            stages_ms={
                "detect": Percentiles(2.6, 3.4),
                "classify": Percentiles(0.2, 0.4),
                "draw": Percentiles(0.3, 0.5),
            },
            skipped={"newer frame": 12, "too hot": 0},
            decisions={"cadence": 812, "new scene": 31},
            viewers=self.audience.count,
            encoded=self.encoded,
            clients=self.clients.status(),
            notices=self.notices,
        )


def wait_for_viewers(stage: Stage, count: int) -> None:
    """Until so many watch."""
    eventually(lambda: stage.audience.count == count, f"{count} viewers, there are {stage.audience.count}")


def make_track(track_id: int, seq: int) -> Track:
    """A face that wanders slowly and changes its expression; every second one is never sure."""
    phase = seq / 45 + track_id * 2.1
    scores = np.exp(2.6 * np.cos(phase - np.arange(7) * 2 * np.pi / 7))
    if track_id % 2 == 0:
        scores = scores**0.25
    scores = (scores / scores.sum()).astype(np.float32)
    best = int(scores.argmax())
    confidence = float(scores[best])
    x = 0.12 + 0.42 * (track_id - 1) + 0.03 * np.sin(seq / 30 + track_id)
    return Track(
        id=track_id,
        box=Box(float(x), 0.28, 0.3, 0.4),
        score=0.9,
        keypoints=None,
        age=seq,
        misses=0,
        seen_seq=seq - (seq - 1) % 5,
        seen_ns=time.monotonic_ns(),
        scores=scores,
        scored_seq=seq,
        label=FER2013_LABELS[best] if confidence >= THRESHOLD else UNCERTAIN,
        confidence=confidence,
    )


def background(seq: int) -> Pixels:
    """A soft room with light that wanders: uint8 (H, W, 3) BGR. No two neighbours are alike."""
    across = np.linspace(0, 1, WIDTH_PX, dtype=np.float32)[None, :]
    down = np.linspace(0, 1, HEIGHT_PX, dtype=np.float32)[:, None]
    light = np.exp(-((across - 0.5 - 0.3 * np.sin(seq / 25)) ** 2 + (down - 0.2) ** 2) * 4)
    grey = 60 + 70 * light + 20 * down
    return np.dstack((grey * 1.02, grey, grey * 0.96)).astype(np.uint8)


def draw(scene: Scene) -> Pixels:
    """The scene with its faces and boxes."""
    canvas = scene.frame.bgr.copy()
    for track in scene.tracks:
        box = track.box.to_pixels(WIDTH_PX, HEIGHT_PX)
        centre, radius = (box.x + box.w // 2, box.y + box.h // 2), box.w // 2
        cv2.ellipse(
            canvas, centre, (int(radius * 0.72), int(radius * 0.92)), 0, 0, 360, (150, 178, 214), -1, cv2.LINE_AA
        )
        for side in (-1, 1):
            eye = (centre[0] + side * int(radius * 0.28), centre[1] - int(radius * 0.15))
            cv2.circle(canvas, eye, max(2, radius // 12), (50, 40, 40), -1, cv2.LINE_AA)
        mouth = (centre[0], centre[1] + int(radius * 0.35))
        cv2.ellipse(canvas, mouth, (int(radius * 0.3), int(radius * 0.14)), 0, 10, 170, (70, 60, 130), 3, cv2.LINE_AA)
        cv2.rectangle(canvas, (box.x, box.y), (box.x + box.w, box.y + box.h), face_colour(track.id)[::-1], 2)
    return canvas
