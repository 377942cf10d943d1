import numpy as np
import pytest

from edge.errors import SourceEnded
from edge.sources.demo import DemoSource
from edge.sources.specs import DemoSpec
from tests.world import World

SMALL = "160x120"


def opened(world: World, **options: object) -> DemoSource:
    return DemoSource(DemoSpec(size=SMALL, **options), world.clock, world.sleep)  # type: ignore[arg-type]


def test_in_lockstep_every_run_is_the_same_to_the_last_bit() -> None:
    world = World()
    runs = [[opened(world, realtime=False).read(1.0) for _ in range(3)] for _ in range(2)]
    for a, b in zip(*runs, strict=True):
        assert np.array_equal(a.pixels, b.pixels)
    assert world.slept_s == []


def test_in_lockstep_time_is_the_films() -> None:
    source = opened(World(), realtime=False, fps=25)
    assert [source.read(1.0).t_ns for _ in range(3)] == [0, 40_000_000, 80_000_000]


def test_live_it_keeps_its_rate() -> None:
    world = World()
    source = opened(world, fps=25)
    frames = [source.read(1.0) for _ in range(5)]
    assert [frame.seq for frame in frames] == [1, 2, 3, 4, 5]
    assert [frame.t_ns - 1_000_000_000 for frame in frames] == [0, 40_000_000, 80_000_000, 120_000_000, 160_000_000]


def test_who_reads_late_sees_the_scene_of_that_moment() -> None:
    world = World()
    source = opened(world, fps=25)
    source.read(1.0)
    world.pass_by(0.4)
    frame = source.read(1.0)
    assert frame.seq == 11
    assert np.array_equal(frame.pixels, source.draw(0.4))


def test_it_ends_when_told() -> None:
    source = opened(World(), realtime=False, fps=10, duration_s=0.5)
    assert [source.read(1.0).seq for _ in range(5)] == [1, 2, 3, 4, 5]
    for _ in range(2):
        with pytest.raises(SourceEnded, match=r"0\.5 s"):
            source.read(1.0)


def test_nobody_may_be_there() -> None:
    source = opened(World(), realtime=False, faces=0)
    assert np.array_equal(source.read(1.0).pixels, source.read(1.0).pixels)


def test_people_move() -> None:
    source = opened(World(), realtime=False, faces=1, fps=1)
    assert not np.array_equal(source.read(1.0).pixels, source.read(1.0).pixels)
