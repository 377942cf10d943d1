"""Photos as a camera would see them that looks at each for two seconds."""

import time

import msgspec
import numpy as np
from msgspec.structs import replace

from benchmarks.faces.face_counts import Counts, count
from benchmarks.faces.photos import Photo
from edge.config import Config
from edge.parts import DOUBT, build_classifier, build_detector, build_pipeline
from edge.types import Box, Frame, Scene

FPS = 30
SECONDS = 2.0
NOISE = 2.0
NOISE_SEED = 1
"""A webcam's, in grey levels: no two frames of a still scene are alike."""

SETTINGS = {
    "as shipped": {},
    "without parts": {"tiles": False},
    "every frame, whole": {"interval": 1},
    "haar": {"name": "haar"},
}


class StillScenes(msgspec.Struct, frozen=True):
    """What one setting made of all photos.

    Attributes:
        setting: its name.
        counts: of the faces shown at the end of the two seconds.
        after_s: counts by time: of the faces shown so many seconds after the photo came.
        ms: processor time of an analysed frame, expressions included.
        searches: frames by the reason why they were searched, or not.
    """

    setting: str
    counts: Counts
    after_s: dict[float, Counts]
    ms: float
    searches: dict[str, int]


def show(photos: tuple[Photo, ...], settings: dict[str, dict[str, object]] = SETTINGS) -> tuple[StillScenes, ...]:
    """Show every photo under every setting."""
    return tuple(_shown(photos, name, changes) for name, changes in settings.items())


def _shown(photos: tuple[Photo, ...], name: str, changes: dict[str, object]) -> StillScenes:
    config = Config()
    config = replace(config, detector=replace(config.detector, **changes))
    detector, _ = build_detector(config.detector, doubt=DOUBT)
    classifier, _ = build_classifier(config.expression)
    random = np.random.default_rng(NOISE_SEED)
    moments = {0.25, 0.5, 1.0, 1.5, SECONDS}
    after_s: dict[float, Counts] = dict.fromkeys(sorted(moments), Counts())
    searches: dict[str, int] = {}
    spent_ns, frames = 0, round(SECONDS * FPS)
    for photo in photos:
        pipeline = build_pipeline(config, detector, classifier)
        noise = random.normal(0, NOISE, (8, *photo.picture.shape)).round().astype(np.int16)
        for index in range(frames):
            # shifted, so that eight pictures of noise do for all frames
            grain = np.roll(noise[index % 8], index * 7, axis=(0, 1))
            frame = Frame(index + 1, round(index / FPS * 1e9), np.clip(photo.picture + grain, 0, 255).astype(np.uint8))
            started = time.process_time_ns()
            scene = pipeline.step(frame)
            spent_ns += time.process_time_ns() - started
            searches[scene.decision.reason] = searches.get(scene.decision.reason, 0) + 1
            passed = (index + 1) / FPS
            for moment in after_s:
                if abs(passed - moment) < 0.5 / FPS:
                    after_s[moment] += count(_boxes(scene), photo.faces)
    return StillScenes(name, after_s[SECONDS], after_s, spent_ns / 1e6 / (len(photos) * frames), searches)


def _boxes(scene: Scene) -> list[Box]:
    """Of all faces shown, in pixels."""
    w, h = scene.frame.width, scene.frame.height
    return [Box(t.box.x * w, t.box.y * h, t.box.w * w, t.box.h * h) for t in scene.tracks]
