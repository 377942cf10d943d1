"""`python -m benchmarks.gate REV`: is the working tree slower than another revision? Both measured in turn, in one run.

Each revision runs in processes of its own, on the same frames; a process of one and a process of the other take turns
every 30 frames, and both are made anew again and again. What is compared is processor time: of each stage, of the whole
frame, and until the program is ready. What seems slower is measured once more before anything is said.
"""

import argparse
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec

from benchmarks.gate.found import Compared
from benchmarks.gate.page import document
from benchmarks.gate.run import MINUTES, TOLERANCE, compare, copied, load
from benchmarks.gate.sides import LEAST_PAIRS
from benchmarks.gate.slow import STAGES
from benchmarks.outcome import outcome
from training.files import write_whole
from training.reporting.document import write

EXIT_WORSE = 1


def end_on_request() -> None:
    """So that whoever ends it by a signal finds nothing left over."""
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))


def told(text: str) -> None:
    """At once, so that a long run can be followed in a file too."""
    print(text, flush=True)


def main(argv: Sequence[str] | None = None) -> int:
    """0 nothing is slower; 1 something is, or a process died; 78 what was asked for cannot be done as asked."""
    given = _parsed(argv)
    end_on_request()
    found: list[Compared] = []

    def body() -> None:
        with tempfile.TemporaryDirectory(prefix="emotion-edge-trees-") as folder:
            trees = copied(given.revision, given.after, Path(folder))
            told(f"before: {trees.before.text()}; after: {trees.after.text()}")
            compared = compare(
                trees,
                load(given.source),
                told,
                minutes=given.minutes,
                tolerance=given.tolerance,
                slow=given.slow,
                share=given.share,
            )
        found.append(compared)
        print(compared.text())
        if given.json:
            write_whole(given.json, msgspec.json.format(msgspec.json.encode(compared), indent=2) + b"\n")
        if given.out:
            print(f"page in {write(document(compared), given.out)}")

    code = outcome(body)
    return code or (EXIT_WORSE if found[0].of("worse") else 0)


def _parsed(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.gate", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("revision", metavar="REV", help="to compare with: a hash, a branch, a tag, HEAD~3 …")
    parser.add_argument(
        "after", metavar="REV2", nargs="?", default="", help="that is judged; default: the working tree"
    )
    parser.add_argument(
        "--minutes",
        type=positive,
        default=MINUTES,
        help=f"for the measurement, at least {LEAST_PAIRS} pairs of processes; as long again where something has to be "
        f"measured again; default: {MINUTES:g}",
    )
    parser.add_argument(
        "--tolerance", type=positive, default=TOLERANCE, help=f"what is no slow-down; default: {TOLERANCE:g}"
    )
    parser.add_argument(
        "--source", help="a video to measure on; default: the generated clip, and the real one if there"
    )
    parser.add_argument("--slow", choices=STAGES, default="", help="a stage to slow down on purpose, to try the gate")
    parser.add_argument("--share", type=positive, default=0.2, help="by how much; default: 0.2")
    parser.add_argument("--json", type=Path, help="file for the figures")
    parser.add_argument("--out", type=Path, help="folder for a page, its figures and its picture")
    return parser.parse_args(argv)


def positive(text: str) -> float:
    value = float(text)
    if not 0 < value < 1e6:
        raise argparse.ArgumentTypeError(f"found {text}; expected more than 0")
    return value


if __name__ == "__main__":
    sys.exit(main())
