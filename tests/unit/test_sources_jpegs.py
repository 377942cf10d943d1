import cv2
import numpy as np
import pytest

from edge.sources import jpegs
from edge.sources.jpegs import JpegSplitter


def jpeg(seed: int, size: int = 40, progressive: bool = False) -> bytes:
    noise = np.random.default_rng(seed).integers(0, 256, (size, size, 3), np.uint8)
    flags = [cv2.IMWRITE_JPEG_PROGRESSIVE, int(progressive), cv2.IMWRITE_JPEG_RST_INTERVAL, seed % 3]
    return cv2.imencode(".jpg", noise, flags)[1].tobytes()


def with_thumbnail(picture: bytes) -> bytes:
    """The picture with another one, whole, in a segment of its own."""
    inside = jpeg(99, 16)
    return picture[:2] + b"\xff\xe1" + (len(inside) + 2).to_bytes(2, "big") + inside + picture[2:]


PICTURES = [jpeg(0), jpeg(1, progressive=True), with_thumbnail(jpeg(2)), jpeg(3, 120)]


@pytest.mark.parametrize("at_once", [1, 2, 3, 7, 1000, 1 << 20])
def test_pictures_come_out_as_they_went_in_however_they_are_cut(at_once: int) -> None:
    stream = b"".join(PICTURES)
    splitter = JpegSplitter()
    found = [picture for i in range(0, len(stream), at_once) for picture in splitter.feed(stream[i : i + at_once])]
    assert found == PICTURES
    assert splitter.broken == 0


@pytest.mark.parametrize("at_once", [1, 64, 1 << 20])
def test_what_lies_between_pictures_is_skipped(at_once: int) -> None:
    between = [b"--frame\r\nContent-Length: 7\r\n\r\n", b"\xff", b"\xff\xd8 no picture", b"\xff\xd9\x00\xff\xd8\x00"]
    stream = b"".join(a + b for a, b in zip(between, PICTURES, strict=True))
    splitter = JpegSplitter()
    found = [picture for i in range(0, len(stream), at_once) for picture in splitter.feed(stream[i : i + at_once])]
    assert found == PICTURES
    assert splitter.broken == 0


@pytest.mark.parametrize("kept", [10, 30, 200, -3])
def test_a_picture_that_breaks_off_is_dropped_and_counted_and_the_next_is_whole(kept: int) -> None:
    splitter = JpegSplitter()
    after = [jpeg(4), jpeg(5), jpeg(6)]
    found = splitter.feed(jpeg(0)[:kept] + b"".join(after))
    assert found == after
    assert splitter.broken == 1


def test_what_never_ends_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jpegs, "MOST_BYTES", 100_000)
    splitter = JpegSplitter()
    for _ in range(50):
        assert splitter.feed(bytes(10_000)) == []
        assert len(splitter._held) <= 10
    endless = jpeg(0)[:-2]
    for data in (endless, *[bytes(10_000)] * 50):
        splitter.feed(data)
        assert len(splitter._held) <= 110_000
    assert splitter.broken == 1
    assert splitter.feed(jpeg(1)) == [jpeg(1)]
