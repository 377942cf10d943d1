"""How old a picture is at the client: read off the picture itself."""

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.streaming import timecode
from benchmarks.streaming.latency import _measured, _pipe

GREY = np.full((480, 640, 3), 120, np.uint8)


@pytest.mark.parametrize("ahead_ms", [0, 0.1, 7, 1234.5, 86_400_000])
def test_a_moment_drawn_into_a_picture_survives_a_jpeg(ahead_ms: float):
    taken_ns = 12_345_678_900_000
    jpeg = cv2.imencode(".jpg", timecode.stamped(GREY, taken_ns), (cv2.IMWRITE_JPEG_QUALITY, 60))[1]
    found = timecode.read(cv2.imdecode(jpeg, cv2.IMREAD_COLOR), taken_ns + round(ahead_ms * 1e6))
    assert found == pytest.approx(taken_ns, abs=timecode.UNIT_NS)


def test_a_picture_without_one_has_none():
    assert timecode.read(GREY, 5) is None
    assert timecode.read(GREY[:100], 5) is None
    broken = timecode.stamped(GREY, 1_000_000_000)
    broken[-40:-10, :200] = 255
    assert timecode.read(broken, 5) is None


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="pipes and a clock that processes share, as Linux has")
def test_the_age_of_pictures_through_a_pipe_is_measured_through_to_the_client(tmp_path: Path):
    with _pipe(tmp_path) as uri:
        found = _measured("pipe", uri, "taken", 1.5)
    assert found.pictures > 10
    assert 0 < found.p50_ms <= found.p95_ms <= found.p99_ms <= found.most_ms < 5000
