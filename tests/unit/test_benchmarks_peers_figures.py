"""What is said of the programs that people use instead: recall, ratios, musts, and the page."""

import msgspec
import pytest

from benchmarks.peers.environments import Made
from benchmarks.peers.found import FILM, LIMITS, OWN, Peers, Program, Turn, spread_of
from benchmarks.peers.peers_page import document, sections
from benchmarks.peers.running import Cost
from benchmarks.peers.runtimes import RUNTIMES, Invoked
from benchmarks.peers.sight import Sight, judge, read_events
from edge.machine import describe
from edge.types import Box
from training.reporting.document import Picture, markdown

FACE = Box(0.4, 0.4, 0.2, 0.3)
ELSEWHERE = Box(0.1, 0.1, 0.2, 0.3)


def cost(cpu_s: float, steady_ms: float | None = 1.0) -> Cost:
    if steady_ms is None:
        return Cost(cpu_s, 10.0, 100.0)
    return Cost(cpu_s, 10.0, 100.0, 0.5, 0.4, steady_ms, 300)


def program(name: str, *spent: tuple[int, float, float], found: int = 300) -> Program:
    turns = tuple(Turn(number, cost(cpu_s, steady_ms)) for number, cpu_s, steady_ms in spent)
    return Program(name, "something", turns, Sight(300, 300, found, 0))


GOOD = Peers(
    machine=describe(),
    clip="a clip",
    frames=300,
    fps=30,
    faces=300,
    rounds=2,
    programs=(
        program(OWN, (0, 1.0, 2.0), (1, 2.0, 4.0)),
        program("fer", (0, 40.0, 100.0), (1, 80.0, 200.0)),
        program("tutorial loop", (0, 31.0, 80.0)),
        program("tuned loop", (0, 12.0, 6.0), (1, 22.0, 12.0)),
    ),
    invoked=(Invoked("LiteRT 2", "int8", (90.0, 100.0, 130.0)), Invoked("LiteRT 2", "float32", (300.0,))),
    environments=(Made("tensorflow", ("tensorflow==2",), 2300.0),),
    left_out={"fer with MTCNN": "no network"},
)


def changed(name: str, other: Program | None) -> Peers:
    programs = (each if each.name != name else other for each in GOOD.programs)
    return msgspec.structs.replace(GOOD, programs=tuple(each for each in programs if each))


def test_a_box_on_the_face_finds_it_and_one_elsewhere_is_a_false_alarm():
    near = Box(0.42, 0.41, 0.2, 0.3)
    seen = judge([[FACE], [FACE], [FACE], []], {1: [near], 2: [ELSEWHERE], 4: [FACE]})
    assert seen == Sight(4, 3, 1, 2)
    assert seen.recall == pytest.approx(1 / 3)
    assert seen.alarms_per_frame == 0.5


def test_a_box_counts_for_one_face_and_a_face_for_one_box():
    assert judge([[FACE, FACE]], {1: [FACE]}) == Sight(1, 2, 1, 0)
    assert judge([[FACE]], {1: [FACE, FACE]}) == Sight(1, 1, 1, 1)


def test_the_square_of_another_convention_is_the_same_face_and_the_forehead_alone_is_not():
    haar = Box(FACE.x - 0.02, FACE.y - 0.05, 0.24, 0.32)
    forehead = Box(FACE.x, FACE.y - 0.05, 0.2, 0.12)
    assert judge([[FACE]], {1: [haar]}).found == 1
    assert judge([[FACE]], {1: [forehead]}) == Sight(1, 1, 0, 1)


def test_events_of_the_program_and_of_peers_are_read_alike():
    lines = [
        b'{"seq":2,"time":null,"faces":[{"id":1,"box":[0.1,0.2,0.3,0.4],"label":null}],"schema":1}',
        b"",
        b'{"seq": 3, "faces": []}',
    ]
    assert read_events(lines) == {2: (Box(0.1, 0.2, 0.3, 0.4),), 3: ()}


def test_ratios_are_of_runs_of_the_same_round():
    # 40/1 and 80/2; the medians of all runs would give the same, the first by the second would not
    assert GOOD.ratio("fer", "cpu_s") == (40.0, 40.0, 40.0)
    assert GOOD.ratio("tuned loop", "cpu_s") == (11.5, 11.0, 12.0)
    assert GOOD.ratio("tutorial loop", "steady_ms") == (40.0, 40.0, 40.0)


