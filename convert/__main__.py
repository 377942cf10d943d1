"""`python -m convert`: quantize, verify, report, from-torch, to-onnx."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias, get_args

from convert import exchange
from edge.contract.card import Mode
from edge.errors import EXIT_CLEAN, EXIT_FAULT, EdgeError, exit_code

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


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
    quantize = commands.add_parser("quantize", help="make a .tflite with its card")
    quantize.add_argument(
        "model",
        type=Path,
        help=".keras, .h5 or SavedModel directory with its report.json beside it, or a float32 .tflite",
    )
    quantize.add_argument("--data", type=Path, required=True, help="what the model was trained on")
    quantize.add_argument("--out", type=Path, required=True, help="the .tflite to write")
    quantize.add_argument("--report", type=Path, help="a page (.md) of figures, JSON beside it; default: by --out")
    quantize.add_argument("--cache", type=Path, default=Path("runs/cache"), help="where parsed data is kept")
    quantize.add_argument("--seed", type=int, default=1, help="of the choice of calibration chips; default: 1")
    quantize.add_argument("--mode", choices=get_args(Mode), default="int8", help="what to quantise; default: int8")
    quantize.set_defaults(command=_quantize)
    _add_verify(commands)
    _add_report(commands)
    exchange.add_commands(commands)
    return parser


def _add_verify(commands: Commands) -> None:
    verify = commands.add_parser("verify", help="check a .tflite: its structure and card, and with --data its answers")
    verify.add_argument("model", type=Path)
    verify.add_argument("--data", type=Path, help="pictures to measure on; default: what can be checked without")
    verify.add_argument("--against", type=Path, metavar="KERAS", help="the float model; default: the card's figures")
    verify.add_argument("--split", help="of the data; default: what its recipe reports on")
    verify.add_argument("--loader", help="how to read --data, see docs/data.md; default: as its recipe does")
    for name, default, what in (
        ("--max-accuracy-drop", 0.5, "accuracy that may be lost"),
        ("--max-recall-drop", 1.0, "a class's recall that may be lost for sure"),
    ):
        verify.add_argument(name, type=_points, default=default, metavar="POINTS", help=f"{what}; default: {default:g}")
    verify.add_argument("--json", type=Path, metavar="OUT", help="write the findings and figures to this file too")
    verify.add_argument("--cache", type=Path, default=Path("runs/cache"), help="where parsed data is kept")
    verify.set_defaults(command=_verify)


def _add_report(commands: Commands) -> None:
    report = commands.add_parser("report", help="a page with pictures: what each file costs, and what it is worth")
    report.add_argument("model", type=Path, nargs="+", help=".tflite, the one in question first")
    report.add_argument("--data", type=Path, required=True, help="pictures to measure on")
    report.add_argument("--against", type=Path, metavar="KERAS", help="the float model; default: the first file")
    report.add_argument(
        "--modes", nargs="*", choices=get_args(Mode), default=get_args(Mode), metavar="MODE",
        help=f"to make of the float model as well; default: all of {', '.join(get_args(Mode))}",
    )  # fmt: skip
    report.add_argument("--out", type=Path, required=True, metavar="DIR", help="where page and pictures are written")
    report.add_argument("--split", help="of the data; default: what the first model's recipe reports on")
    report.add_argument("--loader", help="how to read --data, see docs/data.md; default: as its recipe does")
    report.add_argument("--seed", type=int, default=1, help="of the choice of calibration chips; default: 1")
    report.add_argument("--cache", type=Path, default=Path("runs/cache"), help="where parsed data is kept")
    report.set_defaults(command=_report)


def _points(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 100:
        raise argparse.ArgumentTypeError(f"{text}: expected points of a hundred, 0 to 100")
    return value


def _quantize(arguments: argparse.Namespace) -> int:
    from convert.quantize import Job, quantize  # noqa: PLC0415  # TensorFlow is slow to load
    from convert.report import page_path, write_report  # noqa: PLC0415

    page = page_path(arguments.report or arguments.out.with_suffix(".report.md"))
    places = (arguments.model, arguments.data, arguments.out)
    job = Job(*places, cache=arguments.cache, seed=arguments.seed, mode=arguments.mode)
    result = quantize(job)
    write_report(result, arguments.out.name, page)
    print(
        f"{arguments.out}: {result.size_b / 1000:.0f} KB, accuracy on {result.split} "
        f"{result.float_scores.accuracy:.4f} float32, {result.int8_scores.accuracy:.4f} {job.mode}, "
        f"agreement {result.agreement:.4f}; report in {page}"
    )
    return 0


def _verify(arguments: argparse.Namespace) -> int:
    from convert.gate import Limits  # noqa: PLC0415
    from convert.verify import Question, judge  # noqa: PLC0415

    verdict = judge(
        Question(
            model=arguments.model,
            against=arguments.against,
            data=arguments.data,
            split=arguments.split,
            loader=arguments.loader,
            cache=arguments.cache,
            limits=Limits(arguments.max_accuracy_drop, arguments.max_recall_drop),
        )
    )
    for finding in verdict.findings:
        print(finding.line())
    if arguments.json:
        verdict.write(arguments.json)
    return EXIT_CLEAN if verdict.passed else EXIT_FAULT


def _report(arguments: argparse.Namespace) -> int:
    from convert.overview import Question, overview  # noqa: PLC0415  # TensorFlow is slow to load
    from convert.overview_page import document  # noqa: PLC0415
    from training.reporting.document import write  # noqa: PLC0415

    found = overview(
        Question(
            models=tuple(arguments.model),
            data=arguments.data,
            against=arguments.against,
            modes=tuple(arguments.modes),
            split=arguments.split,
            loader=arguments.loader,
            cache=arguments.cache,
            seed=arguments.seed,
        )
    )
    print(f"report in {write(document(found), arguments.out)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
