"""Each stage alone, and whole frames, at 640×480."""

from typing import Any

import pytest

from edge.bench import Bench, Spent, timing

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
    state = {"index": 0}
    floors: list[int] = []
    last: list[Spent] = []

    def setup() -> tuple[tuple[int], dict[str, Any]]:
        if last:
            floors.append(bench.floor(state["index"], last.pop()))
        state["index"] += 1
        return (state["index"],), {}

    benchmark.pedantic(lambda index: last.append(bench.whole(index)), setup=setup, rounds=600, warmup_rounds=20)
    floor = timing(floors[-600:])
    benchmark.extra_info.update(percentiles(benchmark))
    mean_ms = benchmark.stats.stats.mean * 1e3
    benchmark.extra_info.update(
        clip=bench.clip.name,
        detector=bench.detector.name,
        interval=bench.config.detector.interval,
        fps=round(1e3 / mean_ms, 1),
        floor_mean_ms=floor.mean_ms,
        floor_p50_ms=floor.p50_ms,
        ratio_to_floor=round(mean_ms / floor.mean_ms, 3),
    )
    assert floor.mean_ms > 0


def percentiles(benchmark: Any) -> dict[str, float]:
    """p50, p95 and p99 in ms."""
    spent = timing([round(seconds * 1e9) for seconds in benchmark.stats.stats.data])
    return {"p50_ms": spent.p50_ms, "p95_ms": spent.p95_ms, "p99_ms": spent.p99_ms}
