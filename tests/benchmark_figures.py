"""Figures of benchmarks, made up."""

from edge.bench.conditions import Conditions
from edge.bench.figures import Figures
from edge.bench.served import Served
from edge.bench.startup import Startup
from edge.bench.timing import Timing
from edge.bench.variants import WHOLE_FRAME, Factor, Variant
from edge.bench.viewing import Energy, Viewing
from edge.bench.whole import Part, Report
from edge.machine import Machine

MACHINE = Machine(
    board="",
    cpu="Some CPU",
    arch="aarch64",
    cores=4,
    memory_mb=3792,
    governor="ondemand",
    temperature_c=51.3,
    load=0.25,
    system="Linux-6.12",
    python="3.13.5",
    opencv="4.12.0",
    numpy="2.2.4",
    emotion_edge="9.8.7",
)
STAGES = {
    "decode": Timing(900, 1.11, 1.101, 1.432, 1.703),
    "detect": Timing(180, 9.12, 9.021, 11.532, 12.003),
    "classify": Timing(850, 0.61, 0.601, 0.732, 0.903),
}
REPORT = Report(
    machine=MACHINE,
    clip="generated clip",
    frames=900,
    detector="some-detector",
    interval=5,
    faces=0.94,
    stages=STAGES,
    whole=Timing(900, 4.44, 3.141, 13.592, 15.003),
    floor=Timing(900, 3.55, 2.718, 11.281, 12.803),
    ratio=1.234,
    ratio_of_means=1.345,
    fps=217.4,
)
SERVED = Served(
    clip="generated clip",
    fps=30,
    rounds=3,
    program_ms=(4.211, 4.322, 4.433),
    floor_ms=(3.111, 3.122, 3.133, 3.144),
    ratio=1.382,
    shown=0.997,
    detections=0.201,
)
BRIEF = Figures(REPORT, SERVED)
"""As of a second clip: no more than differs from clip to clip."""

PARTS = (
    Part("decode", 1.0, 0.1),
    Part("detect", 0.5, 0.05),
    Part("classify", 0.1, 0.02),
    Part("draw", 0.0, 0.06),
    Part("encode", 0.4, -0.003),
)
VIEWING = Viewing(
    seconds=2.5,
    fps=(29.9, 30.0, 30.1),
    age=Timing(225, 9.0, 8.4, 14.4, 18.8),
    ages_p95_ms=(14.0, 14.4, 14.8),
    watched_ms=(4.2, 4.3, 4.4),
    unwatched_ms=(1.9, 2.0, 2.1),
    ratios=(0.44, 0.46, 0.48),
    every_ms=(2.7, 2.8, 2.9),
    every_ratios=(0.64, 0.65, 0.66),
    rss_mib=96.4,
    peak_mib=101.2,
    energy=Energy("some meter", (80.0, 82.0, 84.0), (60.0, 61.0, 62.0), (2.4, 2.5, 2.6), (1.9, 2.0, 2.1)),
)
DETECTORS = Factor(
    name="detector",
    base="some-detector",
    what=WHOLE_FRAME,
    frames=30,
    variants=(
        Variant("some-detector", (4.0, 4.2), (4.1, 4.3), 3.9, 9.9, (1.0, 1.0)),
        Variant("other", (8.0, 8.6), (8.1, 8.7), 7.9, 19.9, (2.0, 2.05)),
    ),
    left_out=(("third", "not installed"),),
)
FULL = Figures(
    whole=Report(
        **{name: getattr(REPORT, name) for name in REPORT.__struct_fields__}
        | {"parts": PARTS, "wholes_ms": (4.5, 4.6, 4.7), "floors_ms": (3.7, 3.75, 3.8), "ratios": (1.21, 1.23, 1.25)}
    ),
    served=SERVED,
    before=Conditions(load=0.25, temperature_c=51.3, governor="ondemand"),
    after=Conditions(load=1.5, temperature_c=60.2, governor="ondemand"),
    startup=Startup((0.81, 0.82, 0.88), (0.51, 0.52, 0.53), 2.34),
    viewing=VIEWING,
    factors=(DETECTORS,),
    not_measured=("the colour of the board",),
    seconds=321.0,
)
