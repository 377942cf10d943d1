"""Writes what the model saw of each face. Faces are personal data: only on request."""

from collections.abc import Callable, Mapping
from pathlib import Path

import cv2

from edge.types import Pixels, Scene


class ChipFolder:
    """A `Sink`: a PNG for each face that was read on a scene, `FRAME-FACE.png`, with `-VIEW` for models of several.

    Attributes:
        count: how many were written.
    """

    def __init__(self, folder: Path, chips_of: Callable[[Scene], Mapping[int, tuple[Pixels, ...]]]) -> None:
        """`chips_of`: `Pipeline.chips_of`."""
        self._folder = folder
        self._chips_of = chips_of
        self.count = 0

    def emit(self, scene: Scene) -> None:
        """Write the scene's chips."""
        for face, views in self._chips_of(scene).items():
            for view, chip in enumerate(views):
                ending = f"-{view + 1}" if len(views) > 1 else ""
                if not self.count:
                    self._folder.mkdir(parents=True, exist_ok=True)
                # not renamed into place: whoever begins a file anew writes the same chips again
                (self._folder / f"{scene.frame.seq:06d}-{face}{ending}.png").write_bytes(encode_png(chip))
                self.count += 1

    def close(self) -> None:
        """Nothing is held."""


def encode_png(chip: Pixels) -> bytes:
    """A chip, uint8 (S, S, 1) grey or (S, S, 3) RGB, as PNG."""
    _, data = cv2.imencode(".png", cv2.cvtColor(chip, cv2.COLOR_RGB2BGR) if chip.shape[2] == 3 else chip)
    return bytes(data)
