"""The four questions, each answered in a line from what was measured; and the figures that other pages quote."""

from collections.abc import Iterator
from typing import Final

from benchmarks.gate.found import Compared
from benchmarks.models.speeds import Survey
from benchmarks.peers.found import OWN, Peers
from benchmarks.reporting.boards import estimates
from benchmarks.reporting.results import PARTS, Results
from benchmarks.streaming.crowds import Crowds
from benchmarks.streaming.streamers import PLAIN, USTREAMER
from edge.bench.figures import Figures
from edge.bench.timing import median, spread_text

NOT_MEASURED = "not measured"
PEERS: Final = {
    "fer": "`fer`",
    "tutorial loop": "the loop of the usual tutorial",
    "tuned loop": "the same loop tuned",
}
"""Those the question is about, and what they are called in a sentence."""


def answers(results: Results) -> tuple[tuple[str, str], ...]:
    """Question and answer."""
    device, peers, compared = results.get("device"), results.get("peers"), results.get("compare")
    return (
        ("How fast?", _fast(device) if device else _missing("device")),
        ("How close to the floor?", _close(device) if device else _missing("device")),
        ("How much better than the alternatives?", _better(peers) if peers else _missing("peers")),
        ("Better or worse than last time?", _changed(compared) if compared else _missing("compare")),
    )


def _missing(part: str) -> str:
    return (
        f"{NOT_MEASURED.capitalize()}: `{PARTS[part].command}`." if part in PARTS else f"{NOT_MEASURED.capitalize()}."
    )


def _fast(found: Figures) -> str:
    whole, served, viewing, machine = found.whole, found.served, found.viewing, found.whole.machine
    parts = [
        f"{whole.fps:.0f} frames a second of {whole.width}×{whole.height} on one core of "
        f"{machine.board or machine.cpu or machine.arch}, "
        f"{spread_text(whole.wholes_ms) if whole.wholes_ms else f'{whole.whole.p50_ms:.2f}'} ms each from the camera's "
        "JPEG to the annotated one"
    ]
    if served:
        share = median(served.program_ms) * served.fps / 10
        parts.append(
            f"the whole program at {served.fps:g} frames a second, with a viewer, takes {share:.1f} % of a core"
        )
    if viewing:
        parts.append(f"a picture is with the viewer {viewing.age.p50_ms:.0f} ms after it was grabbed (p50)")
    return f"{'; '.join(parts)}."


def _close(found: Figures) -> str:
    served = found.served
    beside = f"; the whole program with a viewer {spread_text(served.ratios)} times" if served else ""
    rounds = spread_text(found.whole.ratios) if found.whole.ratios else f"{found.whole.ratio:.2f}"
    return f"A frame takes {rounds} times the native calls in it, alone, in the same run{beside}."


def _better(found: Peers) -> str:
    own = found.program(OWN)
    others = [(name, program) for name in PEERS if found.ratio(name, "cpu_s") and (program := found.program(name))]
    if own is None or not others:
        return _missing("peers")
    times = ", ".join(f"{PEERS[name]} {ratio.text()}" for name, _ in others if (ratio := found.ratio(name, "cpu_s")))
    steady = ", ".join(ratio.text() for name, _ in others if (ratio := found.ratio(name, "steady_ms")))
    recalls = ", ".join(f"{program.sight.recall:.1%}" for _, program in others)
    return (
        f"Times our processor time for {found.frames} frames, from start to end: {times}"
        f"{f'; without start-up {steady}' if steady else ''}. They find {recalls} of the faces, we "
        f"{own.sight.recall:.1%}."
    )


def _changed(found: Compared) -> str:
    return f"{found.after.text()} against {found.before.text()}: {'; '.join(found.said())}."


def figures(results: Results) -> dict[str, str]:
    """What other pages may quote, by name; figures that are not there are said not to be measured."""
    return {**dict.fromkeys(NAMES, NOT_MEASURED), **dict(_figures(results))}


NAMES: Final = (
    "answers", "frame-ms", "frame-floor", "program-floor", "program-core", "unwatched", "start-s", "rss-mib",
    "times-fer", "times-tutorial-loop", "times-tuned-loop", "model-ms", "model-float-times", "pi-4-ms", "pi-5-ms",
    "viewer-more", "viewer-more-plain", "viewer-more-ustreamer", "viewers-growth-mib",
)  # fmt: skip


def _figures(results: Results) -> Iterator[tuple[str, str]]:
    yield "answers", "\n" + "\n".join(f"- **{question}** {answer}" for question, answer in answers(results)) + "\n"
    for found in results.values():
        match found:
            case Figures():
                yield from _of_device(found)
            case Peers():
                for name in PEERS:
                    times = found.ratio(name, "cpu_s")
                    if times:
                        yield f"times-{name.replace(' ', '-')}", f"{times.median:.0f}"
            case Survey():
                yield from _of_models(found)
            case Crowds():
                yield from _of_streaming(found)


def _of_streaming(found: Crowds) -> Iterator[tuple[str, str]]:
    for name, server in (("", OWN), ("-plain", PLAIN), ("-ustreamer", USTREAMER)):
        costs = found.costs(server, "MJPG")
        if costs:
            yield f"viewer-more{name}", f"{100 * median(costs):.2f} %"
    yield "viewers-growth-mib", f"{found.growth_mib:.1f}"


def _of_device(found: Figures) -> Iterator[tuple[str, str]]:
    whole, served, viewing, startup = found.whole, found.served, found.viewing, found.startup
    yield "frame-ms", f"{1000 / whole.fps:.1f}"
    yield "frame-floor", f"{whole.ratio:.2f}"
    if served:
        yield "program-floor", f"{served.ratio:.2f}"
        yield "program-core", f"{median(served.program_ms) * served.fps / 10:.1f} %"
    if viewing:
        yield "unwatched", f"{median(viewing.ratios):.2f}"
        yield "rss-mib", f"{viewing.rss_mib:.0f}"
    if startup:
        yield "start-s", f"{median(startup.seconds):.2f}"
    for each in estimates(found):
        yield f"pi-{each.board[-1]}-ms", f"{each.least_ms:.0f}–{each.most_ms:.0f}"


def _of_models(found: Survey) -> Iterator[tuple[str, str]]:
    for model in found.models:
        standing = model.standing
        if standing.name == "shipped" and standing.views == 1:
            if standing.kind == "int8":
                yield "model-ms", f"{model.ms.median:.2f}"
            else:
                yield "model-float-times", f"{model.times.median:.1f}"
