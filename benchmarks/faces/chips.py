"""`python -m benchmarks.faces.chips`: how a face should be cut so that it is read as well as a training chip.

Labelled chips are put into larger pictures, in known places and turned by known angles. The detector finds what it can,
each way cuts what was found, and the classifier names it; the same chip before it was put anywhere is what it is held
against.
"""

import argparse
import math
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from benchmarks.faces.cuts import CURRENT, Way, ways
from benchmarks.faces.legibility import Legibility, legibility
from benchmarks.faces.staged import HEIGHT_PX, WIDTH_PX, Staged, staged
from benchmarks.outcome import outcome
from edge.config import DetectorConfig
from edge.contract.chip import cut_placed
from edge.contract.placement import head_roll_deg, turn
from edge.errors import ConfigError
from edge.machine import Machine, describe
from edge.parts import build_classifier, build_detector
from edge.ports import Classifier, FaceDetector
from edge.types import Face, Pixels
from training.compare import mcnemar
from training.data import load_data
from training.data.dataset import Dataset
from training.metrics import wilson_interval

ROLLS_DEG = (0, -10, 10, -20, 20, -30, 30, -45, 45)
FAR = 0.5
"""A face found further from the true centre than this, in sides of the square, is another one."""


class Found(msgspec.Struct, frozen=True):
    """How many faces the detector found at one roll, to either side.

    Attributes:
        roll_deg: by which they were turned.
        faces: how many there were.
        found: how many it found.
        interval: 95 % interval of the share found (Wilson).
        roll_error_deg: median of how far the slope of the eyes is from what it is on the same picture at roll 0.
    """

    roll_deg: int
    faces: int
    found: int
    interval: tuple[float, float]
    roll_error_deg: float | None


class Line(msgspec.Struct, frozen=True):
    """One way at one roll, to either side, on the faces that were found.

    Attributes:
        kind: of the way.
        margin: of the way.
        roll_deg: by which the faces were turned; None: all of them.
        n: faces.
        accuracy: of them.
        interval: 95 % interval of it (Wilson).
        bare: accuracy of the same chips before they were put anywhere.
        loss: bare less accuracy.
        loss_interval: 95 % interval of it, paired; the same picture at several rolls counts as one draw.
        p_value: McNemar's exact test between the two, where each picture counts once.
        gain: accuracy less that of the way the program cuts.
        gain_interval: as `loss_interval`.
    """

    kind: str
    margin: float
    roll_deg: int | None
    n: int
    accuracy: float
    interval: tuple[float, float]
    bare: float
    loss: float
    loss_interval: tuple[float, float]
    p_value: float | None
    gain: float
    gain_interval: tuple[float, float]


