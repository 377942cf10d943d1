"""All data that flows between the parts. Frozen; types that hold arrays compare by identity.

Structs, because making and replacing some ten of them for each frame costs a tenth of what dataclasses do.

Published arrays are read-only: whoever wants to draw makes its own copy.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING

import cv2
import msgspec
import numpy as np
from msgspec.structs import force_setattr
from numpy.typing import NDArray

if TYPE_CHECKING:  # both are made of what stands here
    from edge.config import PrivacyConfig
    from edge.events import SceneEvent

Pixels = NDArray[np.uint8]
EmotionScores = NDArray[np.float32]
"""(C,) probabilities in [0, 1] that sum to 1, in the order of the model card's labels."""

Keypoints = NDArray[np.float32]
"""(6, 2) x, y in [0, 1] of the frame: right eye, left eye (the person's), nose tip, mouth, right ear, left ear."""


class PixelFormat(StrEnum):
    """How a source delivers its pixels."""

    BGR = "bgr"  # uint8 (H, W, 3)
    GREY = "grey"  # uint8 (H, W)
    I420 = "i420"  # uint8 (H * 3 / 2, W): the Y plane, then U and V at half size (picamera2 "YUV420")


TO_BGR = {PixelFormat.GREY: cv2.COLOR_GRAY2BGR, PixelFormat.I420: cv2.COLOR_YUV2BGR_I420}
"""OpenCV's conversion to BGR from the other formats."""


