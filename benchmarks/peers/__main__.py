"""`python -m benchmarks.peers`: what people use instead, on the same film, in one run.

Each program in a process and an environment of its own; the environments are made on first use (8 GB in all, minutes)
and kept. What cannot be installed is left out, and the page says why.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.outcome import outcome
from benchmarks.peers.catalogue import CATALOGUE
from benchmarks.peers.environments import ENVIRONMENTS
from benchmarks.peers.found import OWN
from benchmarks.peers.peers_page import document
from benchmarks.peers.survey import TURNS, Plan, survey
from training.reporting.document import write

FRAMES, QUICK_FRAMES = 300, 60
QUICK_TURNS = 2


def main(argv: Sequence[str] | None = None) -> int:
    """0 done; 1 or 78 what was asked for cannot be done as asked."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.peers", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = [peer.name for peer in CATALOGUE]
    add = parser.add_argument
    add("--source", help="a video; default: the real clip where it is at hand, else one drawn by code")
    add(
        "--environments", type=Path, default=Path(".benchmarks/peers"), help="where they are kept; default: %(default)s"
    )
    add("--repeat", type=int, default=5, help="rounds in which each program has its turn; default: %(default)s")
    add("--quick", action="store_true", help="one round, few frames: shows that everything works, measures nothing")
    add("--only", nargs="+", choices=names, metavar="NAME", help=f"beside {OWN}: one of {'; '.join(names)}")
    add("--out", type=Path, default=Path("runs/peers"), help="default: %(default)s")
    given = parser.parse_args(argv)
    plan = Plan(
        peers=[peer for peer in CATALOGUE if not given.only or peer.name in (OWN, *given.only)],
        environments=ENVIRONMENTS,
        folder=given.environments,
        source=given.source,
        frames=QUICK_FRAMES if given.quick else FRAMES,
        rounds=1 if given.quick else max(given.repeat, 1),
        turns=QUICK_TURNS if given.quick else TURNS,
    )
    return outcome(lambda: print(f"page in {write(document(survey(plan, _say)), given.out)}"))


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
