"""Builds the analysing parts as the settings want them: detector, classifier, pipeline."""

import time
from pathlib import Path

import cv2
import numpy as np

from edge import model_store
from edge.attention import Attention
from edge.classifier import SHIPPED, ContractClassifier, TfliteClassifier, load_classifier
from edge.config import Config, DetectorConfig, ExpressionConfig, Models
from edge.contract.terms import GivenContract
from edge.detectors.blazeface import VARIANTS, BlazeFace
from edge.detectors.haar import Haar
from edge.detectors.mediapipe import FILE as MEDIAPIPE_FILE
from edge.detectors.mediapipe import MediaPipe, second_opencv
from edge.ensemble import Ensemble, Mirrored
from edge.errors import ConfigError, PermanentError
from edge.golden import replay
from edge.pipeline import Pipeline
from edge.policy import Policy
from edge.ports import ExpressionModel, FaceDetector
from edge.probing import examine, probe_chips
from edge.smoothing import ExpressionRule
from edge.tracker import TrackerSettings

AUTO_DETECTOR = "blazeface-full"
"""Found every face on the clips at no false alarm; costs a seventh of the Haar cascade."""
DEFAULT_EXPRESSION = ExpressionConfig()


def build_detector(config: DetectorConfig) -> tuple[FaceDetector, tuple[str, ...]]:
    """The detector the settings ask for, and what a person should know about the choice.

    Raises:
        ConfigError: a detector was named whose file or package is missing.
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
    file = MEDIAPIPE_FILE if name == "mediapipe" else VARIANTS[name].file
    path = model_store.find(file)
    if path is None:
        places = ", ".join(map(str, model_store.directories()))
        raise ConfigError(
            f"the detector {name} needs {file}, which is not in {places}; run `emotion-edge models fetch`"
        )
    if name == "mediapipe":
        doubled = second_opencv()
        detector = MediaPipe(path, min_score=config.min_score, min_face_px=config.min_face_px)
        return detector, (doubled,) if doubled else ()
    return BlazeFace(name, path, min_score=config.min_score, min_face_px=config.min_face_px), notices


def build_classifier(
    settings: ExpressionConfig = DEFAULT_EXPRESSION, *, stills: bool = False
) -> tuple[ExpressionModel, tuple[str, ...]]:
    """The model or models the settings ask for, once each has shown what it answers; and what a person should know.

    Args:
        settings: which.
        stills: whether the source gives pictures that do not follow each other.

    Raises:
        ConfigError: a model has neither card nor contract, or the models do not know the same classes.
        PermanentError: one cannot be used, or answers otherwise than it should.
    """
    paths = _paths((settings.still_model if stills else "") or settings.model)
    proven = [_proven(path, _contract_for(path, settings)) for path in paths]
    members = [member for member, _ in proven]
    model: ExpressionModel = members[0] if len(members) == 1 else Ensemble(members)
    return Mirrored(model) if settings.flip else model, tuple(notice for _, notice in proven if notice)


def _paths(models: Models) -> tuple[Path, ...]:
    named = (models,) if isinstance(models, str) else models
    return tuple(SHIPPED if name in ("", "shipped") else Path(name) for name in named)


def _contract_for(path: Path, settings: ExpressionConfig) -> GivenContract | None:
    """What the settings say of that file: the contract that names it, else the one that names none."""
    given = settings.contract
    contracts = () if given is None else (given,) if isinstance(given, GivenContract) else given
    for names in ((str(path), path.name), ("",)):
        found = [contract for contract in contracts if contract.model in names]
        if len(found) > 1:
            raise ConfigError(
                f"{len(found)} contracts in the configuration are for {path}; expected one that says `model = "
                f'"{path.name}"`'
            )
        if found:
            return found[0]
    return None


def _proven(path: Path, given: GivenContract | None) -> tuple[ContractClassifier, str | None]:
    """A model that answers as it did where it was made, or at least as its contract says; and what is odd about it."""
    classifier = load_classifier(path, given)
    if isinstance(classifier, TfliteClassifier):
        result = replay(classifier)
        if not result.passed:
            raise PermanentError(f"{path} {result.text()}; it is damaged, or its runtime is: fetch or convert it again")
        answers, source = classifier.golden.outputs, "card"
    else:
        try:
            answers = np.stack([classifier.raw(chip) for chip in probe_chips(classifier.contract.chip)])
        except (RuntimeError, ValueError) as error:
            raise PermanentError(
                f"the model {path} was loaded but cannot be run ({error}); it is damaged: fetch or convert it again"
            ) from error
        source = "contract"
    return classifier, examine(str(path), classifier.contract, classifier.real(answers), classifier.step, source)


def build_pipeline(
    config: Config, detector: FaceDetector, classifier: ExpressionModel, *, stills: bool = False
) -> Pipeline:
    """The core, as configured.

    Args:
        config: all settings.
        detector: finds the faces.
        classifier: names them.
        stills: whether the source gives pictures that do not follow each other: then every face is read on each, and
            none is named by what was seen before.
    """
    expression = config.expression
    if stills:
        rule = ExpressionRule(expression.threshold, time_constant_s=0.0, hysteresis=0.0)
        attention = Attention(interval_ms=0.0, max_faces=0, faces=expression.faces)
    else:
        rule = ExpressionRule(
            expression.threshold, expression.smoothing_s, expression.hysteresis, expression.min_hold_s
        )
        attention = Attention(expression.interval_ms, expression.max_faces, expression.faces)
    return Pipeline(
        detector,
        classifier,
        time.perf_counter_ns,
        policy=Policy(config.detector.interval, config.detector.max_roi_age_ms),
        tracking=TrackerSettings(max_age_ms=max(1000.0, config.detector.max_roi_age_ms)),
        rule=rule,
        attention=attention,
    )
