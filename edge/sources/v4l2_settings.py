"""Sets a V4L2 camera's mode, reads back what it took, and says what it did not take."""

from typing import Final, Protocol

import cv2

from edge.sources.specs import V4l2Spec
from edge.sources.v4l2_modes import Mode

_UNCOMPRESSED: Final = ("YUYV", "UYVY", "NV12", "YU12", "YV12")
"""Formats that OpenCV reads and that cost no decoding."""
_MANUAL: Final = 1
_AUTOMATIC: Final = (3, 0)
"""Values of V4L2_CID_EXPOSURE_AUTO: most webcams know the first, aperture priority, only."""
_US_PER_STEP: Final = 100
"""V4L2_CID_EXPOSURE_ABSOLUTE counts in these."""
_CLOSE: Final = 0.1
"""Share by which rate and exposure may differ: 29.97 is 30."""


class Settable(Protocol):
    """The part of cv2.VideoCapture that is used here."""

    def set(self, propId: int, value: float) -> bool:
        """Ask for a value; whether it was taken."""

    def get(self, propId: int) -> float:
        """The value as it is; 0 or less where unknown."""


def best_format(modes: tuple[Mode, ...], spec: V4l2Spec) -> str | None:
    """The format to ask for: uncompressed where that reaches size and rate, for it costs no decoding, else MJPG.

    USB 2 has no room for uncompressed pictures beyond about 640x480 at 30 per second.

    Returns:
        Four characters; None where it makes no difference or nothing is known.
    """
    reaching = {
        mode.format
        for mode in modes
        if (mode.width, mode.height) == (spec.width, spec.height) and max(mode.fps, default=0.0) >= spec.fps * 0.9
    }
    if spec.format:
        return spec.format.upper()
    return next((code for code in (*_UNCOMPRESSED, "MJPG") if code in reaching), None)


def settle(capture: Settable, spec: V4l2Spec, code: str | None) -> str:
    """Set format, size, rate and exposure of an open camera.

    Args:
        capture: which.
        spec: what is wanted.
        code: of the format, four characters; None for the driver's choice.

    Returns:
        What the camera did not take, as "asked for …, got …"; empty if it took all.
    """
    # the format first: the driver offers other sizes and rates for each
    if code:
        capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*code))
    capture.set(cv2.CAP_PROP_FRAME_WIDTH, spec.width)
    capture.set(cv2.CAP_PROP_FRAME_HEIGHT, spec.height)
    capture.set(cv2.CAP_PROP_FPS, spec.fps)
    # a queued frame is an old frame
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
    return "; ".join(part for part in (_mode(capture, spec), _exposure(capture, spec)) if part)


def _mode(capture: Settable, spec: V4l2Spec) -> str:
    width, height = (round(capture.get(k)) for k in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
    fps = capture.get(cv2.CAP_PROP_FPS)
    got = _four_characters(capture.get(cv2.CAP_PROP_FOURCC))
    wanted = spec.format.upper() if spec.format else ""
    taken = (
        (width <= 0 or (width, height) == (spec.width, spec.height))
        # unknown, or at least as fast: what is too much is skipped
        and (fps <= 0 or fps >= spec.fps * (1 - _CLOSE))
        and (not wanted or not got or got == wanted)
    )
    if taken:
        return ""
    asked = " ".join(part for part in (f"{spec.size}", wanted, f"{spec.fps:g}") if part)
    return f"asked for {asked}, got " + " ".join(part for part in (f"{width}x{height}", got, f"{fps:g}") if part)


def _exposure(capture: Settable, spec: V4l2Spec) -> str:
    if spec.exposure is None:
        return ""
    if spec.exposure == "auto":
        for automatic in _AUTOMATIC:
            capture.set(cv2.CAP_PROP_AUTO_EXPOSURE, automatic)
            if capture.get(cv2.CAP_PROP_AUTO_EXPOSURE) == automatic:
                return ""
        return "asked for automatic exposure, which it does not have"
    capture.set(cv2.CAP_PROP_AUTO_EXPOSURE, _MANUAL)
    capture.set(cv2.CAP_PROP_EXPOSURE, max(1, round(spec.exposure / _US_PER_STEP)))
    got_us = capture.get(cv2.CAP_PROP_EXPOSURE) * _US_PER_STEP
    if got_us <= 0:
        return f"asked for an exposure of {spec.exposure} µs, which it cannot set"
    if abs(got_us - spec.exposure) > max(_US_PER_STEP, spec.exposure * _CLOSE):
        return f"asked for an exposure of {spec.exposure} µs, got {got_us:.0f}"
    return ""


def _four_characters(code: float) -> str:
    """As OpenCV tells it: a number, 0 or -1 where unknown."""
    number = int(code)
    return number.to_bytes(4, "little").decode("ascii", "replace").strip() if 0 < number < 1 << 32 else ""
