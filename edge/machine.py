"""What machine a figure was measured on. Figures of different machines are not comparable."""

import os
import platform
import sys
from pathlib import Path

import cv2
import msgspec
import numpy as np

from edge import __version__
from edge.thermal import Thermometer


class Machine(msgspec.Struct, frozen=True):
    """A description that fits into a report.

    Attributes:
        board: of a Raspberry Pi, from the device tree; empty elsewhere.
        cpu: model name.
        arch: `x86_64`, `aarch64` …
        cores: this process may use.
        memory_mb: of the whole machine.
        governor: of the first core, empty where unknown.
        temperature_c: of the processor, None where unknown.
        load: one-minute load average before the run: other work on the machine spoils figures.
        system: operating system and kernel.
        python: version.
        opencv: version.
        numpy: version.
        emotion_edge: version.
    """

    board: str
    cpu: str
    arch: str
    cores: int
    memory_mb: int
    governor: str
    temperature_c: float | None
    load: float | None
    system: str
    python: str
    opencv: str
    numpy: str
    emotion_edge: str


def describe() -> Machine:
    """The machine at hand, now."""
    return Machine(
        board=_text("/proc/device-tree/model").strip("\0"),
        cpu=_cpu(),
        arch=platform.machine(),
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        memory_mb=_memory_mb(),
        governor=_text("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        temperature_c=Thermometer()().temperature_c,
        load=round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        system=platform.platform(),
        python=sys.version.split()[0],
        opencv=cv2.__version__,
        numpy=np.__version__,
        emotion_edge=__version__,
    )


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _cpu() -> str:
    for line in _text("/proc/cpuinfo").splitlines():
        key, _, value = line.partition(":")
        if key.strip() in ("model name", "Hardware"):
            return value.strip()
    return platform.processor()


def _memory_mb() -> int:
    for line in _text("/proc/meminfo").splitlines():
        if line.startswith("MemTotal:"):
            return int(line.split()[1]) // 1024
    return 0