def test_what_was_left_out_or_has_no_such_figure_has_no_ratio():
    assert GOOD.ratio("nobody", "cpu_s") is None
    other_round = changed("fer", program("fer", (7, 40.0, 1.0)))
    assert other_round.ratio("fer", "cpu_s") is None
    batch = Program("batch", "no viewer", (Turn(0, cost(1.0, None)),), Sight(300, 300, 300, 0))
    assert msgspec.structs.replace(GOOD, programs=(*GOOD.programs, batch)).ratio("batch", "steady_ms") is None
    assert spread_of(batch, "steady_ms") is None


def test_what_holds_is_kept_for_every_limit():
    musts = GOOD.musts()
    assert len(musts) == 2 * len([one for one in GOOD.programs if one.name in LIMITS])
    assert all(well for _, well in musts)
    assert "40.0 times (without start-up 50.0)" in musts[0][0]


@pytest.mark.parametrize(
    ("index", "other"),
    [
        (0, program("fer", (0, 29.0, 1.0), (1, 59.0, 1.0))),
        (2, program("tutorial loop", (0, 29.9, 1.0))),
        (4, program("tuned loop", (0, 9.9, 1.0))),
    ],
)
def test_too_small_a_ratio_is_not_kept(index: int, other: Program):
    found = changed(other.name, other)
    assert [well for _, well in found.musts()] == [number != index for number in range(6)]
    assert markdown(document(found)).count("**not kept**") == 1


def test_a_peer_that_finds_more_faces_is_said():
    found = changed(OWN, program(OWN, (0, 1.0, 2.0), (1, 2.0, 4.0), found=299))
    assert [well for _, well in found.musts()] == [True, False] * 3


def test_a_film_too_short_to_tell_has_no_musts():
    found = msgspec.structs.replace(GOOD, frames=60)
    assert found.musts() == ()
    assert "measure nothing" in markdown(document(found))


def test_nothing_is_said_of_a_peer_that_was_left_out():
    assert not any(text.startswith("fer:") for text, _ in changed("fer", None).musts())


def test_the_page_has_costs_ratios_recall_runtimes_sizes_and_what_was_left_out():
    page = markdown(document(GOOD))
    assert "| fer | 60.00 (40.00–80.00) | 40.0 |" in page
    assert "| tuned loop | 1.000 | 0.000 |" in page
    assert "| LiteRT 2 | 100.0 (90.0–130.0) | 300.0 |" in page
    assert "| tensorflow | 2300 |" in page
    assert "left out: fer with MTCNN: no network" in page


def test_the_chart_is_drawn_even_with_a_program_that_has_no_viewer():
    batch = Program("batch", "no viewer", (Turn(0, cost(1.0, None)),), Sight(300, 300, 300, 0))
    found = msgspec.structs.replace(GOOD, programs=(*GOOD.programs, batch))
    (picture,) = (block for section in sections(found) for block in section.blocks if isinstance(block, Picture))
    figure = pytest.importorskip("matplotlib.figure").Figure(picture.size_in, layout="constrained")
    picture.draw(figure)
    widths = [len(axes.texts) for axes in figure.axes]
    assert widths == [5, 5, 4]
    assert all(axes.get_xscale() == "log" for axes in figure.axes)


def test_runtimes_say_their_versions():
    made = Made("tflite-runtime", ("numpy==1.26.4", "tflite-runtime==2.14.0"), 100.0)
    runtime = next(each for each in RUNTIMES if each.environment == made.name)
    assert runtime.title(made) == "tflite-runtime 2.14.0"


def test_the_most_that_can_be_had_is_said():
    film = program(FILM, (0, 0.5, 1.0), (1, 1.0, 1.0), found=0)
    found = msgspec.structs.replace(GOOD, programs=(*GOOD.programs, film))
    assert found.ratio("fer", "cpu_s", FILM) == (80.0, 80.0, 80.0)
    assert f"{FILM}, which finds nothing, would have 80.0" in found.musts()[0][0]


def test_the_figures_can_be_read_again():
    assert msgspec.json.decode(msgspec.json.encode(GOOD), type=Peers) == GOOD
