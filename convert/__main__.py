"""`python -m convert`: quantize, verify."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from edge.errors import EdgeError, exit_code


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; 0 done, 1 the model does not pass, 78 what was asked for cannot be done as asked."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    arguments = _parser().parse_args(argv)
    try:
        code: int = arguments.command(arguments)
    except EdgeError as error:
        print(f"error: {error}", file=sys.stderr)
        return exit_code(error)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m convert", description="Keras models to TFLite, with proof.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    quantize = commands.add_parser("quantize", help="make an int8 .tflite with its card")
    quantize.add_argument("model", type=Path, help="Keras model with its report.json beside it")
    quantize.add_argument("--data", type=Path, required=True, help="what the model was trained on")
    quantize.add_argument("--out", type=Path, required=True, help="the .tflite to write")
    quantize.add_argument("--report", type=Path, help="a page (.md) of figures, JSON beside it; default: by --out")
    quantize.add_argument("--cache", type=Path, default=Path("runs/cache"), help="where parsed data is kept")
    quantize.add_argument("--seed", type=int, default=1, help="of the choice of calibration chips; default: 1")
    quantize.set_defaults(command=_quantize)
    verify = commands.add_parser("verify", help="check a .tflite: its ends, operators, card and golden chips")
    verify.add_argument("model", type=Path)
    verify.set_defaults(command=_verify)
    return parser


def _quantize(arguments: argparse.Namespace) -> int:
    from convert.quantize import Job, quantize  # noqa: PLC0415  # TensorFlow is slow to load
    from convert.report import page_path, write_report  # noqa: PLC0415

    page = page_path(arguments.report or arguments.out.with_suffix(".report.md"))
    job = Job(arguments.model, arguments.data, arguments.out, cache=arguments.cache, seed=arguments.seed)
    result = quantize(job)
    write_report(result, arguments.out.name, page)
    print(
        f"{arguments.out}: {result.size_b / 1000:.0f} KB, accuracy on {result.split} "
        f"{result.float_scores.accuracy:.4f} float32, {result.int8_scores.accuracy:.4f} int8, "
        f"agreement {result.agreement:.4f}; report in {page}"
    )
    return 0


def _verify(arguments: argparse.Namespace) -> int:
    from convert.verify import verify  # noqa: PLC0415

    findings = verify(arguments.model)
    for finding in findings:
        print(f"{'ok  ' if finding.passed else 'FAIL'} {finding.what}: {finding.found}")
    return 0 if all(finding.passed for finding in findings) else 1


if __name__ == "__main__":
    sys.exit(main())
