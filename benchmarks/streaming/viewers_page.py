"""The page of `benchmarks.streaming.viewers`, and its part of the report."""

import statistics
from collections.abc import Iterator
from functools import partial

from benchmarks.streaming.crowds import OWN, Crowd, Crowds, Spread
from benchmarks.streaming.fake_camera import QUALITY
from benchmarks.streaming.viewers_picture import draw_processor
from training.reporting.document import Document, Picture, Section, Table, Text

NAME = "streaming"

DOES = """\
What each does in its processor time:

- **emotion-edge** decodes the camera's JPEG (MJPG), looks for faces, reads them, draws on the picture, encodes it once
  for all viewers, and sends. What analysis and drawing cost does not depend on how many watch.
- The **plain server** is Python's `http.server` with a thread for each client, in the manner of picamera2's example. It
  sends the camera's JPEG as it is (MJPG), or encodes each picture (YUYV).
- **ustreamer**, in C, sends the camera's JPEG as it is (MJPG), or encodes each picture (YUYV), whether anybody watches
  or not.

Neither of the other two looks at the pictures, so the processor time of different servers can be compared only in what
one viewer more costs."""

WHY = """\
Why, as `strace -c` and the split into user's and kernel's time tell: emotion-edge makes one system call for each viewer
and picture, and half of what a viewer costs is Python. What one costs ustreamer is nearly all the kernel's time: it
writes each picture in pieces of 16 KiB and asks before each whether it may. The plain server wakes a thread for each
viewer, writes each picture in several parts, and its threads take turns at Python's lock. ustreamer looks for a new
picture at fixed intervals, and hands out one that it encoded (YUYV) when it takes up the next; that shows in the
ages."""


def document(found: Crowds) -> Document:
    """The page before it is written."""
    return Document(NAME, "Many viewers", sections(found), found)


def sections(found: Crowds) -> tuple[Section, ...]:
    """The tables and the picture, and under which conditions they hold."""
    kept = "\n".join(f"- {'kept' if well else '**not kept**'}: {what}" for what, well in found.musts())
    picture = Picture(
        "streaming-processor",
        "Processor time over the number of viewers, of each server, for a camera of JPEGs and one of raw pictures",
        (9, 4.2),
        partial(draw_processor, found=found),
    )
    return (
        Section("Streaming", (Text(_conditions(found)), _crowds(found), picture, Text(DOES))),
        Section("Streaming: one viewer more", (_costs(found), Text("\n".join(_compared(found))), Text(WHY))),
        Section("Streaming: what must hold", (Text(kept),)),
    )


def _conditions(found: Crowds) -> str:
    machine = found.machine
    most = max(found.viewers())
    return (
        "The same pictures for all: a V4L2 camera made of code, 640×480 at 30 pictures a second, three people; one "
        f"delivers JPEGs of quality {QUALITY} (MJPG), another one raw pictures (YUYV). {found.seconds:g} s for each "
        f"number of viewers, {found.rounds} rounds in which the servers take turns, each started anew; {found.stalled} "
        "more viewers that take nothing. Server, viewers and camera in a process each, on one machine: "
        f"{machine.board or machine.cpu or machine.arch} with {machine.cores} cores, load {machine.load} before"
        + (f"; ustreamer {found.ustreamer}" if found.ustreamer else "")
        + ". Medians over the rounds, with the least and the most in brackets. Age in ms: from the camera's drawing "
        "the moment into the picture, its making included, until a viewer had all of it, read off the picture; one "
        f"picture of {most} with {most} viewers. Processor time in hundredths of a core."
        + (f" Left out: {found.left_out}." if found.left_out else "")
    )


def _crowds(found: Crowds) -> Table:
    header = (
        "server, camera, viewers",
        "fps, least",
        "median",
        "age p50",
        "p95",
        "processor",
        "MiB resident",
        "KiB a picture",
        "encodes a scene",
    )
    rows = []
    for server, camera in found.cases():
        for viewers in found.viewers():
            crowds = found.of(server, camera, viewers)
            cpu = Spread.of(100 * crowd.cpu_share for crowd in crowds)
            rows.append(
                (
                    f"{server}, {camera}, {viewers}",
                    f"{min(crowd.least_fps for crowd in crowds):.2f}",
                    f"{_median(crowds, 'median_fps'):.2f}",
                    f"{_median(crowds, 'p50_ms'):.1f}",
                    f"{_median(crowds, 'p95_ms'):.1f}",
                    f"{cpu.median:.1f} ({cpu.least:.1f}–{cpu.most:.1f})",
                    f"{_median(crowds, 'rss_mib'):.1f}",
                    f"{_median(crowds, 'picture_kib'):.1f}",
                    _encodes(crowds),
                )
            )
    return Table(header, tuple(rows))


def _median(crowds: tuple[Crowd, ...], figure: str) -> float:
    return statistics.median(getattr(crowd, figure) for crowd in crowds)


def _encodes(crowds: tuple[Crowd, ...]) -> str:
    every = [crowd.encodes_per_scene for crowd in crowds if crowd.encodes_per_scene is not None]
    return f"{statistics.median(every):.3f}" if every else "–"


def _costs(found: Crowds) -> Table:
    rows = tuple((f"{one}, {camera}", _spread(found.costs(one, camera), 100, 3)) for one, camera in found.cases())
    return Table(("server, camera", "hundredths of a core"), rows)


def _compared(found: Crowds) -> Iterator[str]:
    """A line for each other server: which is cheaper for one viewer more, and by how much."""
    for server, camera in found.cases():
        times = found.times(server, camera) if server != OWN else ()
        if not times:
            continue
        off = abs(1 - statistics.median(times))
        said = f"{off:.0%} less" if max(times) < 1 else f"{off:.0%} more" if min(times) > 1 else "no clear difference"
        yield f"- {camera}: {OWN} pays {_spread(times, 1, 2)} times what {server} pays for one viewer more: {said}."


def _spread(values: tuple[float, ...], factor: float, digits: int) -> str:
    if not values:
        return "–"
    spread = Spread.of(factor * value for value in values)
    return f"{spread.median:.{digits}f} ({spread.least:.{digits}f}–{spread.most:.{digits}f})"
