"""The page of `benchmarks.viewers`."""

from benchmarks.crowds import Crowds
from training.reporting.document import Document, Section, Table, Text


def document(found: Crowds) -> Document:
    """The tables, and under which conditions they hold."""
    machine = found.machine
    conditions = (
        f"Demo of 640×480 at 30 pictures a second, {found.seconds:g} s for each number of viewers, {found.stalled} "
        "more viewers that take nothing (given up by the program after 10 s, then replaced); server and viewers in two "
        f"processes on one machine: {machine.board or machine.cpu or machine.arch} with {machine.cores} cores, load "
        f"{machine.load} before. Ages in ms: until a viewer had the picture, since its frame was grabbed; for the "
        "plain server since the finished JPEG was handed to it. Processor time in hundredths of a core: for the "
        "program analysis, drawing and encoding included, for the plain server sending alone. "
        f"Left out: {found.left_out}."
    )
    rows = tuple(
        (
            f"{crowd.server}, {crowd.viewers}",
            f"{crowd.least_fps:.2f}",
            f"{crowd.median_fps:.2f}",
            f"{crowd.p50_ms:.1f}",
            f"{crowd.p95_ms:.1f}",
            f"{100 * crowd.cpu_share:.1f}",
            f"{crowd.rss_before_mib:.1f}",
            f"{crowd.rss_after_mib:.1f}",
            "–" if crowd.encodes_per_scene is None else f"{crowd.encodes_per_scene:.3f}",
        )
        for crowd in found.crowds
    )
    header = (
        "server, viewers",
        "fps, least",
        "median",
        "p50",
        "p95",
        "processor",
        "MiB before",
        "after",
        "encodes a scene",
    )
    costs = tuple(
        (server, "–" if cost is None else f"{100 * cost:.3f}")
        for server in dict.fromkeys(crowd.server for crowd in found.crowds)
        for cost in (found.cost(server),)
    )
    kept = "\n".join(f"- {'kept' if well else '**not kept**'}: {what}" for what, well in found.musts())
    return Document(
        "viewers",
        "Many viewers",
        (
            Section("", (Text(conditions), Table(header, rows))),
            Section("One viewer more", (Table(("server", "hundredths of a core"), costs),)),
            Section("What must hold", (Text(kept),)),
        ),
        found,
    )
