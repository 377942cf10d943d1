"""The anchor centres that BlazeFace's outputs are relative to."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class AnchorGrid:
    """One feature map.

    Attributes:
        stride: input pixels per cell.
        per_cell: anchors at each cell's centre.
    """

    stride: int
    per_cell: int


SHORT_RANGE = (AnchorGrid(8, 2), AnchorGrid(16, 6))
"""128×128 input, 896 anchors. Bazarevsky et al. 2019, "BlazeFace", figure 3."""

FULL_RANGE = (AnchorGrid(4, 1),)
"""192×192 input, 2304 anchors: one at each cell of a 48×48 map (MediaPipe, face_detection_full_range)."""


def anchor_centres(input_size_px: int, grids: tuple[AnchorGrid, ...]) -> NDArray[np.float32]:
    """Centres x, y in [0, 1] of the input, float32 (anchors, 2), in the order of the model's outputs.

    All anchors have unit size (`fixed_anchor_size` in MediaPipe's graphs), so a centre says it all.
    """
    maps = []
    for grid in grids:
        cells = input_size_px // grid.stride
        centre = (np.arange(cells, dtype=np.float32) + 0.5) / cells
        x, y = np.meshgrid(centre, centre)
        maps.append(np.repeat(np.stack([x.ravel(), y.ravel()], axis=1), grid.per_cell, axis=0))
    return np.concatenate(maps)
