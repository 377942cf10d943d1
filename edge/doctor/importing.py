"""Imports a library that may not work, and says why it does not."""

import importlib
from types import ModuleType
from typing import Final

BROKEN: Final = (ImportError, ValueError, RuntimeError, AttributeError, SystemError, TypeError, OSError)
"""What the import of a library ends with that does not fit its surroundings."""


def imported(module: str) -> ModuleType | str:
    """The module, or why there is none."""
    try:
        return importlib.import_module(module)
    except BROKEN as error:
        lines = str(error).strip().splitlines()
        return f"{type(error).__name__}: {lines[0][:200] if lines else 'no message'}"
