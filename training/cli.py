"""The workstation's command line: `fit` and `evaluate`."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from edge.errors import EXIT_FAULT, EdgeError, exit_code


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; 0 done, 1 fault, 78 what was asked for cannot be done as asked."""
    arguments = _parser().parse_args(argv)
    _prepare_backend(arguments.threads)
    try:
        arguments.command(arguments)
    except (EdgeError, OSError) as error:  # OSError: a full disk, a directory that must not be written to
        print(f"error: {error}", file=sys.stderr)
        return exit_code(error)
    except KeyboardInterrupt:
        print("interrupted; a run goes on from its last epoch with --resume", file=sys.stderr)
        return EXIT_FAULT
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--data", type=Path, required=True, help="FER2013's CSV (.csv or .csv.gz)")
    shared.add_argument("--cache", type=Path, default=Path("runs/cache"), help="what depends on the data alone")
    shared.add_argument("--threads", type=int, metavar="N", help="CPU threads of the backend; default: all")

    fit = commands.add_parser("fit", parents=[shared], help="train a network by a recipe")
    fit.add_argument("recipe", type=Path, help="TOML file, as in training/recipes")
    fit.add_argument("--out", type=Path, help="directory for the result; default: runs/NAME-of-the-recipe")
    fit.add_argument("--seed", type=int, default=1, help="default: 1")
    fit.add_argument("--resume", action="store_true", help="go on from the checkpoint in --out")
    fit.add_argument("--max-minutes", type=float, metavar="M", help="stop after M minutes, with a checkpoint")
    fit.set_defaults(command=_fit)

    evaluate = commands.add_parser("evaluate", parents=[shared], help="measure a .keras or .tflite model")
    evaluate.add_argument("model", type=Path)
    evaluate.add_argument("--split", default="PublicTest", help="default: PublicTest")
    evaluate.add_argument("--loader", default="fer2013-csv", help="how to read --data; default: fer2013-csv")
    evaluate.add_argument("--flip", action="store_true", help="average with the mirrored picture")
    evaluate.add_argument("--json", type=Path, metavar="OUT", help="write the figures to this file too")
    evaluate.set_defaults(command=_evaluate)
    return parser


def _prepare_backend(threads: int | None) -> None:
    """Keras and TensorFlow read these once, when they are first imported."""
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    if threads is not None:
        for name in ("TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
            os.environ[name] = str(threads)
        os.environ["TF_NUM_INTEROP_THREADS"] = "1"


def _fit(arguments: argparse.Namespace) -> None:
    from training.fit import Run, fit  # noqa: PLC0415
    from training.recipe import load_recipe  # noqa: PLC0415

    recipe = load_recipe(arguments.recipe)
    fit(
        Run(
            recipe=recipe,
            data=arguments.data,
            out=arguments.out or Path("runs") / recipe.name,
            cache=arguments.cache,
            seed=arguments.seed,
            resume=arguments.resume,
            max_minutes=arguments.max_minutes,
        )
    )


def _evaluate(arguments: argparse.Namespace) -> None:
    from training.evaluate import evaluate, table  # noqa: PLC0415

    evaluation = evaluate(
        arguments.model, arguments.data, arguments.split, arguments.loader, arguments.cache, arguments.flip
    )
    print(table(evaluation))
    if arguments.json:
        evaluation.write(arguments.json)
