"""Tries the program in emulated userlands of Raspberry Pis and prints a table: `python -m tests.stages.arm64_matrix`.

Needs root, `apt-get install -y --no-install-recommends mmdebstrap qemu-user-static`, and a network the first time. It
says whether the program works there, and nothing about how fast.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest

from edge import model_store
from edge.detectors.blazeface import VARIANTS
from tests.elsewhere import ROOT, VARIABLE, Place, built_wheel
from tests.stages.arm64_cell import Cell, Faces, table
from tests.stages.arm64_probes import doctor, look, versions, watch
from tests.stages.arm64_root import PARTS, SUITES, add_models, arm64_root, as_processor, unmet


def detectors() -> list[Path]:
    """The detectors' files on this machine.

    Raises:
        AssertionError: one has not been fetched.
    """
    found = [(variant.file, model_store.find(variant.file)) for variant in VARIANTS.values()]
    missing = [name for name, path in found if path is None]
    assert not missing, f"{', '.join(missing)} are not here; run `emotion-edge models fetch`"
    return [path for _, path in found if path is not None]


def userland(kept: Path, wheel: Path, suite: str) -> Path:
    """One with the face detectors in it."""
    root = arm64_root(kept, wheel, suite)
    add_models(root, detectors())
    return root


@cache
def faces_here() -> Faces:
    """What the detector finds on this machine."""
    return look(Place((sys.executable,), {"PYTHONPATH": str(ROOT), "EMOTION_EDGE_MODELS": str(detectors()[0].parent)}))


def examined(root: Path, suite: str, processor: str) -> Cell:
    """All that is looked at in one userland on one processor."""
    began_s = time.monotonic()
    place = as_processor(root, processor)
    return Cell(
        suite=suite,
        processor=processor,
        versions=versions(place),
        unmet=tuple(unmet(root, suite)),
        answers=place.answers(),
        faces=look(place),
        faces_here=faces_here(),
        watched=watch(place),
        doctor=doctor(place),
        took_s=time.monotonic() - began_s,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a line for each cell and, below, what is wrong; 1 if anything is."""
    parser = argparse.ArgumentParser(prog="python -m tests.stages.arm64_matrix", description=(__doc__ or "").strip())
    parser.add_argument("--suite", choices=SUITES, action="append", help="of Debian; all unless given")
    parser.add_argument("--processor", choices=PARTS, action="append", help="all unless given")
    options = parser.parse_args(arguments)
    kept = Path(os.environ.get(VARIABLE) or ROOT / ".pytest_cache" / "d" / "compatibility").absolute()
    kept.mkdir(parents=True, exist_ok=True)
    cells = []
    try:
        with tempfile.TemporaryDirectory() as folder:
            wheel = built_wheel(Path(folder))
            for suite in options.suite or SUITES:
                root = userland(kept, wheel, suite)
                for processor in options.processor or PARTS:
                    cells.append(examined(root, suite, processor))
                    print(" · ".join(cells[-1].row()), file=sys.stderr, flush=True)
    except (pytest.skip.Exception, pytest.fail.Exception) as missing:
        print(missing, file=sys.stderr)
        return 1
    print(table(cells))
    faults = [f"{cell.suite} on {cell.processor}: {fault}" for cell in cells for fault in cell.faults()]
    print("\n".join(faults), end="\n" if faults else "")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
