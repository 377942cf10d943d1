"""Two runs, figure by figure, on figures made up."""

from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from edge.bench.against import Measure, change, compare, measures, read_figures
from edge.bench.conditions import Conditions
from edge.bench.figures import Figures
from edge.bench.served import Served
from edge.bench.startup import Startup
from edge.bench.subject import Subject
from edge.bench.timing import Timing
from edge.bench.variants import WHOLE_FRAME, Factor, Variant
from edge.bench.viewing import Energy, Viewing
from edge.bench.whole import Part, Report
from edge.errors import ConfigError
from edge.machine import Machine
from tests import benchmark_figures as figures

MACHINE = replace(
    figures.MACHINE,
    board="Raspberry Pi 5 Model B Rev 1.0",
    cpu="Cortex-A76",
    memory_mb=8062,
    os_name="Debian GNU/Linux 13",
    kernel="6.12",
    tflite="ai-edge-litert 2.3.0",
)
SPENT = Timing(900, 4.4, 4.0, 5.0, 6.0)
REPORT = Report(
    machine=MACHINE,
    clip="generated clip",
    frames=900,
    detector="blazeface-full",
    interval=10,
    faces=0.5,
    stages={"decode": SPENT},
    whole=SPENT,
    floor=SPENT,
    ratio=1.2,
    ratio_of_means=1.3,
    fps=227.0,
    parts=(Part("decode", 3.0, 0.5), Part("draw", 0.0, 0.25)),
    wholes_ms=(4.0, 4.1, 4.2, 4.3),
    floors_ms=(3.4, 3.5, 3.6, 3.7),
    ratios=(1.2, 1.2, 1.21, 1.22),
)
SERVED = Served("generated clip", 30, 4, (6.0, 6.0, 6.0, 6.0), (4.0,) * 5, 1.5, 1.0, 0.2)
VIEWING = Viewing(
    seconds=2.5,
    fps=(29.9, 30.0, 30.0, 30.0),
    age=SPENT,
    ages_p95_ms=(5.0, 5.1, 5.2, 5.3),
    watched_ms=(6.0, 6.1, 6.2, 6.3),
    unwatched_ms=(2.4, 2.4, 2.5, 2.5),
    ratios=(0.4, 0.39, 0.4, 0.4),
    every_ms=(3.9, 3.9, 4.0, 4.0),
    every_ratios=(0.65, 0.65, 0.66, 0.66),
    rss_mib=100.0,
    peak_mib=110.0,
    energy=Energy("a meter", (100.0,) * 4, (80.0,) * 4, (3.0,) * 4, (2.4,) * 4),
)
FACTOR = Factor(
    "interval",
    "10",
    WHOLE_FRAME,
    30,
    (
        Variant("1", (8.0,) * 4, (8.0,) * 4, 8.0, 9.0, (2.0,) * 4, (1.9,) * 4),
        Variant("10", (4.0,) * 4, (4.0,) * 4, 4.0, 5.0, (1.0,) * 4, (1.0,) * 4),
    ),
)
OLD = Figures(
    whole=REPORT,
    served=SERVED,
    subject=Subject("compact", "aa" * 32, "blazeface-full", "bb" * 32, "cc" * 32, "ai-edge-litert 2.3.0", True),
    before=Conditions(load=0.1, governor="ondemand"),
    after=Conditions(load=1.0, governor="ondemand"),
    startup=Startup((1.0, 1.1, 1.2, 1.3), (0.8,) * 4, 2.0),
    viewing=VIEWING,
    factors=(FACTOR,),
    seconds=330.0,
)


def on(machine: Machine) -> Figures:
    return replace(OLD, whole=replace(REPORT, machine=machine))


def test_a_run_is_like_itself():
    comparison = compare(OLD, OLD)
    assert {change.verdict for change in comparison.changes} == {"alike"}
    assert comparison.cautions == ()
    assert f"0 better, 0 worse, {len(comparison.changes)} alike" in comparison.text()


