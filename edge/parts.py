"""Builds the analysing parts as the settings want them: detector, classifier, pipeline."""

import time
from pathlib import Path

import cv2

from edge import model_store
from edge.classifier import SHIPPED, TfliteClassifier
from edge.config import Config, DetectorConfig
from edge.detectors.blazeface import VARIANTS, BlazeFace
from edge.detectors.haar import Haar
from edge.errors import ConfigError, PermanentError
from edge.golden import replay
from edge.pipeline import ExpressionRule, Pipeline
from edge.policy import Policy
from edge.ports import FaceDetector
from edge.tracker import TrackerSettings

AUTO_DETECTOR = "blazeface-full"
"""Found every face on the clips at no false alarm; costs a seventh of the Haar cascade."""


def build_detector(config: DetectorConfig) -> tuple[FaceDetector, tuple[str, ...]]:
    """The detector the settings ask for, and what a person should know about the choice.

    Raises:
        ConfigError: a detector was named whose file is missing.
        PermanentError: its file is broken.
    """
    name: str = config.name
    notices: tuple[str, ...] = ()
    if name == "auto":
        name = AUTO_DETECTOR if model_store.find(VARIANTS[AUTO_DETECTOR].file) else "haar"
        if name == "haar":
            notices = (
                "Faces are found by OpenCV's Haar cascade, which misses small and tilted ones and costs more: the file "
                "of the better detector is not here. Get it with: emotion-edge models fetch",
            )
    if name == "haar":
        return Haar(min_face_px=config.min_face_px), notices
    # the pictures are small: OpenCV's threads cost more than they gain, but for the cascade
    cv2.setNumThreads(1)
    variant = VARIANTS[name]
    path = model_store.find(variant.file)
    if path is None:
        places = ", ".join(map(str, model_store.directories()))
        raise ConfigError(
            f"the detector {name} needs {variant.file}, which is not in {places}; run `emotion-edge models fetch`"
        )
    return BlazeFace(name, path, min_score=config.min_score, min_face_px=config.min_face_px), notices


def build_classifier(model: str) -> TfliteClassifier:
    """The expression model at that path, or the shipped one, once it has answered its golden chips.

    Raises:
        PermanentError: it cannot be used, or answers otherwise than when it was made.
    """
    path = Path(model) if model else SHIPPED
    classifier = TfliteClassifier(path)
    result = replay(classifier)
    if not result.passed:
        raise PermanentError(f"{path} {result.text()}; it is damaged, or its runtime is: fetch or convert it again")
    return classifier


def build_pipeline(config: Config, detector: FaceDetector, classifier: TfliteClassifier) -> Pipeline:
    """The core, as configured."""
    return Pipeline(
        detector,
        classifier,
        classifier.card.chip,
        time.perf_counter_ns,
        policy=Policy(config.detector.interval, config.detector.max_roi_age_ms),
        tracking=TrackerSettings(max_age_ms=max(1000.0, config.detector.max_roi_age_ms)),
        rule=ExpressionRule(config.expression.threshold, config.expression.smoothing_s),
    )
