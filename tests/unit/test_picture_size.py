import cv2
import numpy as np
import pytest

from edge.errors import PermanentError
from edge.sources.picture_bytes import decode_picture
from edge.sources.picture_size import picture_size


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".bmp", ".gif", ".tiff", ".ppm", ".pgm"])
@pytest.mark.parametrize(("width", "height"), [(37, 21), (320, 240), (1, 300)])
def test_the_header_tells_the_size_that_decoding_gives(suffix: str, width: int, height: int):
    shape = (height, width) if suffix == ".pgm" else (height, width, 3)
    done, data = cv2.imencode(suffix, np.full(shape, 90, np.uint8))
    assert done
    found = picture_size(data.tobytes())
    assert found is not None
    assert (found.width, found.height) == (width, height)


def test_a_lossless_and_an_extended_webp_tell_it_too():
    picture = np.full((21, 37, 4), 90, np.uint8)
    picture[0, 0, 3] = 0  # transparency makes it an extended one
    for quality in (80, 101):
        data = cv2.imencode(".webp", picture, (cv2.IMWRITE_WEBP_QUALITY, quality))[1].tobytes()
        assert picture_size(data) == (37, 21, "WebP"), data[12:16]


def test_a_jpegs_size_is_behind_whatever_comes_first():
    data = cv2.imencode(".jpg", np.full((21, 37, 3), 90, np.uint8))[1].tobytes()
    thumbnail = cv2.imencode(".jpg", np.full((8, 8, 3), 90, np.uint8))[1].tobytes()
    exif = b"\xff\xe1" + (len(thumbnail) + 2).to_bytes(2, "big") + thumbnail
    assert picture_size(data[:2] + exif + b"\xff\xff" + data[2:]) == (37, 21, "JPEG")


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".bmp", ".gif", ".tiff", ".ppm"])
def test_a_header_that_breaks_off_anywhere_is_none_or_right(suffix: str):
    data = cv2.imencode(suffix, np.full((21, 37, 3), 90, np.uint8))[1].tobytes()
    for length in range(min(len(data), 700)):
        found = picture_size(data[:length])
        # of a PNM, a number may be cut in two
        assert found is None or suffix == ".ppm" or (found.width, found.height) == (37, 21)


def test_noise_behind_a_right_beginning_does_no_harm():
    noise = np.random.default_rng(0)
    for start in (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF", b"BM", b"GIF89a", b"II*\0", b"MM\0*", b"P6"):
        for _ in range(300):
            picture_size(start + noise.integers(0, 256, 400, np.uint8).tobytes())


@pytest.mark.parametrize("data", [b"", b"\xff\xd8\xff", b"hello", b"\0" * 100, b"GIF89a\0\0\0\0"])
def test_what_is_no_picture_has_no_size(data: bytes):
    assert picture_size(data) is None


def test_a_picture_that_is_cut_off_is_called_broken_and_not_something_else():
    with pytest.raises(PermanentError, match="the JPEG picture is broken, or cut off before it tells its size"):
        decode_picture(b"\xff\xd8\xff\xe0\x00\x10JFIF\x00", 40.0)
    with pytest.raises(PermanentError, match="this is no picture"):
        decode_picture(b"GIFT of words", 40.0)
