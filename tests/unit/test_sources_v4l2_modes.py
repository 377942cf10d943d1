"""What drivers answer, as the bytes of `linux/videodev2.h`, laid out here field by field."""

import errno
from collections.abc import Callable

import pytest

from edge.sources.v4l2_modes import Card, Mode, decode_card

# as on any x86 or ARM machine: printed by a C program that includes the header
QUERYCAP, ENUM_FMT, ENUM_FRAMESIZES, ENUM_FRAMEINTERVALS = 0x80685600, 0xC0405602, 0xC02C564A, 0xC034564B
YUYV, MJPG = 0x56595559, 0x47504A4D


def u32(*numbers: int) -> bytes:
    return b"".join(number.to_bytes(4, "little") for number in numbers)


def text(words: str, size: int) -> bytes:
    return words.encode().ljust(size, b"\0")


def capability(of_all: int = 0x84A00001, own: int = 0x04200001) -> bytes:
    names = text("uvcvideo", 16) + text("HD Pro Webcam C920", 32) + text("usb-0000:01:00.0-1.3", 32)
    return names + u32(0x060100, of_all, own, 0, 0, 0)


def size(code: int, *rest: int, kind: int = 1) -> bytes:
    return u32(0, code, kind, *rest).ljust(44, b"\0")


def interval(code: int, width: int, height: int, *rest: int, kind: int = 1) -> bytes:
    return u32(0, code, width, height, kind, *rest).ljust(52, b"\0")


class Driver:
    """Answers each question by its index and what else it asks for."""

    def __init__(self, card: bytes) -> None:
        self.card = card
        self.formats: list[bytes] = []
        self.sizes: dict[int, list[bytes]] = {}
        self.intervals: dict[tuple[int, int, int], list[bytes]] = {}
        self.asked: list[int] = []

    def __call__(self, request: int, structure: bytearray) -> None:
        self.asked.append(request)
        numbers = [int.from_bytes(structure[at : at + 4], "little") for at in (0, 4, 8, 12)]
        answers = {
            QUERYCAP: lambda: [self.card],
            ENUM_FMT: lambda: self.formats,
            ENUM_FRAMESIZES: lambda: self.sizes[numbers[1]],
            ENUM_FRAMEINTERVALS: lambda: self.intervals[numbers[1], numbers[2], numbers[3]],
        }[request]()
        index = 0 if request == QUERYCAP else numbers[0]
        if index >= len(answers):
            raise OSError(errno.EINVAL, "no more")
        assert len(structure) == len(answers[index])
        structure[:] = answers[index]


def described(code: int, index: int = 0, buffers: int = 1) -> bytes:
    return u32(index, buffers, 0) + text("a format", 32) + u32(code, 0, 0, 0, 0)


@pytest.fixture
def webcam() -> Driver:
    driver = Driver(capability())
    driver.formats = [described(YUYV), described(MJPG, 1)]
    driver.sizes = {YUYV: [size(YUYV, 640, 480), size(YUYV, 1280, 720)], MJPG: [size(MJPG, 1280, 720)]}
    driver.intervals = {
        (YUYV, 640, 480): [interval(YUYV, 640, 480, 1, n) for n in (15, 30)],
        (YUYV, 1280, 720): [interval(YUYV, 1280, 720, 1, 10)],
        (MJPG, 1280, 720): [interval(MJPG, 1280, 720, 1001, 30000), interval(MJPG, 1280, 720, 2, 15)],
    }
    return driver


def test_a_webcam_tells_all_it_offers(webcam: Driver) -> None:
    assert decode_card(webcam) == Card(
        name="HD Pro Webcam C920",
        driver="uvcvideo",
        bus="usb-0000:01:00.0-1.3",
        captures=True,
        modes=(
            Mode("YUYV", 640, 480, (30.0, 15.0)),
            Mode("YUYV", 1280, 720, (10.0,)),
            Mode("MJPG", 1280, 720, (29.97, 7.5)),
        ),
    )


def test_a_node_for_metadata_is_asked_nothing_more(webcam: Driver) -> None:
    webcam.card = capability(own=0x04A00000)
    card = decode_card(webcam)
    assert (card.captures, card.modes) == (False, ())
    assert webcam.asked == [QUERYCAP]


def test_an_old_driver_has_no_capabilities_of_a_single_node(webcam: Driver) -> None:
    webcam.card = capability(of_all=0x05000001, own=0)
    assert decode_card(webcam).captures


def test_a_driver_that_takes_any_size_is_asked_for_the_usual_ones_and_its_largest() -> None:
    driver = Driver(capability())
    driver.formats = [described(YUYV)]
    # widths 48 to 1600 in steps of 8, heights 32 to 1200 in steps of 4
    driver.sizes = {YUYV: [size(YUYV, 48, 1600, 8, 32, 1200, 4, kind=3)]}
    sizes = [(320, 240), (640, 480), (1280, 720), (1600, 1200)]
    # from 1/60 to 1/5 s, in any step
    driver.intervals = {(YUYV, w, h): [interval(YUYV, w, h, 1, 60, 1, 5, 1, 1, kind=2)] for w, h in sizes}
    assert decode_card(driver).modes == tuple(Mode("YUYV", w, h, (60.0, 5.0)) for w, h in sizes)


def test_a_driver_that_does_not_tell_its_rates_has_none(webcam: Driver) -> None:
    webcam.intervals = {key: [] for key in webcam.intervals}
    assert {mode.fps for mode in decode_card(webcam).modes} == {()}


def test_a_multiplanar_camera_is_asked_for_its_own_kind_of_buffer() -> None:
    driver = Driver(capability(own=0x04001000))
    driver.formats = [described(YUYV, buffers=9)]
    driver.sizes = {YUYV: [size(YUYV, 640, 480)]}
    driver.intervals = {(YUYV, 640, 480): []}
    seen = []

    def noted(request: int, structure: bytearray) -> None:
        if request == ENUM_FMT:
            seen.append(structure[4])
        driver(request, structure)

    assert decode_card(noted).modes == (Mode("YUYV", 640, 480, ()),)
    assert set(seen) == {9}


def endless(webcam: Driver) -> Callable[[int, bytearray], None]:
    def ioctl(request: int, structure: bytearray) -> None:
        structure[:4] = u32(0)
        webcam(request, structure)

    return ioctl


def test_a_driver_that_never_says_no_more_is_not_asked_for_ever() -> None:
    driver = Driver(capability())
    driver.formats = [described(YUYV)]
    driver.sizes = {YUYV: []}
    assert decode_card(endless(driver)).modes == ()
    assert driver.asked.count(ENUM_FMT) == 64


def test_what_is_no_v4l2_node_says_so() -> None:
    def not_a_typewriter(_: int, __: bytearray) -> None:
        raise OSError(errno.ENOTTY, "Inappropriate ioctl for device")

    with pytest.raises(OSError, match="Inappropriate"):
        decode_card(not_a_typewriter)
