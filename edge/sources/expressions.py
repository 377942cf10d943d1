"""How each expression looks on a drawn face: a few numbers per label, and the way from one to another.

The numbers follow the action units that Ekman and Friesen's Facial Action Coding System names for each emotion (brow
raisers and lowerers, lid raisers and tighteners, lip corner pullers and depressors, nose wrinkler), slightly overdone.
"""

from dataclasses import astuple, dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Expression:
    """All lengths in radii of the face (half its height), y downwards.

    Attributes:
        brow_lift: how far the brows are raised.
        brow_inner: how far their inner ends are raised on top of that; below 0 is a frown.
        brow_pinch: how far the inner ends move towards the nose.
        brow_arch: height of the brows' bow.
        eye_open: height of the eye's opening; 0.8 is relaxed, at 1 the upper lid just bares the iris.
        lower_lid: how far the lower lid is pushed up, 0 to 1.
        lid_slant: how far the outer corner of the upper lid hangs.
        gaze_down: how far the eyes look down.
        mouth_width: half the distance between the corners of the mouth.
        corners: how far the corners of the mouth are raised.
        upper_lip: how far the upper lip is raised.
        lower_lip: how far the lower lip is dropped.
        teeth: height of the teeth that show at most.
        lips: thickness of the lips.
        skew: how much higher one side of the upper lip is than the other.
        fold: depth of the folds between nose and mouth, 0 to 1.
        furrow: depth of the furrows between the brows, 0 to 1.
        wrinkle: how far the nose is wrinkled, 0 to 1.
        blush: warmth of the cheeks, 0 to 1.
    """

    brow_lift: float = 0.0
    brow_inner: float = 0.0
    brow_pinch: float = 0.0
    brow_arch: float = 0.06
    eye_open: float = 1.0
    lower_lid: float = 0.0
    lid_slant: float = 0.0
    gaze_down: float = 0.0
    mouth_width: float = 0.25
    corners: float = 0.01
    upper_lip: float = 0.0
    lower_lip: float = 0.0
    teeth: float = 0.0
    lips: float = 0.055
    skew: float = 0.0
    fold: float = 0.0
    furrow: float = 0.0
    wrinkle: float = 0.0
    blush: float = 0.25


EXPRESSIONS: Final[dict[str, Expression]] = {
    "neutral": Expression(
        brow_lift=-0.03,
        brow_arch=0.055,
        eye_open=0.82,
        corners=0.005,
    ),
    "happy": Expression(
        brow_lift=0.05,
        brow_arch=0.09,
        eye_open=0.95,
        lower_lid=0.45,
        mouth_width=0.38,
        corners=0.14,
        upper_lip=0.0,
        lower_lip=0.17,
        teeth=0.12,
        lips=0.045,
        fold=0.4,
        blush=1.0,
    ),
    "sad": Expression(
        brow_lift=0.02,
        brow_inner=0.12,
        brow_pinch=0.03,
        brow_arch=0.02,
        eye_open=0.55,
        lid_slant=0.08,
        gaze_down=0.05,
        mouth_width=0.25,
        corners=-0.10,
        lips=0.065,
        fold=0.5,
        furrow=0.5,
        blush=0.1,
    ),
    "angry": Expression(
        brow_lift=-0.07,
        brow_inner=-0.15,
        brow_pinch=0.08,
        brow_arch=0.03,
        eye_open=0.85,
        lower_lid=0.35,
        mouth_width=0.27,
        corners=-0.08,
        upper_lip=0.02,
        lower_lip=0.05,
        teeth=0.11,
        lips=0.04,
        fold=0.35,
        furrow=1.0,
        blush=0.4,
    ),
    "surprise": Expression(
        brow_lift=0.19,
        brow_arch=0.12,
        eye_open=1.55,
        mouth_width=0.16,
        corners=-0.02,
        upper_lip=0.09,
        lower_lip=0.25,
        teeth=0.04,
        lips=0.055,
        blush=0.3,
    ),
    "fear": Expression(
        brow_lift=0.10,
        brow_inner=0.08,
        brow_pinch=0.065,
        brow_arch=0.0,
        eye_open=1.6,
        lid_slant=0.03,
        mouth_width=0.32,
        corners=-0.08,
        upper_lip=0.025,
        lower_lip=0.085,
        lips=0.048,
        fold=0.1,
        furrow=0.7,
        blush=0.0,
    ),
    "disgust": Expression(
        brow_lift=-0.06,
        brow_inner=-0.07,
        brow_pinch=0.075,
        brow_arch=0.025,
        eye_open=0.5,
        lower_lid=0.75,
        mouth_width=0.245,
        corners=-0.115,
        upper_lip=0.085,
        lower_lip=0.0,
        teeth=0.05,
        lips=0.055,
        skew=0.03,
        fold=1.0,
        furrow=0.7,
        wrinkle=1.0,
        blush=0.15,
    ),
}


_VALUES: Final = {label: astuple(look) for label, look in EXPRESSIONS.items()}


def between(previous: str, towards: str, blend: float) -> Expression:
    """The look at `blend` (0 to 1) of the way from one label's expression to another's."""
    if previous == towards or blend >= 1:
        return EXPRESSIONS[towards]
    return Expression(*(a + (b - a) * blend for a, b in zip(_VALUES[previous], _VALUES[towards], strict=True)))
