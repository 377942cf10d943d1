"""What is asked of a Pi's camera beside size and rate, in libcamera's terms."""

from collections.abc import Collection
from typing import Final

from edge.sources.specs import Picamera2Spec

_AF_MANUAL: Final = 0
_AF_CONTINUOUS: Final = 2
"""libcamera's `AfModeEnum`."""

Controls = dict[str, float | int | bool]


def controls_of(spec: Picamera2Spec, has: Collection[str]) -> tuple[Controls, tuple[str, ...]]:
    """The controls to start with.

    Args:
        spec: what is wanted.
        has: the controls that the camera has; libcamera refuses to start with any other.

    Returns:
        Values by libcamera's names, and what this camera cannot do, for people.
    """
    wanted: dict[str, Controls] = {}
    if spec.exposure == "auto":
        wanted["automatic exposure"] = {"AeEnable": True}
    elif spec.exposure is not None:
        # the gain stays automatic, or a room that darkens would turn black
        wanted[f"an exposure of {spec.exposure} µs"] = {"ExposureTime": spec.exposure}
    if spec.autofocus == "continuous":
        wanted["continuous autofocus"] = {"AfMode": _AF_CONTINUOUS}
    elif spec.autofocus is not None:
        wanted[f"a focus at {spec.autofocus:g} dioptres"] = {"AfMode": _AF_MANUAL, "LensPosition": spec.autofocus}
    controls: Controls = {"FrameRate": spec.fps}
    refused = []
    for what, values in wanted.items():
        if all(name in has for name in values):
            controls |= values
        else:
            refused.append(f"asked for {what}, which it does not have")
    return controls, tuple(refused)
