"""The real pictures, clips and tables, where they are at hand."""

import os
from pathlib import Path

import pytest

VARIABLE = "EMOTION_EDGE_DATA"


def real_data(*parts: str) -> Path:
    """A path below the folder of real data; the test is skipped where it is absent."""
    root = Path(os.environ.get(VARIABLE) or Path(__file__).parents[2] / "shared" / "data")
    path = root.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"needs the real data {path}; {VARIABLE} names its folder")
    return path
