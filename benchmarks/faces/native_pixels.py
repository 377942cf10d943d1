"""What it costs to feed the networks: from a frame's own format, and through the whole frame made BGR."""

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence

import cv2
import msgspec
import numpy as np

from edge.contract.chip import ChipSpec, cut_placed
from edge.contract.native import cut_frame
from edge.contract.placement import Placement
from edge.detectors.letterbox import letterbox_into
from edge.sources.demo import DemoSource
from edge.sources.specs import DemoSpec
from edge.types import Frame, PixelFormat, Pixels

SIZES = ("640x480", "1280x720", "1920x1080")
INPUT_PX = 192
"""Of the default detector."""
FACE = 0.25
"""Side of the face's square, in heights of the frame."""
PICTURES = 5
"""Taken in turn, so that a picture is not in the processor's cache because it was there before."""
WARM_UP = 5

GREY_CHIP, RGB_CHIP = ChipSpec(48, 1), ChipSpec(48, 3)


class Cost(msgspec.Struct, frozen=True):
    """What one thing costs, median of all rounds.

    Attributes:
        size: of the frames, "640x480".
        format: of the frames.
        what: is made.
        native_ms: as the program makes it.
        through_bgr_ms: from the whole frame, converted to BGR first.
    """

    size: str
    format: PixelFormat
    what: str
    native_ms: float
    through_bgr_ms: float


def measure(sizes: Sequence[str] = SIZES, rounds: int = 300) -> tuple[Cost, ...]:
    """Measure all sizes and formats, both ways in turn, on one thread."""
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)  # as the program does
    try:
        return tuple(cost for size in sizes for cost in _measure(size, rounds))
    finally:
        cv2.setNumThreads(threads)


def _measure(size: str, rounds: int) -> Iterator[Cost]:
    source = DemoSource(DemoSpec(size=size, realtime=False), time.monotonic_ns, time.sleep)
    drawn = [source.draw(index / 3) for index in range(PICTURES)]
    height, width = drawn[0].shape[:2]
    place = Placement(width / 3, height / 2, FACE * height)
    for picture_format in PixelFormat:
        pictures = [_in_format(bgr, picture_format) for bgr in drawn]
        for what, ways in _ways(place).items():
            spent: tuple[list[int], list[int]] = ([], [])
            for index in range(rounds + WARM_UP):
                # each way is as often the first
                for turn, which in enumerate((0, 1) if index % 2 else (1, 0)):
                    # a frame as it arrives: nobody has converted it yet
                    frame = Frame(index, 0, pictures[(2 * index + turn) % PICTURES], picture_format)
                    started = time.perf_counter_ns()
                    ways[which](frame)
                    spent[which].append(time.perf_counter_ns() - started)
            own_ms, bgr_ms = (float(np.median(times[WARM_UP:])) / 1e6 for times in spent)
            yield Cost(size, picture_format, what, own_ms, bgr_ms)


def _ways(place: Placement) -> dict[str, tuple[Callable[[Frame], object], Callable[[Frame], object]]]:
    target = np.zeros((INPUT_PX, INPUT_PX, 3), np.float32)

    def input_through_bgr(frame: Frame) -> None:
        _ = frame.bgr  # made here, and taken by the next line
        letterbox_into(frame, target)

    return {
        "detection input": (lambda frame: letterbox_into(frame, target), input_through_bgr),
        "grey chip": (
            lambda frame: cut_frame(frame, place, GREY_CHIP),
            lambda frame: cut_placed(frame.bgr, place, GREY_CHIP),
        ),
        "colour chip": (
            lambda frame: cut_frame(frame, place, RGB_CHIP),
            lambda frame: cut_placed(frame.bgr, place, RGB_CHIP),
        ),
    }


def _in_format(bgr: Pixels, picture_format: PixelFormat) -> Pixels:
    match picture_format:
        case PixelFormat.BGR:
            return bgr
        case PixelFormat.GREY:
            return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY), np.uint8)
        case PixelFormat.I420:
            return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2YUV_I420), np.uint8)


def table(costs: Sequence[Cost]) -> str:
    """Markdown: one line for each size and format; milliseconds, own format / through BGR."""
    whats = list(dict.fromkeys(cost.what for cost in costs))
    lines = [f"| frame | format | {' | '.join(whats)} |", f"| --- | --- |{' --- |' * len(whats)}"]
    for size, picture_format in dict.fromkeys((cost.size, cost.format) for cost in costs):
        cells = [
            f"{cost.native_ms:.3f} / {cost.through_bgr_ms:.3f}"
            for cost in costs
            if (cost.size, cost.format) == (size, picture_format)
        ]
        name = picture_format.value if picture_format is PixelFormat.GREY else picture_format.value.upper()
        lines.append(f"| {size.replace('x', '×')} | {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faces.native_pixels", description=__doc__)
    parser.add_argument("--rounds", type=int, default=300, help="calls of each kind (default 300)")
    arguments = parser.parse_args(argv)
    if arguments.rounds < 1:
        parser.error(f"--rounds is a number of calls, 1 or more; found {arguments.rounds}")
    print("Median milliseconds, from the frame's own format / through the whole frame as BGR:\n")
    print(table(measure(rounds=arguments.rounds)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