class Survey(msgspec.Struct, frozen=True):
    """All figures, and what they have in common."""

    machine: Machine
    data_sha256: str
    split: str
    pictures: int
    seed: int
    detector: str
    min_score: float | None
    found: tuple[Found, ...]
    lines: tuple[Line, ...]
    legibility: Legibility


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do.

    Attributes:
        data: FER2013's CSV.
        cache: for what depends on the data alone.
        split: whose pictures.
        pictures: how many.
        seed: which, and where they are put.
        min_score: of the detector; None: its own.
    """

    data: Path
    cache: Path | None
    split: str
    pictures: int
    seed: int
    min_score: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Looks:
    """What came of the pictures at one roll; all arrays are of the faces found.

    Attributes:
        roll_deg: by which they were turned.
        at: int (N,), which pictures.
        eyes_deg: float (N,), slope of the eyes.
        turns: float (N,), how far the heads are turned away (`edge.contract.placement.turn`).
        right: for each way bool (N,), which were named rightly.
    """

    roll_deg: int
    at: NDArray[np.int64]
    eyes_deg: NDArray[np.float64]
    turns: NDArray[np.float64]
    right: tuple[NDArray[np.bool_], ...]


def survey(plan: Plan, say: Callable[[str], None]) -> Survey:
    """Stage, find, cut and classify.

    Raises:
        ConfigError: the data, the detector's file or as many pictures are not there.
        PermanentError: a file is broken.
    """
    part, sha256 = _chosen(plan)
    detector, _ = build_detector(DetectorConfig(min_score=plan.min_score, min_face_px=0))
    classifier, _ = build_classifier()
    spec = classifier.views[0]
    if (spec.size, spec.channels) != (part.side_px, part.channels):
        raise ConfigError(f"the model wants chips {spec.size}×{spec.channels}, the data has {part.side_px}×1")
    truth = np.array([classifier.labels.index(part.label_names[label]) for label in part.labels])
    chips = np.asarray(part.chips[:])
    bare = _named(classifier, chips) == truth
    every = ways()
    looks = []
    for roll in ROLLS_DEG:
        looks.append(
            _look(staged(chips, part.rows.tolist(), roll, plan.seed), roll, detector, classifier, every, truth)
        )
        say(f"roll {roll}°: {len(looks[-1].at)} of {len(part)} found")
    amounts = sorted({abs(roll) for roll in ROLLS_DEG})
    return Survey(
        machine=describe(),
        data_sha256=sha256,
        split=plan.split,
        pictures=len(part),
        seed=plan.seed,
        detector=detector.name,
        min_score=plan.min_score,
        found=tuple(_found(looks, amount, len(part)) for amount in amounts),
        lines=tuple(
            _line(way, index, [look for look in looks if amount is None or abs(look.roll_deg) == amount], bare, amount)
            for index, way in enumerate(every)
            for amount in (*amounts, None)
        ),
        legibility=legibility(classifier, chips, truth, (looks[0].at, looks[0].turns)),
    )


def _chosen(plan: Plan) -> tuple[Dataset, str]:
    dataset = load_data("fer2013-csv", plan.data, plan.cache)
    part = dataset.split(plan.split)
    if len(part) < plan.pictures:
        raise ConfigError(f"{plan.data} has {len(part)} pictures in {plan.split}, expected {plan.pictures} or more")
    chosen = np.random.default_rng(plan.seed).permutation(len(part))[: plan.pictures]
    return part.take(np.sort(chosen)), dataset.sha256


def _look(
    pictures: Iterable[Staged],
    roll_deg: int,
    detector: FaceDetector,
    classifier: Classifier,
    every: Sequence[Way],
    truth: NDArray[np.int64],
) -> Looks:
    (spec,) = classifier.views
    at, eyes, turns, cut = [], [], [], [[] for _ in every]
    for index, picture in enumerate(pictures):
        face = nearest(detector.detect(picture.frame), picture)
        if face is None:
            continue
        at.append(index)
        eyes.append(math.nan if face.keypoints is None else head_roll_deg(face.keypoints, WIDTH_PX, HEIGHT_PX))
        turns.append(math.nan if face.keypoints is None else turn(face.keypoints, WIDTH_PX, HEIGHT_PX))
        for way, chips in zip(every, cut, strict=True):
            place = way.place(face, picture.square, detector.framing, WIDTH_PX, HEIGHT_PX)
            chips.append(cut_placed(picture.frame.bgr, place, spec))
    found = np.array(at, np.int64)
    right = tuple(_named(classifier, np.array(chips)) == truth[found] for chips in cut)
    return Looks(roll_deg, found, np.array(eyes), np.array(turns), right)


def _named(classifier: Classifier, chips: Pixels) -> NDArray[np.int64]:
    """Index of the likeliest class of each chip."""
    return np.array([scores.argmax() for scores in classifier.classify(chips)], np.int64)


def _found(looks: Sequence[Looks], amount: int, pictures: int) -> Found:
    chosen = [look for look in looks if abs(look.roll_deg) == amount]
    upright = next(look for look in looks if look.roll_deg == 0)
    before = dict(zip(upright.at.tolist(), upright.eyes_deg.tolist(), strict=True))
    errors = [
        abs(eyes - before[at] - look.roll_deg)
        for look in chosen
        for at, eyes in zip(look.at.tolist(), look.eyes_deg.tolist(), strict=True)
        if at in before
    ]
    found, faces = sum(len(look.at) for look in chosen), pictures * len(chosen)
    return Found(amount, faces, found, wilson_interval(found, faces), float(np.median(errors)) if errors else None)


def _line(way: Way, index: int, looks: Sequence[Looks], bare: NDArray[np.bool_], amount: int | None) -> Line:
    right = np.concatenate([look.right[index] for look in looks])
    before = np.concatenate([bare[look.at] for look in looks])
    if not len(right):
        raise ConfigError(f"the detector found no face turned by {amount}°; expected some: take more pictures")
    at = np.concatenate([look.at for look in looks])
    loss, interval = clustered_loss(at, before, right)
    gain, gain_interval = clustered_loss(at, right, np.concatenate([look.right[CURRENT] for look in looks]))
    return Line(
        kind=way.kind,
        margin=way.margin,
        roll_deg=amount,
        n=len(right),
        accuracy=float(right.mean()),
        interval=wilson_interval(int(right.sum()), len(right)),
        bare=float(before.mean()),
        loss=loss,
        loss_interval=interval,
        p_value=mcnemar(int((before & ~right).sum()), int((right & ~before).sum())) if len(looks) == 1 else None,
        gain=gain,
        gain_interval=gain_interval,
    )


def clustered_loss(
    pictures: NDArray[np.int64], before: NDArray[np.bool_], right: NDArray[np.bool_], z: float = 1.959964
) -> tuple[float, tuple[float, float]]:
    """Mean of `before` less that of `right`, with its 95 % interval; answers to the same picture count as one draw.

    The variance is that of a ratio of sums over the pictures (Cochran, "Sampling Techniques", 1977, section 6.4).

    Args:
        pictures: int (N,), which picture each answer is about.
        before: bool (N,).
        right: bool (N,).
        z: for 95 %.
    """
    difference = before.astype(np.float64) - right
    loss = float(difference.mean())
    by_picture = np.bincount(pictures, weights=difference - loss)
    reach = z * float(np.sqrt((by_picture**2).sum())) / len(pictures)
    return loss, (loss - reach, loss + reach)


def nearest(faces: Sequence[Face], picture: Staged) -> Face | None:
    """The face that is meant, if it is among them."""
    truth = picture.square

    def distance(face: Face) -> float:
        x, y = (face.box.x + face.box.w / 2) * WIDTH_PX, (face.box.y + face.box.h / 2) * HEIGHT_PX
        return math.hypot(x - truth.x, y - truth.y) / truth.side

    best = min(faces, key=distance, default=None)
    return best if best is not None and distance(best) <= FAR else None


def main(argv: Sequence[str] | None = None) -> int:
    """0 done; 78 what was asked for cannot be done as asked."""
    from benchmarks.faces.chips_page import document  # noqa: PLC0415  # it imports this module
    from training.reporting.document import write  # noqa: PLC0415

    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.faces.chips",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--data", type=Path, required=True, help="fer2013.csv or fer2013.csv.gz")
    add("--split", default="PublicTest", help="whose pictures; default: PublicTest")
    add("--pictures", type=int, default=900, help="how many of them; default: 900")
    add("--seed", type=int, default=1, help="default: 1")
    add("--min-score", type=float, help="of the detector; default: its own")
    add("--out", type=Path, default=Path("runs/chips"), help="default: runs/chips")
    add("--cache", type=Path, default=Path("runs/cache"), help="what depends on the data alone")
    given = parser.parse_args(argv)
    plan = Plan(given.data, given.cache, given.split, given.pictures, given.seed, given.min_score)
    return outcome(lambda: print(f"page in {write(document(survey(plan, print)), given.out)}"))


if __name__ == "__main__":
    sys.exit(main())
