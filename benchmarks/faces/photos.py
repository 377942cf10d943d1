"""Photos with known faces, and the same photos under harder conditions."""

import csv
import hashlib
import math
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from edge.errors import ConfigError
from edge.types import Box, Pixels

TABLE = "annotations.csv"
COLUMNS = ("file", "x", "y", "w", "h", "ignore")
SIZES = ("20–40 px", "40–80 px", "over 80 px")
INSIDE = 0.6
"""A face of which less than this share is still in the picture is not scored."""
DARK_NOISE = 4.0
DARK_SEED = 1


@dataclass(frozen=True, slots=True)
class KnownFace:
    """A face that a person marked.

    Attributes:
        box: in pixels.
        scored: False: a detector is neither rewarded nor punished for it.
        size: index of `SIZES`, by the longer side in the photo as it came.
    """

    box: Box
    scored: bool
    size: int


@dataclass(frozen=True, slots=True, eq=False)
class Photo:
    """A picture, uint8 (H, W, 3) BGR, and all faces in it."""

    file: str
    picture: Pixels
    faces: tuple[KnownFace, ...]


@dataclass(frozen=True, slots=True)
class Condition:
    """One way to look at the photos; what was counted under several changes is added up.

    Attributes:
        name: for people.
        changes: each makes another photo of a photo.
    """

    name: str
    changes: tuple[Callable[[Photo], Photo], ...]


def load_photos(folder: Path) -> tuple[tuple[Photo, ...], str]:
    """All photos of a folder with `annotations.csv` (file, x, y, w, h, ignore), and that file's SHA-256.

    Raises:
        ConfigError: the table or a photo is missing or cannot be read.
    """
    table = folder / TABLE
    try:
        content = table.read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot read {table}: {error.strerror}; --faces names the folder that holds it") from error
    rows = csv.DictReader(content.decode("utf-8", errors="replace").splitlines())
    missing = sorted(set(COLUMNS) - set(rows.fieldnames or ()))
    if missing:
        raise ConfigError(f"{table} has no column {', '.join(missing)}; expected {', '.join(COLUMNS)}")
    faces: dict[str, list[KnownFace]] = defaultdict(list)
    for number, row in enumerate(rows, 2):
        try:
            box = Box(*(float(row[key]) for key in "xywh"))
        except (TypeError, ValueError) as error:
            raise ConfigError(f"{table}, line {number}: x, y, w, h have to be numbers ({error})") from error
        longer = max(box.w, box.h)
        faces[row["file"]].append(KnownFace(box, row["ignore"] == "0", 0 if longer < 40 else 1 if longer <= 80 else 2))
    photos = []
    for file, known in faces.items():
        picture = cv2.imread(str(folder / file))
        if picture is None:
            raise ConfigError(f"{folder / file} is missing or no picture, but {TABLE} names it; get the data anew")
        photos.append(Photo(file, picture, tuple(known)))
    return tuple(photos), hashlib.sha256(content).hexdigest()


def rolled(photo: Photo, degrees: float) -> Photo:
    """Turned about its centre, anticlockwise; edge pixels repeat. A face counts as the ellipse in its box."""
    height, width = photo.picture.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    picture = cv2.warpAffine(photo.picture, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))

    def turned(box: Box) -> Box:
        x, y = matrix @ (box.x + box.w / 2, box.y + box.h / 2, 1.0)
        w, h = math.hypot(box.w * cos, box.h * sin), math.hypot(box.w * sin, box.h * cos)
        return Box(x - w / 2, y - h / 2, w, h)

    return Photo(
        photo.file, picture, tuple(_still_there(face, turned(face.box), width, height) for face in photo.faces)
    )


def shrunk(photo: Photo, scale: float) -> Photo:
    """Smaller in the middle of a black picture of the same size: the faces are further away."""
    height, width = photo.picture.shape[:2]
    small = cv2.resize(photo.picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    y, x = (height - small.shape[0]) // 2, (width - small.shape[1]) // 2
    picture = np.zeros_like(photo.picture)
    picture[y : y + small.shape[0], x : x + small.shape[1]] = small

    def moved(box: Box) -> Box:
        return Box(box.x * scale + x, box.y * scale + y, box.w * scale, box.h * scale)

    return Photo(photo.file, picture, tuple(replace(face, box=moved(face.box)) for face in photo.faces))


def darkened(photo: Photo, light: float) -> Photo:
    """With a share of the light (of linear intensity, gamma 2.2) and a sensor's noise, the same in every run."""
    levels = 255 * (light * (np.arange(256) / 255) ** 2.2) ** (1 / 2.2)
    noise = np.random.default_rng(DARK_SEED).normal(0, DARK_NOISE, photo.picture.shape)
    return replace(photo, picture=np.clip(levels[photo.picture] + noise, 0, 255).round().astype(np.uint8))


def blurred(photo: Photo, sigma_px: float) -> Photo:
    """Out of focus."""
    return replace(photo, picture=cv2.GaussianBlur(photo.picture, (0, 0), sigma_px))


def _still_there(face: KnownFace, box: Box, width: int, height: int) -> KnownFace:
    visible_w = min(box.x + box.w, width) - max(box.x, 0)
    visible_h = min(box.y + box.h, height) - max(box.y, 0)
    visible = max(visible_w, 0) * max(visible_h, 0) / (box.w * box.h)
    return replace(face, box=box, scored=face.scored and visible >= INSIDE)


def _both_ways(degrees: float) -> tuple[Callable[[Photo], Photo], ...]:
    return (lambda photo: rolled(photo, degrees)), (lambda photo: rolled(photo, -degrees))


AS_IT_CAME = Condition("as it came", (lambda photo: photo,))
ROLLS = {15: "roll ±15°", 30: "roll ±30°", 45: "roll ±45°"}
CONDITIONS = (
    AS_IT_CAME,
    *(Condition(name, _both_ways(degrees)) for degrees, name in ROLLS.items()),
    Condition("an eighth of the light", (lambda photo: darkened(photo, 1 / 8),)),
    Condition("blurred by 3 px", (lambda photo: blurred(photo, 3.0),)),
    Condition("half the size", (lambda photo: shrunk(photo, 0.5),)),
)
