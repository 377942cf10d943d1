"""What may spoil figures: heat, throttling, other work. Asked before and after."""

import os
from pathlib import Path

import msgspec

from edge.bench.energy import Ask, ask_firmware
from edge.bench.readings import number_of, text_of
from edge.thermal import FIRMWARE, FLAGS, SYSFS, Thermometer

CPU = "devices/system/cpu"
BUSY_LOAD = 0.5
"""Of others: from here on figures are a busy machine's."""
HOT_C = 80.0
"""Raspberry Pis slow down from here on."""


class Conditions(msgspec.Struct, frozen=True):
    """At one moment.

    Attributes:
        load: one-minute load average; None where unknown.
        temperature_c: of the processor, None where unknown.
        governor: of the first core's frequency, empty where unknown.
        frequency_mhz: of the first core, None where unknown.
        throttled: what a Raspberry Pi's firmware says of now; None where there is no such firmware.
        was_throttled: what it says of the time since it was switched on, now included.
        throttle_events: how often an x86 processor slowed itself down, all cores, since it was switched on; None where
            it does not count.
        free_mib: memory that is to be had; None where unknown.
    """

    load: float | None = None
    temperature_c: float | None = None
    governor: str = ""
    frequency_mhz: float | None = None
    throttled: tuple[str, ...] | None = None
    was_throttled: tuple[str, ...] | None = None
    throttle_events: int | None = None
    free_mib: float | None = None

    def text(self) -> str:
        """A line for people."""
        said = [
            "" if self.load is None else f"load {self.load:.2f}",
            "temperature unknown" if self.temperature_c is None else f"{self.temperature_c:.0f} °C",
            f"governor {self.governor}" if self.governor else "",
            "" if self.frequency_mhz is None else f"{self.frequency_mhz:.0f} MHz",
            "" if self.throttled is None else f"throttling: {', '.join(self.throttled) or 'none'}",
            f"since it was switched on: {', '.join(self.was_throttled)}" if self.was_throttled else "",
            "" if self.free_mib is None else f"{self.free_mib:.0f} MiB free",
        ]
        return ", ".join(filter(None, said))


def look(sysfs: Path = SYSFS, proc: Path = Path("/proc"), ask: Ask = ask_firmware) -> Conditions:
    """Conditions now.

    Args:
        sysfs: where /sys is mounted.
        proc: where /proc is.
        ask: a Pi's firmware, where the kernel does not tell.
    """
    bits = _firmware_bits(sysfs, ask)
    counts = [number_of(path) for path in sysfs.glob(f"{CPU}/cpu[0-9]*/thermal_throttle/core_throttle_count")]
    khz = number_of(sysfs / CPU / "cpu0/cpufreq/scaling_cur_freq")
    return Conditions(
        load=round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        temperature_c=Thermometer(sysfs)().temperature_c,
        governor=text_of(sysfs / CPU / "cpu0/cpufreq/scaling_governor"),
        frequency_mhz=None if khz is None else khz / 1000,
        throttled=None if bits is None else _flags(bits),
        was_throttled=None if bits is None else _flags(bits >> 16 | bits),
        throttle_events=sum(count or 0 for count in counts) if counts else None,
        free_mib=_free_mib(text_of(proc / "meminfo")),
    )


def doubts(before: Conditions, after: Conditions) -> tuple[str, ...]:
    """Why the figures between the two may be worse than the machine can do, for people."""
    found = []
    if before.load is not None and before.load > BUSY_LOAD:
        found.append(f"other programs were at work before it began (load {before.load:.2f}); end them")
    hottest = max((c.temperature_c for c in (before, after) if c.temperature_c is not None), default=0.0)
    if hottest >= HOT_C:
        found.append(f"the processor was at {hottest:.0f} °C; cool it better")
    slowed = dict.fromkeys((*(before.throttled or ()), *(after.throttled or ())))
    risen = [flag for flag in after.was_throttled or () if flag not in (before.was_throttled or ())]
    slowed.update(dict.fromkeys(risen))
    if slowed:
        found.append(f"the firmware held the processor back: {', '.join(slowed)}; look at supply and cooling")
    if (after.throttle_events or 0) > (before.throttle_events or 0):
        found.append(
            f"the processor slowed itself down {(after.throttle_events or 0) - (before.throttle_events or 0)} times "
            "meanwhile; cool it better"
        )
    if before.governor != after.governor:
        found.append(f"the governor changed from {before.governor} to {after.governor}")
    return tuple(found)


def _firmware_bits(sysfs: Path, ask: Ask) -> int | None:
    """What a Pi's firmware says of throttling: by the kernel, else by the firmware's own program."""
    told = next((text_of(path) for place in FIRMWARE for path in sysfs.glob(f"{place}/get_throttled")), "")
    if not told:
        told = (ask("get_throttled") or "").strip().rpartition("=")[2]  # throttled=0x50000
    try:
        return int(told, 16)
    except ValueError:
        return None


def _flags(bits: int) -> tuple[str, ...]:
    return tuple(flag for bit, flag in enumerate(FLAGS) if bits >> bit & 1)


def _free_mib(meminfo: str) -> float | None:
    for line in meminfo.splitlines():
        if line.startswith("MemAvailable:"):
            return round(int(line.split()[1]) / 1024, 1)
    return None
