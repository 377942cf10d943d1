"""`python -m benchmarks`: run everything, keep the JSON, show the tables, write the report."""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from benchmarks.clips import clips
from benchmarks.device.page import report_on
from edge.bench.figures import Figures, measure_all
from edge.cli_bench import progress
from edge.errors import EdgeError, exit_code


def main(argv: Sequence[str] | None = None) -> int:
    """Returns pytest's exit code, or 78 where something cannot be measured here."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--json", type=Path, default=Path(".benchmarks/latest.json"), help="where the figures of stages alone go"
    )
    parser.add_argument(
        "--report", type=Path, default=Path(".benchmarks"), help="folder for report.md, its JSON and its pictures"
    )
    parser.add_argument("--quick", action="store_true", help="under a minute: without the stages alone, and less exact")
    arguments = parser.parse_args(argv)
    code = 0
    if not arguments.quick:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        options = ["--benchmark-only", f"--benchmark-json={arguments.json}", "--benchmark-columns=min,median,mean,max"]
        here = str(Path(__file__).parent / "device")
        code = int(pytest.main([here, "-o", "addopts=", "-q", "--benchmark-group-by=group", *options]))
    try:
        figures = _measured(arguments.quick)
        print(f"\nreport in {report_on(figures, arguments.report)}")
    except EdgeError as error:
        print(f"error: {error}", file=sys.stderr)
        return exit_code(error)
    return code


def _measured(quick: bool) -> dict[str, Figures]:
    figures = {}
    say = progress(time.monotonic())
    for name, source in clips().items():
        # what does not differ from clip to clip is measured with the first
        figures[name] = measure_all(source, quick=quick, brief=bool(figures), say=say)
        print()
        print(figures[name].text())
    return figures


if __name__ == "__main__":
    sys.exit(main())
