"""What is looked at in an emulated userland of a Raspberry Pi: versions, faces, a run, the doctor."""

import json
import subprocess
import tempfile
import threading
import time
import urllib.request

import cv2
import numpy as np

from tests.elsewhere import Place
from tests.stages.arm64_cell import Faces, Watched

FRAMES = 2
START_S = 240.0
SOURCE = "demo:?fps=2"
"""Emulated, what draws thirty a second would leave the analysis no time."""
DURATION_S = 45.0
"""Of the run: emulated, a scene takes seconds."""
ASK_EVERY_S = 2.0
DOCTOR_S = 600.0

_VERSIONS = """
import importlib.metadata, json, platform
names = ("numpy", "opencv-python-headless", "ai-edge-litert", "aiohttp")
print(json.dumps([platform.python_version(), *map(importlib.metadata.version, names)]))
"""

_DETECT = f"""
import json, time
from edge.config import DetectorConfig
from edge.parts import build_detector
from edge.sources import open_source

source = open_source("demo:?realtime=0&fps=1&faces=3", clock=time.monotonic_ns, sleep=time.sleep)
detector, _ = build_detector(DetectorConfig(name="auto"))
corners = lambda box: [round(float(value), 4) for value in (box.x, box.y, box.w, box.h)]
found, drawn = [], []
for t_s in range({FRAMES}):
    found.append(sorted(corners(face.box) for face in detector.detect(source.read(1.0))))
    drawn.append(sorted(corners(face.box) for face in source.script.at(float(t_s))))
print(json.dumps({{"detector": detector.name, "found": found, "drawn": drawn}}))
"""


def versions(place: Place) -> tuple[str, ...]:
    """See `Cell.versions`."""
    return tuple(json.loads(place.run("-c", _VERSIONS).splitlines()[-1]))


def look(place: Place) -> Faces:
    """What the detector finds there."""
    said = json.loads(place.run("-c", _DETECT).splitlines()[-1])
    found, drawn = (tuple(tuple(map(tuple, frame)) for frame in said[name]) for name in ("found", "drawn"))
    return Faces(said["detector"], found, drawn)


def watch(place: Place) -> Watched:
    """Run on the demo for a while, and take a snapshot as soon as there are faces."""
    arguments = ("run", "--source", SOURCE, "--port", "0", "--duration", str(DURATION_S), "--log-format", "json")
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(
            [*place.python, "-m", "edge", *arguments],
            env={"HOME": "/tmp", **place.environment},
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        too_late = threading.Timer(START_S + DURATION_S, process.kill)
        too_late.start()
        try:
            assert process.stdout is not None
            words = process.stdout.readline().split()
            picture, faces = _snapshot(words[1], process) if len(words) > 1 else (None, 0)
            process.stdout.read()
            code = process.wait()
        finally:
            too_late.cancel()
            process.kill()
            process.wait()
        log.seek(0)
        text = log.read()
    events = {entry["event"]: entry for entry in map(_entry, text.splitlines()) if entry}
    ended = events.get("run.ended", {})
    xnnpack = bool(events.get("runtime.chosen", {}).get("xnnpack"))
    return Watched(picture, faces, xnnpack, ended.get("scenes", 0), ended.get("with_faces", 0), code, text)


def doctor(place: Place) -> dict[str, tuple[str, ...]]:
    """Codes of what the doctor finds there, by severity; whatever its verdict."""
    code = (
        "import runpy, sys; sys.argv[1:] = ['doctor', '--json']\ntry: runpy.run_module('edge', run_name='__main__')\n"
    )
    said = json.loads(place.run("-c", f"{code}except SystemExit: pass\n", timeout_s=DOCTOR_S))
    found: dict[str, tuple[str, ...]] = {}
    for finding in said["findings"]:
        found[finding["severity"]] = (*found.get(finding["severity"], ()), finding["code"])
    return found


def _snapshot(url: str, process: subprocess.Popen[str]) -> tuple[tuple[int, int] | None, int]:
    """Width and height in px, and how many faces there were; None if the program ended before there were any."""
    while process.poll() is None:
        try:
            faces = int(json.loads(_get(f"{url}state"))["faces"])
            if faces:
                picture = cv2.imdecode(np.frombuffer(_get(f"{url}snapshot.jpg"), np.uint8), cv2.IMREAD_COLOR)
                return (picture.shape[1], picture.shape[0]), faces
        except OSError:  # it has just ended
            break
        time.sleep(ASK_EVERY_S)
    return None, 0


def _get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=DURATION_S) as answer:
        return bytes(answer.read())


def _entry(line: str) -> dict[str, object]:
    try:
        entry = json.loads(line)
    except ValueError:
        return {}
    return entry if isinstance(entry, dict) and "event" in entry else {}
