"""What machine a figure was measured on. Figures of different machines are not comparable."""

import importlib.metadata
import os
import platform
import sys
from pathlib import Path
from typing import NamedTuple

import cv2
import msgspec
import numpy as np

from edge import __version__
from edge.thermal import Thermometer

ARM_CORES = {
    "0xd03": "Cortex-A53",
    "0xd04": "Cortex-A35",
    "0xd05": "Cortex-A55",
    "0xd07": "Cortex-A57",
    "0xd08": "Cortex-A72",
    "0xd09": "Cortex-A73",
    "0xd0a": "Cortex-A75",
    "0xd0b": "Cortex-A76",
    "0xd0c": "Neoverse-N1",
    "0xd0d": "Cortex-A77",
    "0xd40": "Neoverse-V1",
    "0xd41": "Cortex-A78",
    "0xd44": "Cortex-X1",
    "0xd49": "Neoverse-N2",
    "0xd4f": "Neoverse-V2",
}
"""Arm's own part numbers, as /proc/cpuinfo has them in place of a name."""
ARM_IMPLEMENTER = "0x41"
MEMORY_GIB = (0.5, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024)
"""Sizes that are sold: what the kernel and the graphics leave of them differs a little from one system to the next."""
RUNTIMES = ("ai-edge-litert", "tflite-runtime")


class Identity(NamedTuple):
    """What two runs must have in common to be of the same kind of machine.

    Attributes:
        board: of a Raspberry Pi and its like; empty elsewhere.
        cpu: model name.
        arch: `x86_64`, `aarch64` …
        cores: usable.
        memory: in GiB, as sold.
    """

    board: str
    cpu: str
    arch: str
    cores: int
    memory: float


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
        os_name: of the distribution, empty where unknown.
        kernel: version.
        tflite: the runtimes that are installed, with their versions.
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
    os_name: str = ""
    kernel: str = ""
    tflite: str = ""

    @property
    def name(self) -> str:
        """The shortest that says what it is."""
        return self.board or self.cpu or self.arch

    @property
    def identity(self) -> Identity:
        """What kind of machine this is."""
        gib = self.memory_mb / 1024
        sold = next((size for size in MEMORY_GIB if size >= gib), float(round(gib)))
        return Identity(self.board, self.cpu, self.arch, self.cores, sold)


def describe() -> Machine:
    """The machine at hand, now."""
    return Machine(
        board=_text("/proc/device-tree/model").strip("\0"),
        cpu=cpu_name(_text("/proc/cpuinfo")) or platform.processor(),
        arch=platform.machine(),
        cores=cores(),
        memory_mb=_memory_mb(),
        governor=_text("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        temperature_c=Thermometer()().temperature_c,
        load=round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        system=platform.platform(),
        python=sys.version.split()[0],
        opencv=cv2.__version__,
        numpy=np.__version__,
        emotion_edge=__version__,
        os_name=_os_name(),
        kernel=platform.release(),
        tflite=", ".join(_installed()),
    )


def cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def cpu_name(cpuinfo: str) -> str:
    """The processor's name, from Linux's /proc/cpuinfo; on Arm from its part numbers. Empty where it says nothing."""
    fields: dict[str, list[str]] = {}
    for line in cpuinfo.splitlines():
        key, _, value = line.partition(":")
        fields.setdefault(key.strip(), []).append(value.strip())
    for key in ("model name", "Hardware"):
        if key in fields:
            return fields[key][0]
    if ARM_IMPLEMENTER not in fields.get("CPU implementer", ()):
        return ""
    parts = dict.fromkeys(fields.get("CPU part", ()))  # of a processor with large and small cores both
    return " + ".join(ARM_CORES.get(part, f"Arm {part}") for part in parts)


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _memory_mb() -> int:
    for line in _text("/proc/meminfo").splitlines():
        if line.startswith("MemTotal:"):
            return int(line.split()[1]) // 1024
    return 0


def _os_name() -> str:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", "")
    except OSError:
        return ""


def _installed() -> list[str]:
    found = []
    for distribution in RUNTIMES:
        try:
            found.append(f"{distribution} {importlib.metadata.version(distribution)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
