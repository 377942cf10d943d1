"""`python -m benchmarks`: run everything, keep the JSON, show the tables."""

import argparse
import sys
from pathlib import Path

import pytest

from benchmarks.clips import clips
from edge.bench.figures import measure_all


def main() -> int:
    """Returns pytest's exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--json", type=Path, default=Path(".benchmarks/latest.json"), help="where the figures go")
    parser.add_argument("--quick", action="store_true", help="whole frames only")
    arguments = parser.parse_args()
    code = 0
    if not arguments.quick:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        options = ["--benchmark-only", f"--benchmark-json={arguments.json}", "--benchmark-columns=min,median,mean,max"]
        here = str(Path(__file__).parent)
        code = int(pytest.main([here, "-o", "addopts=", "-q", "--benchmark-group-by=group", *options]))
    for source in clips().values():
        print()
        print(measure_all(source, quick=arguments.quick).text())
    return code


if __name__ == "__main__":
    sys.exit(main())
