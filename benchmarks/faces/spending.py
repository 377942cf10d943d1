"""Processor time of an analysed frame, by what there is to see, against searching the whole of every frame."""

import time

import msgspec
import numpy as np
from msgspec.structs import replace

from edge.config import Config
from edge.parts import DOUBT, build_classifier, build_detector, build_pipeline
from edge.pipeline import Pipeline
from edge.sources.demo import DemoSource
from edge.sources.specs import DemoSpec
from edge.types import Frame, Pixels

FPS = 30
NOISE = 2.0
BLOCK = 30


class Spending(msgspec.Struct, frozen=True):
    """One kind of scene.

    Attributes:
        scene: its name.
        ms: mean processor time of an analysed frame, as shipped.
        ms_searched: the same if the whole of every frame is searched.
        ratio: of the two.
        faces: shown on average.
    """

    scene: str
    ms: float
    ms_searched: float
    ratio: float
    faces: float


def spend(frames: int) -> tuple[Spending, ...]:
    """Measure all kinds of scenes, in turn, block by block."""
    scenes = {
        "empty, still": _still(0),
        "one face, still": _still(1),
        "eight faces, still": _still(8),
        "one face, moving": _moving(1, frames),
        "eight faces, moving": _moving(8, frames),
    }
    config = Config()
    always = replace(config, detector=replace(config.detector, interval=1))
    detector, _ = build_detector(config.detector, doubt=DOUBT)
    classifier, _ = build_classifier(config.expression)
    pipelines = {
        name: (build_pipeline(config, detector, classifier), build_pipeline(always, detector, classifier))
        for name in scenes
    }
    spent = {name: [0, 0] for name in scenes}
    shown = dict.fromkeys(scenes, 0)
    counted = 0
    for start in range(0, frames, BLOCK):
        warm = start < 2 * BLOCK  # all parts of a still scene are searched once: that is not its rest
        for name, pictures in scenes.items():
            for which, pipeline in enumerate(pipelines[name]):
                ns, faces = _run(pipeline, pictures, start)
                if not warm:
                    spent[name][which] += ns
                    shown[name] += faces if which == 0 else 0
        counted += 0 if warm else BLOCK
    return tuple(
        Spending(name, ours / counted / 1e6, theirs / counted / 1e6, ours / theirs, shown[name] / counted)
        for name, (ours, theirs) in spent.items()
    )


def _run(pipeline: Pipeline, pictures: list[Pixels], start: int) -> tuple[int, int]:
    """Nanoseconds of a block, and how many faces were shown, all frames added up."""
    block = [
        Frame(start + index + 1, (start + index) * 1_000_000_000 // FPS, pictures[(start + index) % len(pictures)])
        for index in range(BLOCK)
    ]
    started = time.process_time_ns()
    scenes = [pipeline.step(frame) for frame in block]
    return time.process_time_ns() - started, sum(len(scene.tracks) for scene in scenes)


def _still(faces: int) -> list[Pixels]:
    """Some frames of one moment, with a camera's noise."""
    random = np.random.default_rng(1)
    picture = _source(faces).draw(2.0).astype(np.float32)
    return [np.clip(picture + random.normal(0, NOISE, picture.shape), 0, 255).astype(np.uint8) for _ in range(8)]


def _moving(faces: int, frames: int) -> list[Pixels]:
    source = _source(faces)
    return [source.draw(index / FPS) for index in range(min(frames, 300))]


def _source(faces: int) -> DemoSource:
    return DemoSource(DemoSpec(faces=faces, realtime=False), time.monotonic_ns, time.sleep)
