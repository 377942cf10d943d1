"""The benchmark of native formats measures both ways of everything."""

import pytest

from benchmarks.faces.native_pixels import Cost, main, measure, table
from edge.types import PixelFormat


def test_everything_is_measured_both_ways():
    costs = measure(["160x120"], rounds=3)
    assert [(cost.format, cost.what) for cost in costs] == [
        (picture_format, what)
        for picture_format in PixelFormat
        for what in ("detection input", "grey chip", "colour chip")
    ]
    assert all(cost.native_ms > 0 and cost.through_bgr_ms > 0 for cost in costs)


def test_the_table_has_a_line_for_each_size_and_format():
    costs = [
        Cost(size, picture_format, what, 0.25, 1.5)
        for size in ("640x480", "1280x720")
        for picture_format in (PixelFormat.GREY, PixelFormat.I420)
        for what in ("a chip", "an input")
    ]
    assert table(costs).splitlines() == [
        "| frame | format | a chip | an input |",
        "| --- | --- | --- | --- |",
        "| 640×480 | grey | 0.250 / 1.500 | 0.250 / 1.500 |",
        "| 640×480 | I420 | 0.250 / 1.500 | 0.250 / 1.500 |",
        "| 1280×720 | grey | 0.250 / 1.500 | 0.250 / 1.500 |",
        "| 1280×720 | I420 | 0.250 / 1.500 | 0.250 / 1.500 |",
    ]


def test_no_rounds_are_refused(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        main(["--rounds", "0"])
    assert "1 or more; found 0" in capsys.readouterr().err
