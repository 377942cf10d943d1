"""MediaPipe's own face detector (Tasks API) on a file of our catalogue. Optional: to compare with.

It runs the same networks as `edge.detectors.blazeface`, and its scores are the same sigmoid of the same outputs, so
thresholds and framing are BlazeFace's. Boxes come in whole pixels.
"""

import atexit
import weakref
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from edge.contract.native import full_rgb
from edge.detectors.blazeface import NMS_IOU, VARIANTS, BlazeFace
from edge.errors import ConfigError, PermanentError
from edge.types import Face, Frame, read_only

VARIANT = VARIANTS["blazeface-full"]
FILE = VARIANT.file
"""That of the default detector; MediaPipe 0.10.21 knows short-range networks only and refuses it, 1.2 takes it."""
INSTALL = "pip install --no-deps 'mediapipe>=1.2' && pip install absl-py certifi flatbuffers matplotlib"
"""What is needed of it, without the opencv-contrib-python it asks for: that overwrites the program's own OpenCV."""


class MediaPipe:
    """A `FaceDetector`. Not safe for two threads at once."""

    name = "mediapipe"
    framing = BlazeFace.framing

    def __init__(self, path: Path, *, min_score: float | None = None, min_face_px: int = 0) -> None:
        """Load a BlazeFace file.

        Args:
            path: the .tflite; what MediaPipe wants to be told of its input is added in memory.
            min_score: in [0, 1]; None: that of BlazeFace's full range.
            min_face_px: narrower boxes are dropped; in pixels of the frame.

        Raises:
            ConfigError: MediaPipe is not installed, or lacks something it needs.
            PermanentError: the file cannot be read, or this MediaPipe cannot run it.
        """
        try:
            import flatbuffers  # noqa: F401, PLC0415  # `described` needs it
            import mediapipe  # noqa: PLC0415
            from mediapipe.tasks.python import BaseOptions  # noqa: PLC0415
            from mediapipe.tasks.python.vision import FaceDetector, FaceDetectorOptions  # noqa: PLC0415
        except (ImportError, OSError) as error:  # an OSError where a native library of it is missing
            raise ConfigError(
                f"the detector mediapipe needs the extra `mediapipe`, which cannot be imported ({error}); {INSTALL}"
            ) from error
        try:
            content = described(path.read_bytes())
        except OSError as error:
            raise PermanentError(f"cannot read {path}: {error.strerror}") from error
        self._mediapipe: Any = mediapipe
        self._min_face_px = min_face_px
        options = FaceDetectorOptions(
            base_options=BaseOptions(model_asset_buffer=content),
            min_detection_confidence=VARIANT.min_score if min_score is None else min_score,
            min_suppression_threshold=NMS_IOU,
        )
        try:
            self._detector: Any = FaceDetector.create_from_options(options)
            atexit.register(_leave_open, weakref.ref(self._detector))
            # a network of the wrong size is noticed on the first picture only
            self._found(np.zeros((32, 32, 3), np.uint8))
        except (RuntimeError, ValueError, OSError) as error:
            reason = str(error).partition("\n")[0].rstrip(": ")
            raise PermanentError(
                f"MediaPipe {mediapipe.__version__} cannot run {path} ({reason}); "
                f"expected MediaPipe 1.2 or newer and a file that `emotion-edge models verify` finds whole; {INSTALL}"
            ) from error

    def detect(self, frame: Frame) -> tuple[Face, ...]:
        """All faces of the frame, best first."""
        width, height = frame.width, frame.height
        faces = []
        for found in self._found(full_rgb(frame)):
            place = found.bounding_box
            x0, y0 = place.origin_x / width, place.origin_y / height
            box = VARIANT.outlined(x0, y0, x0 + place.width / width, y0 + place.height / height)
            if box.w * width < max(self._min_face_px, 1):
                continue
            marks = np.array([(point.x, point.y) for point in found.keypoints], np.float32)
            read_only(marks)
            faces.append(Face(box, float(found.categories[0].score), marks))
        return tuple(sorted(faces, key=lambda face: -face.score))

    def _found(self, rgb: np.ndarray) -> list[Any]:
        image = self._mediapipe.Image(image_format=self._mediapipe.ImageFormat.SRGB, data=rgb)
        found: list[Any] = self._detector.detect(image).detections
        return found


def described(content: bytes) -> bytes:
    """The same model with the metadata without which MediaPipe refuses it: RGB, scaled from 0..255 to [-1, 1].

    The files of the catalogue have none.

    Raises:
        PermanentError: it is no TFLite model.
    """
    import flatbuffers  # noqa: PLC0415
    from mediapipe.tasks.metadata import metadata_schema_py_generated as told  # noqa: PLC0415
    from mediapipe.tasks.metadata import schema_py_generated as tflite  # noqa: PLC0415

    if content[4:8] != b"TFL3":
        raise PermanentError("the face detector's file is no TFLite model; run `emotion-edge models verify`")
    scaling = told.ProcessUnitT()
    scaling.optionsType = told.ProcessUnitOptions.NormalizationOptions
    scaling.options = told.NormalizationOptionsT()
    scaling.options.mean = scaling.options.std = [127.5]
    picture = told.TensorMetadataT()
    picture.name, picture.processUnits, picture.content = "image", [scaling], told.ContentT()
    picture.content.contentPropertiesType = told.ContentProperties.ImageProperties
    picture.content.contentProperties = told.ImagePropertiesT()
    picture.content.contentProperties.colorSpace = told.ColorSpaceType.RGB
    graph, whole = told.SubGraphMetadataT(), told.ModelMetadataT()
    graph.inputTensorMetadata = [picture]
    graph.outputTensorMetadata = [told.TensorMetadataT(), told.TensorMetadataT()]
    whole.subgraphMetadata = [graph]

    model = tflite.ModelT.InitFromObj(tflite.Model.GetRootAs(content, 0))
    stored, entry = tflite.BufferT(), tflite.MetadataT()
    stored.data = np.frombuffer(_packed(flatbuffers.Builder(1024), whole, b"M001"), np.uint8)
    entry.name, entry.buffer = "TFLITE_METADATA", len(model.buffers)
    model.buffers.append(stored)
    model.metadata = [*(model.metadata or []), entry]
    return _packed(flatbuffers.Builder(len(content) + 4096), model, b"TFL3")


def second_opencv() -> str | None:
    """What a person should know if MediaPipe's OpenCV was installed over the program's own; None: it was not."""
    names = {"opencv-contrib-python", "opencv-python", "opencv-contrib-python-headless"}
    others = sorted(f"{name} {metadata.version(name)}" for name in names if _installed(name))
    if not others or not _installed("opencv-python-headless"):
        return None
    return (
        f"Beside the program's OpenCV (opencv-python-headless) {', '.join(others)} is installed, in the same folder, "
        "whose files overwrite each other: the Haar cascade and windows may fail. Put it right: pip uninstall "
        f"{' '.join(other.split()[0] for other in others)}; pip install --force-reinstall --no-deps "
        "'opencv-python-headless<5'"
    )


def _leave_open(detector: "weakref.ref[Any]") -> None:
    """At the program's end MediaPipe's threads are gone before its `__del__` closes it, which then fails loudly."""
    found = detector()
    if found is not None:
        found.close = _nothing


def _nothing() -> None:
    """The process gives everything back."""


def _installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def _packed(builder: Any, what: Any, identifier: bytes) -> bytes:
    builder.Finish(what.Pack(builder), identifier)
    return bytes(builder.Output())
