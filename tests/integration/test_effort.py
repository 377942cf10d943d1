"""Less effort finds the same faces: later, and on fewer frames."""

import time

import pytest

from edge import model_store
from edge.config import Config
from edge.detectors.blazeface import VARIANTS
from edge.effort import LOWEST, effort_at
from edge.errors import SourceEnded
from edge.parts import AUTO_DETECTOR, build_classifier, build_detector, build_pipeline
from edge.sources import open_source
from edge.types import Scene

FPS, SECONDS, FACES = 30, 8, 3


def scenes_at(level: int) -> list[Scene]:
    """The demo, at that level from the first frame on."""
    config = Config()
    detector, _ = build_detector(config.detector)
    classifier, _ = build_classifier(config.expression)
    pipeline = build_pipeline(config, detector, classifier)
    pipeline.effort = effort_at(level, FPS)
    every = round(FPS / (pipeline.effort.max_fps or FPS))
    uri = f"demo:?realtime=0&duration={SECONDS}&fps={FPS}&faces={FACES}"
    source = open_source(uri, clock=time.monotonic_ns, sleep=time.sleep)
    scenes = []
    try:
        while True:
            frame = source.read(1)
            if frame.seq % every == 0:
                scenes.append(pipeline.step(frame))
    except SourceEnded:
        return scenes
    finally:
        source.close()


@pytest.mark.skipif(
    model_store.find(VARIANTS[AUTO_DETECTOR].file) is None, reason="no detector; run `emotion-edge models fetch`"
)
@pytest.mark.parametrize("level", [3, 4, 5, LOWEST])
def test_at_every_level_faces_keep_their_ids_and_are_not_lost_between_two_searches(level: int):
    scenes = scenes_at(level)
    seen = {track.id for scene in scenes for track in scene.tracks}
    assert FACES <= len(seen) <= FACES + 1
    settled = [scene for scene in scenes if scene.frame.t_ns - scenes[0].frame.t_ns > 2e9]
    assert sum(len(scene.tracks) for scene in settled) >= 0.9 * FACES * len(settled)
