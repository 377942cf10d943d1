"""One colour per face, the same around the face in the picture and on its card on the page."""

from typing import Final

Rgb = tuple[int, int, int]
"""Red, green, blue in 0..255."""

FACE_COLOURS: Final[tuple[Rgb, ...]] = (
    (4, 115, 222),  # blue
    (191, 85, 1),  # orange
    (153, 66, 251),  # violet
    (8, 135, 62),  # green
    (228, 6, 107),  # rose
    (8, 129, 135),  # teal
    (126, 119, 8),  # olive
    (209, 20, 185),  # magenta
)
"""The most colourful sRGB of eight OKLCH hues at one relative luminance (0.175–0.18, WCAG 2.2).

At that luminance white text on the colour has a contrast above 4.5:1, and the colour itself one above 3:1 against both
a white and a near-black background, so one table serves labels on frames and both themes of the page.
"""


def face_colour(track_id: int) -> Rgb:
    """The colour of a face; ids that are neighbours differ in hue."""
    return FACE_COLOURS[track_id % len(FACE_COLOURS)]
