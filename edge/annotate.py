"""Draws what was found on a copy of the very frame it was found on."""

from collections import OrderedDict

import cv2
import numpy as np

from edge.palette import face_colour
from edge.privacy import show_into
from edge.types import UNCERTAIN, Frame, PixelBox, Pixels, Scene, Track

FONT = cv2.FONT_HERSHEY_SIMPLEX
LOST_COLOUR = (128, 128, 128)
CAPTION_COLOUR = (40, 34, 30)
CACHED_LABELS = 256

Colour = tuple[int, int, int]
"""BGR, 0..255."""


class Annotator:
    """Owns the canvas and the drawn labels. One thread only; the canvas it returns is overwritten by the next call."""

    def __init__(self, caption: str = "") -> None:
        """`caption` stands at the foot of every picture; empty: none."""
        self._caption = caption
        self._canvas: Pixels = np.empty((0, 0, 3), np.uint8)
        # anti-aliased text costs 140 µs, pasting it 5
        self._labels: OrderedDict[tuple[str, Colour, int], Pixels] = OrderedDict()

    def draw(self, scene: Scene, video: str = "full") -> Pixels:
        """The scene with boxes and labels: uint8 (H, W, 3) BGR. `video`: how much is shown (`privacy.video`)."""
        return self.mark(self.ground(scene.frame, video), scene)

    def ground(self, frame: Frame, video: str = "full") -> Pixels:
        """What boxes and labels are drawn on: uint8 (H, W, 3) BGR."""
        # the frame is published and read-only; drawing needs pixels of its own
        if self._canvas.shape[:2] != (frame.height, frame.width):
            self._canvas = np.empty((frame.height, frame.width, 3), np.uint8)
        show_into(frame, self._canvas, video)
        return self._canvas

    def mark(self, canvas: Pixels, scene: Scene, *, labels: bool = True) -> Pixels:
        """Draw the scene's boxes and, if they may be told, labels on its `ground`, in place."""
        for track in scene.tracks:
            self._draw_track(canvas, track, labels)
        if self._caption:
            label = self._label(self._caption, CAPTION_COLOUR, _unit(canvas))
            self._paste(canvas, label, PixelBox(0, canvas.shape[0], 0, 0))
        return canvas

    def notice(self, width_px: int, height_px: int, title: str, text: str) -> Pixels:
        """A picture that says why there is no picture: uint8 (H, W, 3) BGR."""
        canvas = np.full((height_px, width_px, 3), (40, 34, 30), np.uint8)
        size = min(width_px / 640, height_px / 480)
        _centred(canvas, title, height_px // 2 - round(20 * size), 0.9 * size, (235, 235, 235))
        for row, line in enumerate(_wrapped(text, 54)[:5]):
            _centred(canvas, line, height_px // 2 + round((18 + 22 * row) * size), 0.5 * size, (170, 170, 170))
        return canvas

    def _draw_track(self, canvas: Pixels, track: Track, labelled: bool) -> None:
        height, width = canvas.shape[:2]
        unit = _unit(canvas)
        lost = track.misses > 0
        colour: Colour = LOST_COLOUR if lost else face_colour(track.id)[::-1]
        box = track.box.to_pixels(width, height)
        corner = (box.x + box.w, box.y + box.h)
        cv2.rectangle(canvas, (box.x, box.y), corner, colour, 1 if lost else 2 * unit)
        if labelled and track.label is not None:
            self._paste(canvas, self._label(_text(track), colour, unit), box)

    def _label(self, text: str, colour: Colour, unit: int) -> Pixels:
        key = (text, colour, unit)
        label = self._labels.get(key)
        if label is None:
            label = _plate(text, colour, unit)
            self._labels[key] = label
            if len(self._labels) > CACHED_LABELS:
                self._labels.popitem(last=False)
        else:
            self._labels.move_to_end(key)
        return label

    @staticmethod
    def _paste(canvas: Pixels, label: Pixels, box: PixelBox) -> None:
        """Above the box where there is room, else inside it; always within the picture."""
        height, width = canvas.shape[:2]
        h, w = min(label.shape[0], height), min(label.shape[1], width)
        y = box.y - h if box.y >= h else box.y
        x, y = min(max(box.x, 0), width - w), min(max(y, 0), height - h)
        canvas[y : y + h, x : x + w] = label[:h, :w]


def _unit(canvas: Pixels) -> int:
    """Thickness of a thin line in px, so that drawings look alike at every size."""
    height, width = canvas.shape[:2]
    return max(1, int(min(height, width) / 360 + 0.5))


def _text(track: Track) -> str:
    if track.label == UNCERTAIN:
        return UNCERTAIN
    return f"{track.label} {round(track.confidence * 100)}%"


def _plate(text: str, colour: Colour, unit: int) -> Pixels:
    """The text on a filled plate, black or white, whichever reads better."""
    scale, thickness = 0.5 * unit, unit
    (w, h), below = cv2.getTextSize(text, FONT, scale, thickness)
    pad = 4 * unit
    plate = np.full((h + below + pad, w + 2 * pad, 3), colour, np.uint8)
    blue, green, red = colour
    # Rec. 601 luma
    ink = (0, 0, 0) if 0.299 * red + 0.587 * green + 0.114 * blue > 140 else (255, 255, 255)
    cv2.putText(plate, text, (pad, h + pad // 2), FONT, scale, ink, thickness, cv2.LINE_AA)
    return plate


def _centred(canvas: Pixels, text: str, y: int, scale: float, colour: Colour) -> None:
    # the built-in font has ASCII only
    plain = text.replace("…", "...").replace("×", "x").encode("ascii", "replace").decode()
    (w, _), _ = cv2.getTextSize(plain, FONT, scale, 1)
    cv2.putText(canvas, plain, (max(4, (canvas.shape[1] - w) // 2), y), FONT, scale, colour, 1, cv2.LINE_AA)


def _wrapped(text: str, columns: int) -> list[str]:
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > columns:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines
