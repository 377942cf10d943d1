"""Energy, where the machine can tell: Intel's and AMD's RAPL counters, or the power chip of a Raspberry Pi 5."""

import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from edge.bench.readings import number_of, text_of
from edge.thermal import SYSFS

VCGENCMD = "vcgencmd"
COMMAND_TIMEOUT_S = 5.0
SAMPLE_S = 0.5
"""Asking the power chip starts a process each time."""

Ask = Callable[[str], str | None]
"""Gives what `vcgencmd` answers to a word; None where there is no such program."""


class Meter(Protocol):
    """Tells the energy of a span of time, for the whole board or processor.

    Attributes:
        name: for people.
    """

    name: str

    def begin(self) -> None:
        """The span begins."""

    def end(self) -> float:
        """Joules of the span, which ends."""


class Rapl:
    """The processor's own counters. Up to the processor's edge: no memory chips, no disk, no radio."""

    name = "RAPL, processor packages"

    def __init__(self, packages: list[Path]) -> None:
        """`packages`: a folder of /sys/class/powercap for each, readable."""
        self._packages = packages
        self._ranges_uj = [number_of(package / "max_energy_range_uj") or 0 for package in packages]
        self._first_uj = self._read()

    def begin(self) -> None:
        """See `Meter`."""
        self._first_uj = self._read()

    def end(self) -> float:
        """See `Meter`."""
        total_uj = 0
        for first, last, most in zip(self._first_uj, self._read(), self._ranges_uj, strict=True):
            total_uj += last - first if last >= first else last - first + most  # it began again at 0
        return total_uj / 1e6

    def _read(self) -> list[int]:
        return [number_of(package / "energy_uj") or 0 for package in self._packages]


class PowerChip:
    """Watts of all the rails of a Pi 5, asked again and again on a thread of its own. Without what hangs on USB."""

    name = "power chip of the Raspberry Pi 5, all rails"

    def __init__(self, ask: Ask, sample_s: float = SAMPLE_S, clock_s: Callable[[], float] = time.monotonic) -> None:
        """`ask`: the firmware."""
        self._ask = ask
        self._sample_s = sample_s
        self._clock_s = clock_s

    def begin(self) -> None:
        """See `Meter`."""
        self._watts: list[float] = []
        self._stop = threading.Event()
        self._began_s = self._clock_s()
        self._thread = threading.Thread(target=self._watch, name="power", daemon=True)
        self._thread.start()

    def end(self) -> float:
        """See `Meter`."""
        seconds = self._clock_s() - self._began_s
        self._stop.set()
        self._thread.join()
        return seconds * sum(self._watts) / len(self._watts) if self._watts else 0.0

    def _watch(self) -> None:
        while True:
            watts = watts_of(self._ask("pmic_read_adc") or "")
            if watts is not None:
                self._watts.append(watts)
            if self._stop.wait(self._sample_s):
                return


def find_meter(ask: Ask, powercap: Path = SYSFS / "class/powercap") -> tuple[Meter | None, str]:
    """The best meter of this machine, or why there is none.

    Args:
        ask: the firmware of a Pi.
        powercap: where Linux has RAPL.
    """
    packages = [zone for zone in sorted(powercap.glob("*-rapl:*")) if text_of(zone / "name").startswith("package")]
    readable = [package for package in packages if number_of(package / "energy_uj") is not None]
    if packages and len(readable) == len(packages):
        return Rapl(packages), ""
    if packages:
        return None, f"only root may read {packages[0] / 'energy_uj'}; `sudo chmod a+r` it until the next start"
    if watts_of(ask("pmic_read_adc") or "") is not None:
        return PowerChip(ask), ""
    return None, "neither RAPL (/sys/class/powercap) nor the power chip of a Raspberry Pi 5 is here"


def watts_of(answer: str) -> float | None:
    """Sum over all rails of ampere by volt, from what `vcgencmd pmic_read_adc` prints; None: nothing of the kind.

    https://www.raspberrypi.com/documentation/computers/os.html#vcgencmd
    """
    amperes: dict[str, float] = {}
    volts: dict[str, float] = {}
    for line in answer.splitlines():
        rail, _, rest = line.strip().partition(" ")
        _, equals, value = rest.partition("=")
        if not equals:
            continue
        try:
            number = float(value.rstrip("AV"))
        except ValueError:
            continue
        name, _, kind = rail.rpartition("_")
        (amperes if kind == "A" else volts)[name] = number
    rails = amperes.keys() & volts.keys()
    return sum(amperes[rail] * volts[rail] for rail in rails) if rails else None


def ask_firmware(word: str) -> str | None:
    """What `vcgencmd` answers; None where it is not there, or refuses."""
    try:
        result = subprocess.run(
            [VCGENCMD, word], capture_output=True, text=True, timeout=COMMAND_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return None if result.returncode else result.stdout
