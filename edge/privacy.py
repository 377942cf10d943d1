"""How much of a picture is shown to those who watch."""

from typing import Final, Literal, get_args

import cv2

from edge.types import Frame, Pixels

VideoMode = Literal["full", "blurred", "boxes", "none"]

MODES: Final[tuple[VideoMode, ...]] = get_args(VideoMode)
"""From the one that shows the most to the one that shows nothing."""

GROUND_COLOUR: Final = (40, 34, 30)
"""BGR of the ground that boxes lie on where the picture itself is not shown."""

COARSE_CELLS: Final = 16
"""Cells along the longer side of a blurred picture, see `blur`."""

_FIRST_STEP_PX: Final = 80
"""Longer side after the first, exact step of shrinking; OpenCV averages whole blocks three times as fast."""

_SMOOTHING_CELLS: Final = 1.0
"""Standard deviation of the Gaussian over the cells, see `blur`."""


def stricter(now: str, new: str) -> bool:
    """Whether the video mode `new` shows no more than `now`: it is the same, or comes later in `MODES`."""
    modes: tuple[str, ...] = MODES
    return modes.index(new) >= modes.index(now)


def shows_pictures(mode: str) -> bool:
    """Whether any picture may leave the program: asked right before each is sent, also one that was encoded before."""
    return mode != "none"


def show_into(frame: Frame, canvas: Pixels, mode: str) -> None:
    """Write what `mode` shows of a frame to `canvas`, uint8 (H, W, 3) BGR; boxes are drawn on it afterwards, sharp.

    With `none` it is the same even ground as with `boxes`: nobody gets it, but a change of mode may come in between.
    """
    match mode:
        case "full":
            frame.bgr_into(canvas)
        case "blurred":
            frame.bgr_into(canvas)
            blur(canvas)
        case _:
            canvas[:] = GROUND_COLOUR


def blur(canvas: Pixels) -> None:
    """Make a picture, uint8 (H, W, 3), so coarse that nobody can be recognised in it; in place.

    All of it, for a face that the detector missed is a face too. The picture is averaged down to `COARSE_CELLS` cells
    along its longer side, smoothed over neighbouring cells, and stretched again. A face that is a fifth of the picture
    wide, as of somebody in front of a laptop, is 3 cells wide; one as high as a 4:3 picture is 9 wide and 12 high. The
    smoothing (a Gaussian whose standard deviation is one cell) leaves less than a tenth of the contrast of lines closer
    than 2.9 cells, where cells alone could tell lines 2 apart. So these faces show what pictures 2 × 3 and 6 × 8 pixels
    large could show. People recognise faces they know well down to some 7 × 10 pixels (Sinha et al., "Face recognition
    by humans: nineteen results", 2006, result 1). And since detail is smoothed away before it is shown, the frames of a
    film, over which a face moves between the cells, add little to it, other than those of a mosaic.
    """
    height, width = canvas.shape[:2]
    longer = max(height, width)
    factor = longer // _FIRST_STEP_PX
    small: Pixels = canvas
    if factor > 1:
        # whole blocks only: up to `factor` - 1 px at the right and at the foot have no part in the average
        whole = canvas[: max(1, height // factor) * factor, : max(1, width // factor) * factor]
        small = cv2.resize(whole, (max(1, width // factor), max(1, height // factor)), interpolation=cv2.INTER_AREA)
    columns, rows = (max(1, round(side * COARSE_CELLS / longer)) for side in (width, height))
    cells = cv2.resize(small, (columns, rows), interpolation=cv2.INTER_AREA)
    cells = cv2.GaussianBlur(cells, (0, 0), _SMOOTHING_CELLS)
    cv2.resize(cells, (width, height), dst=canvas, interpolation=cv2.INTER_CUBIC)
