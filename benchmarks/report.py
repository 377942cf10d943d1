"""`python -m benchmarks.report`: one page of the figures that are kept in benchmarks/results.

It measures nothing. It writes benchmarks/report.md with its pictures, and the figures that other pages quote: what
stands there between `<!--figure NAME-->` and `<!--/figure-->`. Figures get into benchmarks/results by hand, once a run
is good enough to be kept: docs/benchmarks.md says how.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.outcome import outcome
from benchmarks.reporting.answers import answers, figures
from benchmarks.reporting.boards import Board, boards_in, table_of_boards, table_of_estimates
from benchmarks.reporting.quotes import pages, refreshed
from benchmarks.reporting.results import PARTS, RESULTS, Results, read
from benchmarks.reporting.verdicts import verdicts
from training.files import write_whole
from training.reporting.document import Document, Picture, Section, Table, Text, write

NAME = "report"
PAGE = RESULTS.parent / f"{NAME}.md"
KEPT = {True: "kept", False: "**not kept**", None: "cannot be told"}


def document(results: Results, boards: Sequence[Board]) -> Document:
    """The page before it is written."""
    first = (
        Section("", (Text("\n".join(f"- **{question}** {answer}" for question, answer in answers(results))),)),
        Section("What must hold", tuple(_musts(results))),
        Section("What was measured, and where", tuple(_origins(results))),
        Section("Boards", tuple(_boards(boards, results))),
    )
    rest = (section for name, found in results.items() for section in PARTS[name].sections(found))
    return Document(NAME, "Benchmarks", tuple(map(_in_folder, (*first, *rest))), None)


def _musts(results: Results) -> Iterator[Text | Table]:
    rows = tuple(
        (line.what, line.figure, KEPT[line.kept], f"[{name}](results/{name}.json)") for name, line in verdicts(results)
    )
    if rows:
        yield Text("Ratios are of one run, the things compared taken in turn; in brackets the spread over its rounds.")
        yield Table(("must", "found", "", "figures"), rows, words=4)
    else:
        yield Text("Nothing of that was measured yet.")


def _origins(results: Results) -> Iterator[Text | Table]:
    rows = []
    for name, found in results.items():
        machine = PARTS[name].machine(found)
        load = "–" if machine.load is None else f"{machine.load:.2f}"
        place = machine.board or machine.cpu or machine.arch
        rows.append(
            (
                f"[{name}](results/{name}.json)",
                place,
                machine.os_name or machine.system,
                f"`{PARTS[name].command}`",
                f"{machine.cores}",
                load,
            )
        )
    if rows:
        yield Table(("figures", "machine", "system", "command", "cores", "load before"), tuple(rows), words=4)
    missing = [f"- {name}: `{part.command}`" for name, part in PARTS.items() if name not in results]
    if missing:
        yield Text("\n".join(("Not measured:", "", *missing)))
    yield Text(
        "Figures of different machines, or of different runs, do not compare. What each means: "
        "[docs/benchmarks.md](../docs/benchmarks.md). Written by `python -m benchmarks.report`."
    )


def _boards(boards: Sequence[Board], results: Results) -> Iterator[Text | Table]:
    yield table_of_boards(boards) if boards else Text("None has been measured yet.")
    guessed = table_of_estimates(results["device"]) if "device" in results else None
    if guessed:
        yield Text(
            "**Estimated, measured by nobody**, from the device below: what its networks take, times 11 to 14 for a "
            "Raspberry Pi 4 and half that for a Pi 5, and all else times 6 to 8, and half that "
            "([where this comes from](../docs/benchmarks.md#raspberry-pi))."
        )
        yield guessed
    yield Text("[How to send in the figures of a board](../docs/benchmarks.md#sending-in-a-board).")


def _in_folder(section: Section) -> Section:
    """The same section, its pictures in the folder beside the page."""
    blocks = tuple(
        Picture(f"{NAME}/{block.name}", block.says, block.size_in, block.draw) if isinstance(block, Picture) else block
        for block in section.blocks
    )
    return Section(section.title, blocks)


def main(argv: Sequence[str] | None = None) -> int:
    """0 done; 78 the figures cannot be read, or a page quotes some that there are not."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.report", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of the figures; default: %(default)s")
    parser.add_argument("--out", type=Path, help="write the page there, and leave all others as they are")
    given = parser.parse_args(argv)

    def body() -> None:
        results = read(given.results)
        print(f"page in {write(document(results, boards_in(given.results)), given.out or PAGE.parent)}")
        if given.out:
            return
        said = figures(results)
        for page in pages():
            before = page.read_text(encoding="utf-8")
            after = refreshed(before, said, page.name)
            if after != before:
                write_whole(page, after.encode())
                print(f"figures refreshed in {page}")

    return outcome(body)


if __name__ == "__main__":
    sys.exit(main())
