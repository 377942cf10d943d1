"""What all benchmarks share: the clips, loaded once, and the machine they ran on."""

from typing import Any

import msgspec
import pytest

from benchmarks.clips import clips
from edge.bench.clip import load_clip
from edge.bench.whole import Bench
from edge.machine import describe

FRAMES = 150


@pytest.fixture(scope="session", params=sorted(clips()))
def bench(request: pytest.FixtureRequest) -> Bench:
    """The runtime's parts on one of the clips."""
    return Bench(load_clip(clips()[request.param], FRAMES))


def pytest_benchmark_update_machine_info(machine_info: dict[str, Any]) -> None:
    """Our description goes into the JSON beside pytest-benchmark's."""
    machine_info["emotion_edge"] = msgspec.to_builtins(describe())
