"""Programs that some tests need."""

import os
import shutil
from pathlib import Path

import pytest


def require_tool(name: str, how_to_get_it: str) -> Path:
    """The path of a program the test needs; without it the test is skipped, but fails where CI promises to have it."""
    found = shutil.which(name)
    if found is not None:
        return Path(found)
    reason = f"needs {name}: {how_to_get_it}"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
