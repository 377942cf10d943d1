"""Every code the doctor knows: how bad it is, what it means and what to do. Data only; the manual is made from it."""

from typing import Final

from edge.doctor import codes_device, codes_service, codes_software
from edge.doctor.entries import Entry

ENTRIES: Final[tuple[Entry, ...]] = (*codes_software.ENTRIES, *codes_device.ENTRIES, *codes_service.ENTRIES)

TABLE: Final[dict[str, Entry]] = {entry.code: entry for entry in ENTRIES}
"""By code."""
