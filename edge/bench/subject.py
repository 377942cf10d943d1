"""Which files were measured: figures of one model say nothing of another."""

import hashlib
from pathlib import Path

import msgspec

from edge import model_store
from edge.bench.rig import Bench
from edge.detectors.blazeface import VARIANTS, BlazeFace
from edge.parts import NEAR_DETECTOR, model_files


class Subject(msgspec.Struct, frozen=True):
    """The networks, and what runs them.

    Attributes:
        model: name of the expression model.
        model_sha256: of its file.
        detector: name of the face detector.
        detector_sha256: of its file; empty where it comes with OpenCV.
        near_sha256: of the file of the detector for parts of the frame; empty where parts are not searched.
        runtime: the interpreter with its version.
        xnnpack: whether it runs the expression model on XNNPACK.
    """

    model: str
    model_sha256: str
    detector: str
    detector_sha256: str
    near_sha256: str
    runtime: str
    xnnpack: bool

    def text(self) -> str:
        """A line for people."""
        detector = f" ({self.detector_sha256[:12]})" if self.detector_sha256 else ""
        return (
            f"model {self.model} ({self.model_sha256[:12]}), detector {self.detector}{detector}, {self.runtime} "
            f"{'with' if self.xnnpack else 'without'} XNNPACK"
        )


def subject_of(bench: Bench) -> Subject:
    """What it measures."""
    model, detector = bench.classifier, bench.detector
    searched = isinstance(detector, BlazeFace)
    return Subject(
        model=model.name,
        model_sha256=_sha256(model_files(bench.config.expression)[0]),
        detector=detector.name,
        detector_sha256=_sha256(_file(detector.name)) if searched else "",
        near_sha256=_sha256(_file(NEAR_DETECTOR)) if searched and bench.config.detector.tiles else "",
        runtime=model.runtime,
        xnnpack=model.xnnpack,
    )


def _file(name: str) -> Path | None:
    return model_store.find(VARIANTS[name].file)


def _sha256(path: Path | None) -> str:
    return "" if path is None else hashlib.sha256(path.read_bytes()).hexdigest()
