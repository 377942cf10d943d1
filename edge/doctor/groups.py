"""The groups of checks, in the order in which they are told."""

from typing import Final

import msgspec


class Group(msgspec.Struct, frozen=True):
    """Checks that are made in one process.

    Attributes:
        name: for the order.
        module: of this package; has `check(world)`, which gives findings, and may have `learn(world)`.
        title: for people.
        limit_s: they may take; ten times what a Pi Zero 2 takes.
        crashed: code of the finding if they kill their process.
        hung: likewise if they do not end.
    """

    name: str
    module: str
    title: str
    limit_s: float = 20.0
    crashed: str = "check-crashed"
    hung: str = "check-timed-out"


_ALL: Final = (
    Group("python", "interpreter", "Python"),
    Group("environment", "environment", "the environment"),
    Group("numpy", "numpy_import", "NumPy", 30.0, crashed="numpy-unusable"),
    Group("simplejpeg", "simplejpeg_import", "picamera2's simplejpeg", 30.0, crashed="numpy-abi-mismatch"),
    Group("opencv", "opencv_import", "OpenCV", 30.0, crashed="opencv-unusable"),
    Group("runtime", "tflite", "the TFLite runtime", 45.0, crashed="runtime-crashes"),
    Group("models", "models", "the models", 60.0),
    Group("detectors", "detectors", "the face detectors", 60.0),
    Group("configuration", "configuration", "the configuration", 30.0, hung="config-hangs"),
    Group("cameras", "cameras", "the cameras", 45.0, crashed="camera-crashes", hung="camera-hangs"),
    Group("access", "access", "permissions"),
    Group("certificate", "certificate", "the certificate"),
    Group("port", "port", "the port"),
    Group("broker", "broker", "the MQTT broker"),
    Group("disk", "disk", "the disk"),
    Group("clock", "clock", "the clock"),
    Group("heat", "heat", "power and temperature"),
    Group("service", "service", "the service"),
)

GROUPS: Final[dict[str, Group]] = {group.name: group for group in _ALL}
FIRST: Final = ("service", "configuration")
"""What these learn, the others are told, one after the other; the service is then looked at with all that is known."""
