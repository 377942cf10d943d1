"""The kinds of picture that can be watched: size, quality, with or without what is drawn on it."""

import cv2
import msgspec

from edge.types import Pixels


class Variant(msgspec.Struct, frozen=True):
    """One kind of picture. However many watch it, it is encoded once a scene.

    Attributes:
        width: in px, even; larger than the frame: as the frame is; 0: as the frame is.
        quality: of the JPEG, 1..100; 0: `stream.quality` of the moment.
        raw: whether boxes and labels are left out.
    """

    width: int = 0
    quality: int = 0
    raw: bool = False

    def fitted(self, frame_width_px: int, quality: int) -> "Variant":
        """The same picture, without what makes no difference: so those who ask for it in other words share it.

        Args:
            frame_width_px: 0 if it is not known yet.
            quality: `stream.quality`.
        """
        width = 0 if 0 < frame_width_px <= self.width else self.width
        return Variant(width, 0 if self.quality == quality else self.quality, self.raw)

    def text(self) -> str:
        """As it is asked for in a URL; empty for the default picture."""
        parts = [f"{name}={value}" for name, value in (("width", self.width), ("quality", self.quality)) if value]
        return "&".join([*parts, "raw=1"] if self.raw else parts)


DEFAULT = Variant()
"""The frame's own size, `stream.quality`, with boxes and labels."""


def scaled(bgr: Pixels, width_px: int) -> Pixels:
    """The picture no wider than that, with even sides and its shape; itself if it is small enough, or for 0.

    Args:
        bgr: uint8 (H, W, 3).
        width_px: even.
    """
    if not width_px:
        return bgr
    height, width = bgr.shape[:2]
    if width_px >= width:
        return bgr
    # averages the pixels of each area: the others leave thin lines out
    size = (width_px, max(2, round(height * width_px / width / 2) * 2))
    smaller: Pixels = cv2.resize(bgr, size, interpolation=cv2.INTER_AREA)
    return smaller


def next_opening_ns(opened_ns: int, now_ns: int, interval_ns: int) -> int:
    """When the next one may pass, after one has passed now.

    On average no more pass than one an interval. The gate opens half an interval before one is expected, so that what
    comes a little early is not held back until another comes; what was missed is not made up for later.

    Args:
        opened_ns: when the gate opened for the one that has passed; 0 if it is the first.
        now_ns: when that passed.
        interval_ns: 0: all may pass.
    """
    if opened_ns == 0:
        return now_ns + interval_ns // 2
    return max(opened_ns + interval_ns, now_ns)