def test_better_and_worse_are_told_apart():
    viewing = replace(VIEWING, watched_ms=(9.0, 9.1, 9.2, 9.3), fps=(35.0, 35.0, 35.1, 35.2))
    new = replace(OLD, viewing=viewing, startup=Startup((0.5, 0.5, 0.6, 0.6), (0.8,) * 4, 2.0))
    comparison = compare(OLD, new)
    verdicts = {change.name: change.verdict for change in comparison.changes if change.verdict != "alike"}
    assert verdicts == {
        "processor time with a viewer, ms a frame": "worse",
        "pictures a second shown": "better",
        "start to the first named face, s": "better",
    }
    line = next(line for line in comparison.text().splitlines() if "with a viewer, ms" in line)
    assert "6.15 (6.07–6.22)" in line
    assert "9.15 (9.07–9.22)" in line
    assert line.endswith("1.49 x  worse")


@pytest.mark.parametrize(
    ("before", "now", "verdict"),
    [
        ((10.0, 10.1, 10.2, 10.3), (10.4, 10.4, 10.5, 10.5), "alike"),  # apart, but by too little
        ((10.0, 10.1, 10.2, 13.0), (12.0, 12.1, 12.2, 12.3), "alike"),  # by enough, but not apart
        ((10.0, 10.1, 10.2, 10.3), (12.0, 12.1, 12.2, 12.3), "worse"),
        ((10.0, 10.1, 10.2, 10.3), (8.0, 8.1, 8.2, 8.3), "better"),
        ((10.0, 10.1), (11.5, 11.6), "alike"),  # too few rounds for so little
        ((10.0, 10.1), (15.0, 15.1), "worse"),
        ((100.0,), (110.0,), "alike"),
        ((100.0,), (130.0,), "worse"),
    ],
)
def test_a_change_has_to_be_larger_than_the_spread(before: tuple[float, ...], now: tuple[float, ...], verdict: str):
    assert change(Measure("ms", before), Measure("ms", now)).verdict == verdict


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"board": "Raspberry Pi 4 Model B Rev 1.5"}, "board Raspberry Pi 5 Model B Rev 1.0, now Raspberry Pi 4"),
        ({"board": ""}, "board Raspberry Pi 5 Model B Rev 1.0, now unknown"),
        ({"cpu": "Cortex-A72"}, "cpu Cortex-A76, now Cortex-A72"),
        ({"arch": "armv7l"}, "arch aarch64, now armv7l"),
        ({"cores": 2}, "cores 4, now 2"),
        ({"memory_mb": 3992}, "memory 8, now 4"),
    ],
)
def test_figures_of_another_machine_are_refused(changed: dict[str, object], said: str):
    with pytest.raises(ConfigError, match="of another machine") as refused:
        compare(OLD, on(replace(MACHINE, **changed)))
    assert said in str(refused.value)


def test_figures_of_another_clip_are_refused():
    with pytest.raises(ConfigError, match=r"of the clip 'generated clip', not 'film\.mp4'; give the same --source"):
        compare(OLD, replace(OLD, whole=replace(REPORT, clip="film.mp4")))


def test_what_else_differs_is_said():
    new = replace(
        on(replace(MACHINE, emotion_edge="9.9.0", governor="performance", tflite="ai-edge-litert 2.4.0")),
        subject=replace(OLD.subject, model_sha256="dd" * 32, detector="haar", detector_sha256=""),
        before=Conditions(load=3.0),
        after=Conditions(load=3.0),
        quick=True,
    )
    said = "\n".join(compare(OLD, new).cautions)
    for part in (
        "emotion-edge was 9.8.7, now 9.9.0",
        "governor was ondemand, now performance",
        "TFLite runtime was ai-edge-litert 2.3.0, now ai-edge-litert 2.4.0",
        "another model",
        "it was blazeface-full, now haar",
        "one of the runs was a quick one: this",
        "in this run other programs were at work",
    ):
        assert part in said


