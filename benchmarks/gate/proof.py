"""`python -m benchmarks.gate.proof`: does the gate catch what it should, and nothing else?

The working tree is compared with itself, as often unchanged as with one stage slowed down by a fifth: each time another
stage. A wrapper around the function behind it spins after each call for a fifth of the time the call took; the other
side has the same wrapper, which does not spin.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.gate.__main__ import end_on_request, positive, told
from benchmarks.gate.found import Proof
from benchmarks.gate.page import proof_document
from benchmarks.gate.run import TOLERANCE, Say, compare, copied, load
from benchmarks.gate.slow import STAGES
from benchmarks.outcome import outcome
from training.reporting.document import write

SHARE = 0.2
MINUTES = 0.5


def survey(stages: Sequence[str], minutes: float, say: Say, *, share: float = SHARE, revision: str = "") -> Proof:
    """Run the gate twice for each stage: unchanged, and with that stage slowed down.

    Args:
        stages: one after the other.
        minutes: of each measurement.
        say: told each verdict.
        share: by how much a stage is slowed down.
        revision: compared with itself; empty: the working tree.

    Raises:
        ConfigError: it cannot be measured.
    """
    shown = load(None)
    runs = []
    with tempfile.TemporaryDirectory(prefix="emotion-edge-trees-") as folder:
        trees = copied(revision, revision, Path(folder))
        for stage in stages:
            for slow in ("", stage):
                run = compare(trees, shown, _silent, minutes=minutes, tolerance=TOLERANCE, slow=slow, share=share)
                runs.append(run)
                took = f"{run.seconds:.0f} s, load {run.machine.load}"
                say(f"{len(runs):>3} of {2 * len(stages)}: {run.verdict()} ({took})")
    return Proof(share, tuple(runs))


def _silent(_: str) -> None:
    """Pairs of processes are too many to be told."""


def main(argv: Sequence[str] | None = None) -> int:
    """0 all slow-downs caught and no false alarm; 1 not so; 78 it cannot be measured here."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.gate.proof",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--runs", type=int, choices=range(1, len(STAGES) + 1), default=len(STAGES), help="of each kind")
    parser.add_argument("--stage", action="append", choices=STAGES, help="only this one; may be given again")
    parser.add_argument("--minutes", type=positive, default=MINUTES, help=f"of each measurement; default: {MINUTES:g}")
    parser.add_argument("--share", type=positive, default=SHARE, help=f"to slow a stage by; default: {SHARE:g}")
    parser.add_argument("--revision", default="", help="compared with itself; default: the working tree")
    parser.add_argument("--out", type=Path, default=Path("runs/gate"), help="default: runs/gate")
    given = parser.parse_args(argv)
    end_on_request()
    found: list[Proof] = []

    def body() -> None:
        stages = given.stage or STAGES[: given.runs]
        found.append(survey(stages, given.minutes, told, share=given.share, revision=given.revision))
        print(f"{found[0].text()}\npage in {write(proof_document(found[0]), given.out)}")

    return outcome(body) or int(not found[0].holds())


if __name__ == "__main__":
    sys.exit(main())
