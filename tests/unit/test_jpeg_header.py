"""What of a JPEG from outside meets the decoder."""

import contextlib

import cv2
import numpy as np
import pytest

from edge.jpeg_header import MOST_MARKERS, MOST_SCANS, BadPicture, Header, jpeg_header

PIXELS = np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)


def coded(pixels: np.ndarray = PIXELS, *options: int, kind: str = ".jpg") -> bytes:
    return cv2.imencode(kind, pixels, options)[1].tobytes()


def changed(data: bytes, marker: int, offset: int, value: int) -> bytes:
    """With another byte in the first segment that has this marker."""
    at = data.index(bytes((0xFF, marker))) + offset
    return data[:at] + bytes((value,)) + data[at + 1 :]


def code_of(data: bytes) -> str:
    with pytest.raises(BadPicture) as caught:
        jpeg_header(data)
    assert len(str(caught.value)) > 20
    return caught.value.code


@pytest.mark.parametrize(
    "options",
    [(), (cv2.IMWRITE_JPEG_PROGRESSIVE, 1), (cv2.IMWRITE_JPEG_RST_INTERVAL, 2), (cv2.IMWRITE_JPEG_QUALITY, 1)],
)
def test_what_cameras_and_browsers_make_is_taken(options: tuple[int, ...]) -> None:
    assert jpeg_header(coded(PIXELS, *options)) == Header(64, 48)


def test_grey_is_taken() -> None:
    assert jpeg_header(coded(PIXELS[..., 0])) == Header(64, 48)


def test_filling_bytes_before_a_marker_are_allowed() -> None:
    data = coded()
    at = data.index(b"\xff\xc0")
    assert jpeg_header(data[:at] + b"\xff\xff" + data[at:]) == Header(64, 48)


def test_other_kinds_of_pictures_are_told_from_jpegs() -> None:
    for kind in (".png", ".bmp", ".webp", ".tiff"):
        assert code_of(coded(kind=kind)) == "not_a_jpeg"
    assert code_of(b"") == "not_a_jpeg"
    assert code_of(b"GIF89a\xff\xd8\xff") == "not_a_jpeg"


@pytest.mark.parametrize("marker", [0xC1, 0xC3, 0xC5, 0xC9, 0xCA, 0xCF])
def test_kinds_that_no_camera_makes_are_refused(marker: int) -> None:
    assert code_of(changed(coded(), 0xC0, 1, marker)) == "unusual_jpeg"


@pytest.mark.parametrize(("offset", "value"), [(4, 12), (11, 0x51), (11, 0x10)])
def test_odd_depths_and_samplings_are_refused(offset: int, value: int) -> None:
    assert code_of(changed(coded(), 0xC0, offset, value)) == "unusual_jpeg"


def test_four_components_are_refused() -> None:
    data = coded()
    at = data.index(b"\xff\xc0")
    segment = data[at : at + 19]
    four = segment[:3] + bytes((20,)) + segment[4:9] + bytes((4,)) + segment[10:] + b"\x04\x11\x01"
    assert code_of(data[:at] + four + data[at + 19 :]) == "unusual_jpeg"


def test_a_picture_of_thousands_of_scans_is_refused() -> None:
    data = coded(PIXELS, cv2.IMWRITE_JPEG_PROGRESSIVE, 1)
    at = data.rindex(b"\xff\xda")
    assert code_of(data[:-2] + data[at:-2] * MOST_SCANS + data[-2:]) == "unusual_jpeg"


def test_tiny_ones_are_refused() -> None:
    assert code_of(coded(PIXELS[:8])) == "too_small"
    assert code_of(changed(changed(coded(), 0xC0, 5, 0), 0xC0, 6, 0)) == "too_small"


@pytest.mark.parametrize("length", [3, 4, 20, 160])
def test_one_that_is_cut_off_before_its_size_is_refused(length: int) -> None:
    assert code_of(coded()[:length]) == "broken_jpeg"


@pytest.mark.parametrize("stuffing", [b"\xff", b"\xff\xd0", b"\xff\xe0\x00\x02"])
def test_nobody_is_kept_busy_by_markers_without_end(stuffing: bytes) -> None:
    data = coded()
    few, many = (data[:2] + stuffing * count + data[2:] for count in (100, MOST_MARKERS))
    assert jpeg_header(few) == Header(64, 48)
    assert code_of(many) == "broken_jpeg"


def test_nothing_from_outside_breaks_it() -> None:
    data, chance = coded(), np.random.default_rng(1)
    for _ in range(2000):
        at, noise = int(chance.integers(len(data))), chance.bytes(int(chance.integers(40)))
        for tried in (noise, b"\xff\xd8\xff" + noise, data[:at] + noise + data[at + len(noise) :]):
            with contextlib.suppress(BadPicture):  # and no other error
                header = jpeg_header(tried)
                assert min(header.width, header.height) >= 16
