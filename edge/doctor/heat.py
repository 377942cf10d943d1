"""Whether the machine has the power it needs, and is cool enough."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from edge.doctor.findings import Finding
from edge.doctor.world import World
from edge.thermal import FIRMWARE, FLAGS, SLOWING, Thermometer

_UNDER_VOLTAGE: Final = "under-voltage"
_SOFT: Final = "soft temperature limit"
_EARLIER: Final = 16
"""Bits from here on are of the time since the start."""


def check(world: World) -> Iterator[Finding]:
    """Now, and since the start."""
    sysfs = world.path(world.settings.sysfs)
    heat = Thermometer(sysfs)()
    limit = world.settings.max_temperature_c
    warm = "temperature unknown" if heat.temperature_c is None else f"{heat.temperature_c:.0f} °C"
    found = ", ".join((warm, *heat.throttled))
    codes = []
    if _UNDER_VOLTAGE in heat.throttled:
        codes.append("under-voltage")
    if any(flag in SLOWING for flag in heat.throttled):
        codes.append("throttled")
    if _SOFT in heat.throttled:
        codes.append("soft-temperature-limit")
    if heat.temperature_c is not None and limit and heat.temperature_c >= limit:
        codes.append("too-hot")
    for code in codes:
        yield world.finding(code, found, limit=f"{limit:g}")
    earlier = _earlier(sysfs)
    if earlier and not codes:
        codes.append("throttled-earlier")
        yield world.finding("throttled-earlier", f"{warm} now; since the start: {', '.join(earlier)}")
    if not codes:
        yield world.finding("heat-ok", found)


def _earlier(sysfs: Path) -> tuple[str, ...]:
    """Flags that a Pi's firmware has raised since the start."""
    for place in FIRMWARE:
        for file in sysfs.glob(f"{place}/get_throttled"):
            try:
                bits = int(file.read_text(encoding="utf-8", errors="replace"), 16) >> _EARLIER
            except (OSError, ValueError):
                continue
            return tuple(flag for bit, flag in enumerate(FLAGS) if bits >> bit & 1)
    return ()
