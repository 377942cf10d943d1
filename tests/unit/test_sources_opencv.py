from typing import Any

import numpy as np
import pytest

from edge.analysis import always
from edge.errors import TemporaryError
from edge.sources.opencv import CaptureDevice
from edge.types import PixelFormat


class FakeCapture:
    """Stands for OpenCV's VideoCapture."""

    def __init__(self, ok: bool, picture: Any) -> None:
        self._answer = ok, picture
        self.decoded = 0

    def grab(self) -> bool:
        return self._answer[0]

    def retrieve(self) -> tuple[bool, Any]:
        self.decoded += 1
        return self._answer


def device(ok: bool, picture: Any) -> CaptureDevice:
    return CaptureDevice(FakeCapture(ok, picture), lambda: "it is gone")  # type: ignore[arg-type]


def test_a_picture_is_handed_on_as_it_is() -> None:
    picture = np.zeros((48, 64, 3), np.uint8)
    grabbed = device(True, picture).grab(always)
    assert grabbed is not None
    assert grabbed[0] is picture
    assert grabbed[1] is PixelFormat.BGR


def test_a_picture_that_is_not_wanted_is_not_decoded() -> None:
    capture = FakeCapture(True, np.zeros((48, 64, 3), np.uint8))
    assert CaptureDevice(capture, lambda: "").grab(lambda: False) is None  # type: ignore[arg-type]
    assert capture.decoded == 0


@pytest.mark.parametrize(("ok", "picture"), [(False, None), (True, None), (False, np.zeros((2, 2, 3), np.uint8))])
def test_a_read_that_gives_nothing_is_a_fault_though_the_device_is_open(ok: bool, picture: Any) -> None:
    with pytest.raises(TemporaryError, match="it is gone"):
        device(ok, picture).grab(always)


@pytest.mark.parametrize(
    "picture", [np.zeros((48, 64), np.uint16), np.zeros((48, 64, 2), np.uint8), np.zeros((1, 9000), np.uint8)]
)
def test_a_format_that_is_no_picture_is_told_and_not_shown(picture: Any) -> None:
    with pytest.raises(TemporaryError, match=r"expected uint8 \(height, width, 3\).*format=mjpg"):
        device(True, picture).grab(always)
