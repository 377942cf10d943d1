"""Each stage alone, and whole frames, at 640×480."""

import itertools
from typing import Any

import pytest

from edge.bench.whole import Bench, timing, typical_ns

STAGES = (
    "decode",
    "detect",
    "detector invoke",
    "chip",
    "classify",
    "classifier invoke",
    "draw",
    "encode",
)


@pytest.mark.benchmark(group="stage")
@pytest.mark.parametrize("stage", STAGES)
def test_stage(benchmark: Any, bench: Bench, stage: str) -> None:
    """One stage, called again and again on a frame with a face."""
    calls = bench.stages()
    if stage not in calls:
        pytest.skip(f"the detector {bench.detector.name} has no stage {stage!r}")
    benchmark.extra_info["clip"] = bench.clip.name
    benchmark.pedantic(calls[stage], rounds=200, warmup_rounds=20)
    benchmark.extra_info.update(percentiles(benchmark))


@pytest.mark.benchmark(group="whole frame")
def test_whole_frame(benchmark: Any, bench: Bench) -> None:
    """Decode, analyse, draw, encode, publish: consecutive frames of the clip, each followed by its floor."""
    rounds, warm = 600, 20
    mixes = bench.mixes(rounds + warm + 1)
    indices = itertools.count()
    floors: list[int] = []

    def setup() -> tuple[tuple[int], dict[str, Any]]:
        index = next(indices)
        floors.append(bench.floor(index, mixes[index]))
        return (index,), {}

    benchmark.pedantic(bench.whole, setup=setup, rounds=rounds, warmup_rounds=warm)
    floor = timing(floors[-rounds:])
    wholes = [round(seconds * 1e9) for seconds in benchmark.stats.stats.data]
    kinds = mixes[len(floors) - rounds : len(floors)]
    benchmark.extra_info.update(percentiles(benchmark))
    benchmark.extra_info.update(
        clip=bench.clip.name,
        detector=bench.detector.name,
        interval=bench.config.detector.interval,
        fps=round(1e9 / typical_ns(wholes, kinds), 1),
        floor_p50_ms=floor.p50_ms,
        floor_p95_ms=floor.p95_ms,
        ratio_to_floor=round(typical_ns(wholes, kinds) / typical_ns(floors[-rounds:], kinds), 3),
    )
    assert floor.mean_ms > 0


def percentiles(benchmark: Any) -> dict[str, float]:
    """p50, p95 and p99 in ms."""
    spent = timing([round(seconds * 1e9) for seconds in benchmark.stats.stats.data])
    return {"p50_ms": spent.p50_ms, "p95_ms": spent.p95_ms, "p99_ms": spent.p99_ms}