def planes_of(i420: Pixels) -> tuple[Pixels, Pixels, Pixels]:
    """Views of an I420 picture (H * 3 / 2, W) that lies in one piece: Y (H, W), then U and V (H / 2, W / 2)."""
    height, width = i420.shape[0] * 2 // 3, i420.shape[1]
    u, v = i420[height:].reshape(2, height // 2, width // 2)
    return i420[:height], u, v


def read_only(array: NDArray[np.generic]) -> None:
    """Mark an array as published: nobody may write to it any more."""
    array.setflags(write=False)


class Box(msgspec.Struct, frozen=True):
    """A rectangle as shares of the frame: x, y of the top left corner, width, height. May reach beyond [0, 1]."""

    x: float
    y: float
    w: float
    h: float

    def to_pixels(self, width_px: int, height_px: int) -> "PixelBox":
        """The same rectangle on a picture of that size, rounded to whole pixels, not clipped."""
        x, y = round(self.x * width_px), round(self.y * height_px)
        return PixelBox(x, y, round((self.x + self.w) * width_px) - x, round((self.y + self.h) * height_px) - y)


class PixelBox(msgspec.Struct, frozen=True):
    """A rectangle in pixels of one particular picture."""

    x: int
    y: int
    w: int
    h: int


class Frame(msgspec.Struct, frozen=True, eq=False, repr_omit_defaults=True):
    """One picture as the source delivered it.

    Attributes:
        seq: counts up by one per frame grabbed, from 1; a gap is a dropped frame.
        t_ns: time of the grab: `time.monotonic_ns()` for live sources, media time for files in lockstep.
        pixels: uint8, shape by `format`, read-only.
        format: how to read `pixels`.
        spared: frames since the source was opened that it did not make because nobody wanted them; each left a gap.
        height: rows of the picture in px; told by `pixels`, as is the width, once and not the dozen times it is asked.
        width: columns of the picture in px.
    """

    seq: int
    t_ns: int
    pixels: Pixels
    format: PixelFormat = PixelFormat.BGR
    spared: int = 0
    height: int = 0
    width: int = 0
    _bgr: Pixels | None = None
    _luma: Pixels | None = None

    def __post_init__(self) -> None:
        read_only(self.pixels)
        rows, columns = self.pixels.shape[:2]
        force_setattr(self, "height", rows * 2 // 3 if self.format is PixelFormat.I420 else rows)
        force_setattr(self, "width", columns)

    @property
    def bgr(self) -> Pixels:
        """uint8 (H, W, 3) in 0..255, blue first; made once, when first asked for."""
        if self.format is PixelFormat.BGR:
            return self.pixels
        if self._bgr is not None:
            return self._bgr
        bgr: Pixels = cv2.cvtColor(self.pixels, TO_BGR[self.format])
        read_only(bgr)
        force_setattr(self, "_bgr", bgr)
        return bgr

    @property
    def has_bgr(self) -> bool:
        """Whether `bgr` costs nothing: the source delivers it, or it was made already."""
        return self.format is PixelFormat.BGR or self._bgr is not None

    def bgr_into(self, canvas: Pixels) -> None:
        """Write the picture to `canvas`, uint8 (H, W, 3): converted straight into it unless `bgr` was made already."""
        if self.has_bgr:
            np.copyto(canvas, self.bgr)
        else:
            cv2.cvtColor(self.pixels, TO_BGR[self.format], dst=canvas)

    def part(self, box: PixelBox) -> "Frame":
        """A part of the picture as a frame of its own; a view where the format allows it.

        Args:
            box: inside the picture; for I420 with even numbers.
        """
        rows, columns = slice(box.y, box.y + box.h), slice(box.x, box.x + box.w)
        if self._bgr is not None:
            return Frame(self.seq, self.t_ns, self._bgr[rows, columns])
        if self.format is not PixelFormat.I420:
            return Frame(self.seq, self.t_ns, self.pixels[rows, columns], self.format)
        luma, *colours = planes_of(self.pixels)
        half = slice(box.y // 2, (box.y + box.h) // 2), slice(box.x // 2, (box.x + box.w) // 2)
        planes = [luma[rows, columns], *(plane[half] for plane in colours)]
        packed = np.concatenate([plane.reshape(-1) for plane in planes]).reshape(box.h * 3 // 2, box.w)
        return Frame(self.seq, self.t_ns, packed, self.format)

    @property
    def luma(self) -> Pixels:
        """uint8 (H, W) grey in 0..255; a view of the Y plane where the format has one, else made once."""
        if self._luma is not None:
            return self._luma
        match self.format:
            case PixelFormat.BGR:
                luma = np.asarray(cv2.cvtColor(self.pixels, cv2.COLOR_BGR2GRAY), np.uint8)
            case PixelFormat.GREY:
                luma = self.pixels
            case PixelFormat.I420:
                luma = self.pixels[: self.height]
        read_only(luma)
        force_setattr(self, "_luma", luma)
        return luma


class Face(msgspec.Struct, frozen=True, eq=False):
    """What a detector found.

    Attributes:
        box: the face as this detector outlines it (conventions differ, see `Framing`).
        score: the detector's confidence in [0, 1].
        keypoints: where eyes, nose, mouth and ears are, if the detector tells.
        sure: whether that is enough for a face nobody knew of; else it only confirms one that was there.
    """

    box: Box
    score: float
    keypoints: Keypoints | None = None
    sure: bool = True


class Framing(msgspec.Struct, frozen=True):
    """How to get from a detector's box to the square that FER2013 crops show.

    Attributes:
        scale: side of the square in widths of the box.
        up: how far the square's centre lies above the box's centre, in widths of the box.
    """

    scale: float
    up: float


class Track(msgspec.Struct, frozen=True, eq=False):
    """One face over time.

    Attributes:
        id: stable for as long as the face is followed, from 1, never used twice in a run.
        box: where the face is in the scene's frame, as far as known: smoothed, and moved on between detections.
        score: the detector's confidence when it last saw the face.
        keypoints: of the same detection, or None.
        age: scenes since the face was first seen, from 1.
        misses: detector runs in a row that did not find it.
        seen_seq: the frame on which it was detected last.
        seen_ns: that frame's time.
        scores: smoothed probabilities, or None before the first classification.
        scored_seq: the frame the newest scores came from, or None.
        scored_ns: that frame's time, or None.
        label: the expression named, `UNCERTAIN` below the threshold, None before the first classification. May lag
            behind the likeliest class a little (`edge.smoothing`).
        confidence: probability of the class named, of the likeliest if `UNCERTAIN`; 0 before the first classification.
        led_ns: time of the newest scores that had the class named as the likeliest, or None. Of no meaning while
            `UNCERTAIN`.
        doubt: why the newest look at the face was no good and was not read (`edge.quality`), None if it was. The label
            of before stands a little, then it is `UNCERTAIN` without scores.
        looked_ns: time of the newest look, good or not, or None.
    """

    id: int
    box: Box
    score: float
    keypoints: Keypoints | None
    age: int
    misses: int
    seen_seq: int
    seen_ns: int
    scores: EmotionScores | None = None
    scored_seq: int | None = None
    scored_ns: int | None = None
    label: str | None = None
    confidence: float = 0.0
    led_ns: int | None = None
    doubt: str | None = None
    looked_ns: int | None = None


UNCERTAIN = "uncertain"


class Search(msgspec.Struct, frozen=True):
    """Where to look for faces.

    Attributes:
        region: the part of the frame; None: all of it.
        track: id of the face looked for, None for any.
    """

    region: Box | None = None
    track: int | None = None


class Decision(msgspec.Struct, frozen=True):
    """What the policy chose for one frame, and why.

    Attributes:
        detect: whether a detector runs.
        reason: why (not).
        search: where it looks, if it does.
    """

    detect: bool
    reason: str
    search: Search | None = None


class Scene(msgspec.Struct, frozen=True, eq=False):
    """One analysed frame. The labels belong to exactly these pixels.

    Attributes:
        frame: the frame itself.
        tracks: the faces in it, oldest first.
        labels: class names in the order of every track's `scores`.
        decision: whether a detector ran on this frame, and why (not).
        timings_ns: nanoseconds per stage (`detect`, `chip`, `classify`, `track`), of the stages that ran.
    """

    frame: Frame
    tracks: tuple[Track, ...]
    labels: tuple[str, ...]
    decision: Decision
    timings_ns: Mapping[str, int]


class JpegPacket(msgspec.Struct, frozen=True, eq=False):
    """One encoded picture, shared by all who watch.

    Attributes:
        seq: number of its frame.
        t_ns: time of that frame's grab.
        data: the JPEG.
        width: in px.
        height: in px.
        notice: whether it is no frame, but a placeholder that says why there is none.
        privacy: what was allowed to be shown when it was made; it must not be sent once that is something else.
        result: the record of its frame, if anybody wanted it when it was made.
    """

    seq: int
    t_ns: int
    data: bytes
    width: int
    height: int
    notice: bool = False
    privacy: "PrivacyConfig | None" = None
    result: "SceneEvent | None" = None
