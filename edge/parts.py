"""Builds the analysing parts as the settings want them: detector, classifier, pipeline."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from edge import model_store
from edge.budget import Controller
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
from edge.governor import Governor
from edge.pipeline import Pipeline
from edge.ports import ExpressionModel, FaceDetector
from edge.probing import examine, probe_chips
from edge.searching import Searcher, Thorough
from edge.thermal import Thermometer
from edge.tuning import budget, tuning

AUTO_DETECTOR = "blazeface-full"
"""Found every face on the clips at no false alarm; costs a seventh of the Haar cascade."""
NEAR_DETECTOR = "blazeface-short"
"""For parts of the frame: a third of the cost, and faces are large there."""

DOUBT = 0.1
"""Faces of a score lower by this go on with a track, and are looked at more closely if there is none."""

NEAR_CAUTION = 0.1
"""By how much more parts ask for than the whole frame: with 9 to 12 looks at a picture there are more false alarms."""

DEFAULT_EXPRESSION = ExpressionConfig()


def build_detector(
    config: DetectorConfig, *, doubt: float = 0.0, threads: int = 1
) -> tuple[FaceDetector, tuple[str, ...]]:
    """The detector the settings ask for, and what a person should know about the choice.

    Args:
        config: which.
        doubt: by how much less than the settings ask for the score of a face may be that is not sure.
        threads: of BlazeFace's interpreter.

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
    path = detector_file(name)
    assert path is not None
    if name == "mediapipe":
        doubled = second_opencv()
        detector = MediaPipe(path, min_score=config.min_score, min_face_px=config.min_face_px)
        return detector, (doubled,) if doubled else ()
    least, score = config.min_face_px, config.min_score
    return BlazeFace(name, path, min_score=score, doubt=doubt, min_face_px=least, threads=threads), notices


def detector_file(name: str) -> Path | None:
    """The file that a detector needs; None for one that needs none, or takes what there is.

    Raises:
        ConfigError: it is not there.
    """
    if name in ("auto", "haar"):
        return None
    file = MEDIAPIPE_FILE if name == "mediapipe" else VARIANTS[name].file
    path = model_store.find(file)
    if path is None:
        places = ", ".join(map(str, model_store.directories()))
        raise ConfigError(
            f"the detector {name} needs {file}, which is not in {places}; run `emotion-edge models fetch`"
        )
    return path


def build_near(config: DetectorConfig, wide: FaceDetector) -> FaceDetector | None:
    """The detector for parts of the frame; None where there is none that goes with the one for all of it.

    Raises:
        PermanentError: its file is broken.
    """
    path = model_store.find(VARIANTS[NEAR_DETECTOR].file)
    if not config.tiles or path is None or not isinstance(wide, BlazeFace):
        return None
    least = VARIANTS[NEAR_DETECTOR].min_score if config.min_score is None else config.min_score
    # asking for more than can be had would find nothing
    score = max(least, min(least + NEAR_CAUTION, 0.9))
    return BlazeFace(
        NEAR_DETECTOR, path, min_score=score, doubt=DOUBT, min_face_px=config.min_face_px, threads=wide.threads
    )


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
    paths = model_files(settings, stills=stills)
    proven = [_proven(path, _contract_for(path, settings)) for path in paths]
    members = [member for member, _ in proven]
    model: ExpressionModel = members[0] if len(members) == 1 else Ensemble(members)
    return Mirrored(model) if settings.flip else model, tuple(notice for _, notice in proven if notice)


def model_files(settings: ExpressionConfig, *, stills: bool = False) -> tuple[Path, ...]:
    """The files of the model or models that `build_classifier` takes."""
    models: Models = (settings.still_model if stills else "") or settings.model
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
            raise PermanentError(f"{path} {result.text()}; {_remedy(classifier)}")
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


def _remedy(classifier: TfliteClassifier) -> str:
    """What to do about a model that does not answer as it did."""
    if classifier.xnnpack:
        return "it is damaged, or its runtime is: fetch or convert it again"
    return (
        f"{classifier.runtime} runs it without XNNPACK, expected with it: the built-in kernels round otherwise; "
        "`pip install --upgrade ai-edge-litert`, and if that changes nothing, fetch or convert the model again"
    )


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
    if stills:
        return still_pipelines(config, detector, classifier)(config.expression.threshold)
    tuned, near = tuning(config), build_near(config.detector, detector)
    return Pipeline(
        detector,
        classifier,
        time.perf_counter_ns,
        near=near,
        policy=tuned.policy,
        tracking=tuned.tracking,
        rule=tuned.rule,
        attention=tuned.attention,
        gate=tuned.gate,
    )


def still_pipelines(config: Config, detector: FaceDetector, classifier: ExpressionModel) -> Callable[[float], Pipeline]:
    """Makes pipelines for pictures that do not follow each other, at a threshold; they share the networks.

    Args:
        config: all settings; its threshold does not count.
        detector: finds the faces, in the whole picture and in all its parts.
        classifier: names them.
    """
    tuned, found = tuning(config, stills=True), config.detector
    thorough = Thorough(Searcher(detector, build_near(found, detector)), found.min_face_px)

    def pipeline(threshold: float) -> Pipeline:
        return Pipeline(
            thorough,
            classifier,
            time.perf_counter_ns,
            policy=tuned.policy,
            tracking=tuned.tracking,
            rule=replace(tuned.rule, threshold=threshold),
            attention=tuned.attention,
            gate=tuned.gate,
        )

    return pipeline


def build_governor(config: Config) -> Governor:
    """Who keeps the analysis of a live source within its budget."""
    heat = Thermometer(Path(config.budget.sysfs))
    return Governor(Controller(budget(config)), heat, max_fps=config.source.max_fps)