def test_a_machine_that_got_slower_is_not_taken_for_a_program_that_did():
    slow = replace(REPORT, floors_ms=(7.0, 7.1, 7.2, 7.3), wholes_ms=(8.4, 8.5, 8.6, 8.7))
    said = "\n".join(compare(OLD, replace(OLD, whole=slow)).cautions)
    assert "the native calls alone took 2.01 times as long: the machine, or what runs them, is slower" in said


def test_a_figure_that_only_one_of_the_runs_has_is_left_out():
    names = [change.name for change in compare(replace(OLD, viewing=None, factors=()), OLD).changes]
    assert "memory with a viewer, MiB" not in names
    assert "interval 1, x 10" not in names
    assert "whole frame, ms" in names


def test_factors_are_compared_by_processor_time_but_for_threads():
    def values(name: str) -> object:
        found = {m.name: m.values for m in measures(replace(OLD, factors=(replace(FACTOR, name=name),)))}
        return found[f"{name} 1, x 10"]

    assert values("interval") == (1.9,) * 4
    assert values("threads") == (2.0,) * 4


def test_figures_of_an_older_program_can_be_compared():
    early = replace(REPORT, wholes_ms=(), floors_ms=(), ratios=(), parts=())
    assert compare(Figures(early, None), OLD).changes


def test_figures_are_read_as_they_were_written(tmp_path: Path):
    (tmp_path / "old.json").write_bytes(msgspec.json.encode(OLD))
    assert read_figures(tmp_path / "old.json") == OLD


@pytest.mark.parametrize("content", [b"", b"{}", b"no JSON", b'{"whole": 1}', b"[1, 2]", b"\xff\xfe"])
def test_another_file_is_refused(tmp_path: Path, content: bytes):
    (tmp_path / "old.json").write_bytes(content)
    with pytest.raises(ConfigError, match="holds no figures of `emotion-edge bench`"):
        read_figures(tmp_path / "old.json")


def test_a_file_that_is_not_there_is_refused(tmp_path: Path):
    with pytest.raises(ConfigError, match="cannot read the figures"):
        read_figures(tmp_path / "nowhere.json")
    with pytest.raises(ConfigError, match="cannot read the figures"):
        read_figures(tmp_path)


def test_everything_is_shown_to_people():
    text = OLD.text()
    for part in (
        "Raspberry Pi 5 Model B Rev 1.0, Cortex-A76, aarch64, 4 cores, 8062 MB of memory",
        "Debian GNU/Linux 13, kernel 6.12",
        "model compact (aaaaaaaaaaaa), detector blazeface-full (bbbbbbbbbbbb), ai-edge-litert 2.3.0 with XNNPACK",
        "before: load 0.10, temperature unknown, governor ondemand",
        "1.50 x the floor",
        "nobody watching  0.40 (0.40–0.40) x of watched; 0.66 (0.65–0.66) x if every",
        "memory           100 MiB with a viewer",
        "100.0 (100.0–100.0) mJ a frame with a viewer",
        "1.15 s (1.00–1.30, 4 starts)",
        "interval (a whole frame in one thread; 4 rounds of 30 frames)",
        "measured in 5.5 minutes",
    ):
        assert part in text


def test_what_threads_and_sockets_cost_is_what_is_left():
    # 6 ms of the program, less its floor of 4, less what is ours in one thread: 0.75 at a floor of 3, so 1 at one of 4
    assert OLD.threads_ms == pytest.approx(6 - 4 - 1)
    assert replace(OLD, served=None).threads_ms is None


def test_the_programs_own_energy_is_what_it_takes_beyond_standing_still():
    assert VIEWING.energy is not None
    assert VIEWING.energy.own_mj == pytest.approx(100 * (1 - 2.4 / 3.0))
