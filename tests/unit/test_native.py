"""Networks see the same from a frame's own format as from its BGR picture, which is not made for them."""

from functools import cache

import cv2
import numpy as np
import pytest

from edge.contract.chip import ChipSpec, cut_placed
from edge.contract.native import cut_frame, full_rgb, small_rgb
from edge.contract.placement import Placement
from edge.detectors.letterbox import letterbox_into
from edge.pipeline import Pipeline
from edge.sources.demo import DemoSource
from edge.sources.specs import DemoSpec
from edge.types import Frame, PixelFormat, Pixels
from tests.fakes import FakeClassifier, FakeDetector, Ticking, face
from tests.world import World

OWN = [PixelFormat.GREY, PixelFormat.I420]
"""Formats of which BGR has to be made."""


@cache
def scene(size: str = "640x480") -> Pixels:
    world = World()
    return DemoSource(DemoSpec(size=size, realtime=False), world.clock, world.sleep).draw(2.0)


def frame_of(bgr: Pixels, picture_format: PixelFormat) -> Frame:
    conversions = {PixelFormat.I420: cv2.COLOR_BGR2YUV_I420, PixelFormat.GREY: cv2.COLOR_BGR2GRAY}
    pixels = bgr if picture_format is PixelFormat.BGR else cv2.cvtColor(bgr, conversions[picture_format])
    return Frame(1, 0, pixels.copy(), picture_format)


def known(frame: Frame) -> Frame:
    """The same frame, once somebody has asked for its BGR picture."""
    twin = Frame(frame.seq, frame.t_ns, frame.pixels, frame.format)
    assert twin.bgr is not None
    return twin


@pytest.fixture
def no_bgr(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(frame: Frame) -> Pixels:
        raise AssertionError(f"a BGR picture of {frame.width}×{frame.height} px was made")

    monkeypatch.setattr(Frame, "bgr", property(refuse))


@pytest.mark.parametrize("picture_format", list(PixelFormat))
def test_all_of_the_picture_in_one_conversion(picture_format: PixelFormat):
    frame = frame_of(scene(), picture_format)
    np.testing.assert_array_equal(full_rgb(frame), known(frame).bgr[:, :, ::-1])


@pytest.mark.parametrize("picture_format", OWN)
@pytest.mark.parametrize("size", [(192, 144), (191, 143), (128, 96), (960, 720)])
@pytest.mark.parametrize("of", ["640x480", "160x120", "1920x1080"])
def test_a_small_picture_is_that_of_bgr_within_a_few_levels(
    of: str, size: tuple[int, int], picture_format: PixelFormat
):
    frame = frame_of(scene(of), picture_format)
    own, through_bgr = small_rgb(frame, *size), small_rgb(known(frame), *size)
    assert own.shape == (size[1], size[0], 3)
    apart = np.abs(own.astype(int) - through_bgr)
    assert apart.mean() < 0.6
    # where their planes grow, colours between two samples are of both here, of the nearer one through BGR
    assert np.percentile(apart, 99) <= (3 if size[0] <= frame.width / 2 else 6)


@pytest.mark.parametrize("picture_format", OWN)
@pytest.mark.parametrize(("width", "height"), [(640, 480), (480, 640), (1280, 720), (160, 120), (652, 366)])
def test_the_letterbox_is_the_same_whatever_the_format(width: int, height: int, picture_format: PixelFormat):
    frame = frame_of(scene(f"{width}x{height}"), picture_format)
    targets = np.zeros((2, 192, 192, 3), np.float32)
    assert letterbox_into(frame, targets[0]) == letterbox_into(known(frame), targets[1])
    np.testing.assert_array_equal((targets[0] == -1).all(axis=2), (targets[1] == -1).all(axis=2))
    assert np.abs(targets[0] - targets[1]).mean() < 0.6 / 127.5


def test_a_picture_that_was_made_already_is_used():
    frame = frame_of(scene(), PixelFormat.I420)
    before = small_rgb(known(frame), 192, 144)
    assert frame.bgr is not None
    np.testing.assert_array_equal(small_rgb(frame, 192, 144), before)


PLACES = [
    Placement(300.0, 220.0, 96.0),
    Placement(301.0, 221.0, 97.3),
    Placement(301.5, 220.5, 33.0),
    Placement(300.2, 219.9, 150.7, roll_deg=23.0),
    Placement(5.0, 8.0, 60.0, roll_deg=-31.0),
    Placement(639.0, 479.0, 61.0),
    Placement(-20.0, 100.0, 41.0),
    Placement(320.0, 240.0, 2000.0),
    Placement(638.9, 3.0, 1.0),
]


@pytest.mark.parametrize("resize", ["area", "linear"])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("picture_format", list(PixelFormat))
@pytest.mark.parametrize("place", PLACES)
def test_a_chip_is_to_the_last_bit_that_of_the_whole_picture(
    place: Placement, picture_format: PixelFormat, channels: int, resize: str
):
    spec = ChipSpec(48, channels, resize=resize)  # type: ignore[arg-type]
    frame = frame_of(scene(), picture_format)
    whole = frame.luma if channels == 1 and picture_format is not PixelFormat.BGR else known(frame).bgr
    np.testing.assert_array_equal(cut_frame(frame, place, spec), cut_placed(whole, place, spec))
    assert frame.has_bgr == (picture_format is PixelFormat.BGR), "only what is cut is converted"


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("picture_format", list(PixelFormat))
@pytest.mark.parametrize("x", [-200.0, 900.0])
def test_a_place_outside_the_frame_is_refused(x: float, picture_format: PixelFormat, channels: int):
    frame = frame_of(scene(), picture_format)
    with pytest.raises(ValueError, match="lies outside"):
        cut_frame(frame, Placement(x, 100.0, 50.0), ChipSpec(48, channels))  # type: ignore[arg-type]


@pytest.mark.usefixtures("no_bgr")
@pytest.mark.parametrize("picture_format", OWN)
def test_a_grey_model_and_a_letterbox_make_no_bgr_at_all(picture_format: PixelFormat):
    frame = frame_of(scene(), picture_format)
    letterbox_into(frame, np.zeros((192, 192, 3), np.float32))
    shown = Pipeline(FakeDetector((face(0.1), face(0.6))), FakeClassifier(), Ticking()).step(frame)
    assert [track.label for track in shown.tracks] == ["happy", "happy"]


@pytest.mark.usefixtures("no_bgr")
def test_the_test_above_can_fail():
    with pytest.raises(AssertionError, match="a BGR picture of 640×480"):
        full_rgb(frame_of(scene(), PixelFormat.BGR))
