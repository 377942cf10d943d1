"""Which frames are wanted, and who wants them."""

import numpy as np
import pytest

from edge.analysis import LiveAnalysis
from edge.attendance import LINGER_NS, Attendance, grown
from edge.audience import Audience
from edge.demand import Demand
from edge.errors import NotDue
from edge.sources.demo import DemoSource
from edge.sources.file import FileSource
from edge.sources.specs import DemoSpec, FileSpec
from edge.types import Frame
from edge.worker import Control
from tests.fakes import Ticking, frame
from tests.films import film
from tests.unit.test_analysis import Feeding, Stage
from tests.world import World

THIRTIETH_NS = 33_333_333


def test_what_is_not_wanted_is_not_taken_and_the_other_way_round():
    demand = Demand(10)
    wanted = [demand.wants(n * THIRTIETH_NS) == demand.takes(n * THIRTIETH_NS) for n in range(90)]
    assert all(wanted)


@pytest.mark.parametrize(("camera_fps", "limit"), [(29.97, 30), (29.9, 30), (24.9, 25), (14.9, 15), (9.9, 10)])
def test_a_limit_near_the_cameras_own_rate_takes_nearly_all(camera_fps: float, limit: float):
    demand = Demand(limit)
    assert sum(demand.takes(round(n * 1e9 / camera_fps)) for n in range(600)) >= 0.98 * 600


def test_asking_takes_nothing():
    demand = Demand(10)
    assert demand.takes(0)
    assert [demand.wants(95_000_000) for _ in range(3)] == [True] * 3
    assert demand.takes(95_000_000)
    assert not demand.wants(100_000_000)


def test_another_rate_holds_at_once():
    demand = Demand(1)
    assert demand.takes(0)
    assert not demand.wants(THIRTIETH_NS)
    demand.limit(0)
    assert demand.wants(THIRTIETH_NS)


def test_somebody_who_was_there_a_moment_ago_still_counts():
    world = World()
    there = [False, False]
    attendance = Attendance(world.clock, lambda: there[0], lambda: there[1])
    assert attendance(), "who starts the program comes to look at it"
    world.now_ns += LINGER_NS
    assert not attendance()
    there[1] = True
    assert attendance()
    there[1] = False
    world.now_ns += LINGER_NS - 1
    assert attendance()
    world.now_ns += 1
    assert not attendance()


def test_who_came_and_went_between_two_looks_was_there():
    world, audience = World(), Audience()
    attendance = Attendance(world.clock, lambda: audience.count > 0, grown(lambda: audience.arrivals))
    world.now_ns += LINGER_NS
    assert not attendance()
    with audience.watching():
        pass
    assert attendance()
    world.now_ns += LINGER_NS
    assert not attendance()


def test_while_nobody_watches_fewer_frames_are_analysed_and_all_again_at_once():
    stage = Stage()
    attended = [True] * 7 + [False] * 12 + [True] * 99
    live = LiveAnalysis(
        Feeding(*[[frame(n)] for n in range(1, 26)]),  # 25 a second
        stage.pipeline,
        stage.outlet,
        unwatched_fps=6.25,
        attended=lambda: attended.pop(0),
    )
    live.run(Control(Ticking()))
    assert stage.seen() == [*range(1, 7), 7, 11, 15, *range(19, 26)]
    assert stage.telemetry.skipped_frames == {"unwatched": 9}


@pytest.mark.parametrize(
    ("max_fps", "unwatched_fps", "reason", "share"),
    [
        (5, 10, "rate", 0.2),
        (12.5, 6.25, "unwatched", 0.25),
        (0, 0, None, 1.0),
        (5, 0, "rate", 0.2),
        (0, 0.1, "unwatched", 0.09),
    ],
)
def test_the_lowest_limit_counts(max_fps: float, unwatched_fps: float, reason: str | None, share: float):
    stage = Stage()
    frames = Feeding(*[[frame(n)] for n in range(1, 101)])
    live = LiveAnalysis(
        frames, stage.pipeline, stage.outlet, max_fps, unwatched_fps=unwatched_fps, attended=lambda: False
    )
    live.run(Control(Ticking()))
    assert len(stage.seen()) == 100 * share
    assert list(stage.telemetry.skipped_frames) == ([reason] if reason else [])


def test_frames_a_source_did_not_make_count_by_the_reason_and_not_as_late():
    stage = Stage()
    made = [frame(1), _spared(4, 2), _spared(8, 4)]
    LiveAnalysis(Feeding(*[[one] for one in made]), stage.pipeline, stage.outlet, 12.5).run(Control(Ticking()))
    assert stage.seen() == [1, 4, 8]
    assert stage.telemetry.skipped_frames == {"rate": 4, "late": 1}


def test_frames_spared_before_a_change_count_by_the_reason_of_before():
    stage = Stage()
    attended = [False] * 3 + [True] * 9
    live = LiveAnalysis(
        Feeding([frame(1)], [_spared(6, 4)], [_spared(7, 4)]),
        stage.pipeline,
        stage.outlet,
        unwatched_fps=5,
        attended=lambda: attended.pop(0),
    )
    attended[2] = True  # somebody comes while frames 2 to 5 are spared
    live.run(Control(Ticking()))
    assert stage.telemetry.skipped_frames == {"unwatched": 4}


def _spared(seq: int, spared: int) -> Frame:
    return Frame(seq, frame(seq).t_ns, frame(seq).pixels, spared=spared)


@pytest.mark.parametrize("source", ["file", "demo"])
def test_a_paced_source_makes_only_what_is_wanted(source: str, tmp_path_factory: pytest.TempPathFactory):
    world, demand = World(), Demand(5)
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    opened = (
        FileSource(FileSpec(path=str(film(path, 50))), world.clock, world.sleep, demand.wants)
        if source == "file"
        else DemoSource(DemoSpec(fps=25, size="160x120"), world.clock, world.sleep, demand.wants)
    )
    frames = []
    while world.now_ns < 2.9e9:
        try:
            frames.append(opened.read(0.25))
        except NotDue:
            continue
        assert demand.takes(frames[-1].t_ns)
    assert [one.seq for one in frames] == list(range(1, 50, 5))[: len(frames)]
    assert len(frames) >= 9
    assert [one.spared for one in frames] == [4 * n for n in range(len(frames))]
    opened.close()


def test_in_lockstep_every_frame_is_made():
    world = World()
    spec = DemoSpec(realtime=False, size="160x120")
    source = DemoSource(spec, world.clock, world.sleep, lambda _: False)
    assert [source.read(1).seq for _ in range(3)] == [1, 2, 3]
    assert not np.array_equal(source.read(1).bgr, source.read(1).bgr)
