"""How hot the processor is, and what a Raspberry Pi's firmware does about it: both from Linux's /sys."""

from dataclasses import dataclass
from pathlib import Path

SYSFS = Path("/sys")

PROCESSOR_ZONES = ("x86_pkg_temp", "cpu-thermal", "cpu_thermal", "soc-thermal", "soc_thermal")
"""Types of the zones that are the processor's. Others are the battery's or the radio's, or always say the same."""
COLDEST_C, HOTTEST_C = -40.0, 150.0
"""A sensor that says more or less is broken."""

FLAGS = ("under-voltage", "frequency capped", "throttled", "soft temperature limit")
"""What bits 0 to 3 of `get_throttled` say of now; from bit 16 on they say it of the time since the start.
https://www.raspberrypi.com/documentation/computers/os.html#vcgencmd"""
SLOWING = ("frequency capped", "throttled")
"""Those that cost much. The soft limit is everyday life on a Pi 3B+: from 60 °C on, at 1.2 instead of 1.4 GHz."""
FIRMWARE = ("devices/platform/soc/soc:firmware", "devices/platform/soc@*/soc@*:firmware")
"""Where `get_throttled` is: up to the Pi 4, and on the Pi 5, whose device tree gives `soc` an address."""


@dataclass(frozen=True, slots=True)
class Heat:
    """Now.

    Attributes:
        temperature_c: of the processor, in °C; None where unknown.
        throttled: which of `FLAGS` a Pi's firmware has raised; empty where there is no such firmware.
    """

    temperature_c: float | None = None
    throttled: tuple[str, ...] = ()


class Thermometer:
    """Knows the sensors of this machine. Reading them takes a fraction of a millisecond."""

    def __init__(self, sysfs: Path = SYSFS) -> None:
        """Look for the sensors, once.

        Args:
            sysfs: where /sys is mounted.
        """
        zones = sorted(sysfs.glob("class/thermal/thermal_zone*"))
        own = [zone for zone in zones if _text(zone / "type") in PROCESSOR_ZONES]
        self._zones = tuple(zone / "temp" for zone in own or zones)
        self._firmware = next((path for place in FIRMWARE for path in sysfs.glob(f"{place}/get_throttled")), None)

    def __call__(self) -> Heat:
        """Ask them."""
        degrees = [c for c in map(_degrees, self._zones) if c is not None]
        return Heat(max(degrees, default=None), _throttled(_text(self._firmware)) if self._firmware else ())


def _degrees(path: Path) -> float | None:
    """°C, from thousandths of one."""
    try:
        found = int(_text(path)) / 1000
    except ValueError:
        return None
    return found if COLDEST_C < found < HOTTEST_C else None


def _throttled(text: str) -> tuple[str, ...]:
    """Flags, from a hexadecimal number."""
    try:
        bits = int(text, 16)
    except ValueError:
        return ()
    return tuple(flag for bit, flag in enumerate(FLAGS) if bits >> bit & 1)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:  # a sensor that sleeps answers with an error
        return ""
