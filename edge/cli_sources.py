"""`emotion-edge sources`: which cameras are there, what they offer, and the URI to use for each."""

import argparse
from itertools import groupby
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from edge.sources.cameras import Camera, Survey
    from edge.sources.v4l2_modes import Mode


def add_sources(parser: argparse.ArgumentParser) -> None:
    """Declare the command."""
    parser.add_argument("--json", action="store_true", help="print them as JSON")
    parser.set_defaults(command=_sources)


def _sources(arguments: argparse.Namespace) -> int:
    from edge.sources.cameras import survey  # noqa: PLC0415  # keeps the parser from loading OpenCV

    found = survey()
    if arguments.json:
        print(msgspec.json.format(msgspec.json.encode(found)).decode())
    else:
        print("\n".join(page(found)))
    return 0


def page(found: "Survey") -> list[str]:
    """The lines that a person reads."""
    lines = []
    for camera in found.cameras:
        lines += [*_camera(camera), ""]
    if not found.cameras:
        lines += ["No camera was found.", ""]
    if found.notes:
        lines += [*(f"- {note}" for note in found.notes), ""]
    if found.auto == "demo":
        lines.append("`emotion-edge run` (--source auto) would show the demo, people drawn by code.")
    else:
        lines.append(f"`emotion-edge run` (--source auto) would try {found.auto} first.")
    return lines


def _camera(camera: "Camera") -> list[str]:
    about = ", ".join(part for part in (camera.driver, camera.bus) if part)
    lines = [f"{camera.name} ({about})" if about else camera.name, f"    --source {camera.uri}"]
    if camera.link:
        lines.append(f"    --source v4l2:{camera.link}   (stays the same when it is plugged in anew)")
    if camera.used_by:
        lines.append(f"    in use by {', '.join(camera.used_by)}; stop that first")
    for code, modes in groupby(camera.modes, key=lambda mode: mode.format):
        lines.append(f"    {code}: " + ", ".join(_mode(mode) for mode in modes))
    return lines


def _mode(mode: "Mode") -> str:
    size = f"{mode.width}x{mode.height}"
    return f"{size} at " + "/".join(f"{fps:g}" for fps in mode.fps) if mode.fps else size
