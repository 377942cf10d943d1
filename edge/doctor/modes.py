"""Who may read a file, by its permission bits."""

import os
import stat
from pathlib import Path
from typing import Final

OTHERS: Final = 0o077
"""Bits of everybody but the owner."""


def mode(path: Path) -> int:
    """Permission bits; none where there is no such file to be seen, or on a system without them."""
    try:
        return stat.S_IMODE(path.stat().st_mode) if os.name == "posix" else 0
    except OSError:
        return 0


def told(path: Path) -> str:
    """The same for people."""
    return f"{path} has mode {mode(path):04o}"
