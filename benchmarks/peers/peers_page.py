"""What `benchmarks.peers` found, as a page and as sections of the report."""

from functools import partial

from benchmarks.peers.found import LEAST_FRAMES, OWN, Peers, Program, spread, spread_of
from benchmarks.peers.peers_picture import SIZE_IN, draw
from benchmarks.peers.sight import SAME
from training.reporting.document import Document, Picture, Section, Table, Text

HEADER = (
    "program",
    "processor s",
    "× ours",
    "ms a frame, steady",
    "× ours",
    "wall s",
    "first picture after s",
    "processor s until then",
    "peak MiB",
    "pictures seen",
    "runs",
)
SIGHT_HEADER = ("program", "share of the faces found", "false alarms a frame")


def document(found: Peers) -> Document:
    """Page and figures."""
    return Document("peers", "What people use instead", sections(found), found)


def sections(found: Peers) -> tuple[Section, ...]:
    """What must hold, the costs, what was seen, the runtimes, and under which conditions it all holds."""
    kept = "\n".join(f"- {'kept' if well else '**not kept**'}: {what}" for what, well in found.musts())
    if found.frames < LEAST_FRAMES:
        kept = f"**{found.frames} frames show that everything works, and measure nothing**: most of it is start-up."
    picture = Picture(
        "peers",
        f"Processor time for {found.frames} frames, memory and start-up of each program, on logarithmic scales",
        SIZE_IN,
        partial(draw, found=found),
    )
    costs = Table(HEADER, tuple(_row(found, program) for program in found.programs))
    blocks = (Text(_conditions(found)), Text(kept), picture, costs, Text(_list(found)))
    return (
        Section("What people use instead", tuple(block for block in blocks if block != Text(""))),
        Section("What they find", (Text(_judging(found)), Table(SIGHT_HEADER, _sights(found)))),
        *_runtimes(found),
        *_environments(found),
    )


def _conditions(found: Peers) -> str:
    machine = found.machine
    load = "unknown" if machine.load is None else f"{machine.load:.2f}"
    rounds = f"{found.rounds} rounds" if found.rounds > 1 else "1 round"
    return (
        f"{found.frames} frames of {found.clip} at 640×480 as an MPEG-4 film; one process for each program, from "
        f"its start to its end, all in turn in {rounds} of one run in changing order. Every program "
        "decodes, finds, names, draws and encodes each frame (JPEG, quality 80) and writes down its boxes, and one "
        f"local viewer takes all pictures. `{OWN}` runs as on a camera, {found.fps} frames a second, and idles between "
        "frames, which costs; the others go as fast as they can. Their viewer is served in the cheapest way there is, "
        "by one blocking connection; ours by the program's own server, which skips pictures for a viewer that is "
        "behind, and begins before the viewer is there. The VGG network has random weights. Median (least–most) of "
        "the runs; × ours: of both runs of a round. Memory: VmHWM. On "
        f"{machine.board or machine.cpu or machine.arch} with {machine.cores} cores, load {load} before."
    )


def _list(found: Peers) -> str:
    lines = [f"- {program.name}: {program.about}." for program in found.programs]
    lines += [f"- left out: {name}: {reason}" for name, reason in found.left_out.items()]
    return "\n".join(lines)


def _row(found: Peers, program: Program) -> tuple[str, ...]:
    pictures = sorted(turn.cost.pictures for turn in program.turns)
    return (
        program.name,
        _spread(program, "cpu_s", 2),
        _ratio(found, program, "cpu_s"),
        _spread(program, "steady_ms", 2),
        _ratio(found, program, "steady_ms"),
        _spread(program, "wall_s", 1),
        _spread(program, "start_s", 2),
        _spread(program, "start_cpu_s", 2),
        _spread(program, "peak_mib", 0),
        str(pictures[0]) if pictures[0] == pictures[-1] else f"{pictures[0]}–{pictures[-1]}",
        str(len(program.turns)),
    )


def _spread(program: Program, figure: str, digits: int) -> str:
    values = spread_of(program, figure)
    return "–" if values is None else values.text(digits)


def _ratio(found: Peers, program: Program, figure: str) -> str:
    values = found.ratio(program.name, figure)
    return "–" if values is None or program.name == OWN else values.text()


def _judging(found: Peers) -> str:
    return (
        "The faces are those that the dense BlazeFace network finds, searching the whole of every frame: "
        f"{found.faces} on {found.frames} frames. A box shows a face if the two overlap by {SAME} or more "
        "(intersection over union): conventions differ, but on the real clip boxes of one face overlap by 0.64 and "
        "more, whoever drew them. Our program looks with the same network, on few frames; on the real clip the "
        "reference was checked by eye. A frame that a program skipped counts as one on which it found nothing."
    )


def _sights(found: Peers) -> tuple[tuple[str, ...], ...]:
    return tuple(
        (program.name, f"{program.sight.recall:.3f}", f"{program.sight.alarms_per_frame:.3f}")
        for program in found.programs
    )


def _runtimes(found: Peers) -> tuple[Section, ...]:
    if not found.invoked:
        return ()
    text = (
        "A chip through the shipped int8 model and through its float32 sibling (the same network with random weights), "
        "one thread, as each interpreter runs it by itself, all in turn in one run: microseconds, the median of the "
        "turns (least–most)."
    )
    models = tuple(dict.fromkeys(each.model for each in found.invoked))
    runtimes = dict.fromkeys(each.runtime for each in found.invoked)
    times = {(each.runtime, each.model): spread(list(each.us)).text() for each in found.invoked}
    rows = tuple((runtime, *(times[runtime, model] for model in models)) for runtime in runtimes)
    return (Section("The model on each runtime", (Text(text), Table(("runtime", *models), rows))),)


def _environments(found: Peers) -> tuple[Section, ...]:
    if not found.environments:
        return ()
    text = "What has to be installed for them, in MiB on the disk; fer's MTCNN needs the TensorFlow one as well."
    rows = tuple((made.name, f"{made.size_mib:.0f}") for made in found.environments)
    return (Section("Their environments", (Text(text), Table(("environment", "MiB"), rows))),)
