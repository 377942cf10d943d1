"""The workstation's command line: `fit`, `teach`, `adopt`, `evaluate`, `compare`, `predict`, `data` and `networks`."""

import argparse
import importlib.util
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from edge.errors import EXIT_CONFIG, EXIT_FAULT, ConfigError, EdgeError, PermanentError, exit_code

if TYPE_CHECKING:
    from training.checkpoint import EpochRow
    from training.data.dataset import Dataset
    from training.evaluate import Material
    from training.fit import Run
    from training.recipe import DataSettings

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

BACKENDS = ("tensorflow", "torch", "jax")
"""Keras' backends that training works with; the first is the default."""

PACKAGES = (BACKENDS[0], "keras", "matplotlib", "scipy", "sklearn", "tensorboardX", "tqdm")
"""What the extra `train` brings, as it is imported; some commands go without."""

_INSTALL = ".venv/bin/pip install -e '.[train]'"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; 0 done, 1 fault, 78 what was asked for cannot be done as asked."""
    arguments = _parser().parse_args(argv)
    try:
        _prepare_backend(arguments.threads)
        arguments.command(arguments)
    except (EdgeError, OSError) as error:  # OSError: a full disk, a directory that must not be written to
        print(f"error: {error}", file=sys.stderr)
        return exit_code(error)
    except KeyboardInterrupt:
        print("interrupted; a run goes on from its last epoch with --resume", file=sys.stderr)
        return EXIT_FAULT
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in PACKAGES:
            raise
        print(f"error: {_missing(package)}", file=sys.stderr)
        return EXIT_CONFIG
    return 0


def _missing(package: str) -> str:
    """What to do about a package that a command needs and that is not installed."""
    if package != BACKENDS[0]:
        return f"the package {package} is not installed here; install what training takes: {_INSTALL}"
    here = [name for name in BACKENDS[1:] if importlib.util.find_spec(name) is not None]
    other = (
        f"KERAS_BACKEND={here[0]}, which is installed here" if here else "KERAS_BACKEND=torch or jax, with that package"
    )
    return (
        f"TensorFlow is not installed here, and it is what Keras runs on unless KERAS_BACKEND names another; install "
        f"it: {_INSTALL}; or set {other}"
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--data", type=Path, required=True, help="a file or folder, see docs/data.md")
    shared.add_argument("--cache", type=Path, default=Path("runs/cache"), help="what depends on the data alone")
    shared.add_argument("--threads", type=int, metavar="N", help="CPU threads of the backend; default: all")

    fit = commands.add_parser("fit", parents=[shared], help="train a network by a recipe")
    fit.add_argument("recipe", type=Path, help="TOML file, as in training/recipes")
    fit.add_argument("--out", type=Path, help="directory for the result; default: runs/NAME-of-the-recipe")
    fit.add_argument("--seed", type=_seed, default=1, help="default: 1")
    fit.add_argument("--resume", action="store_true", help="go on from the checkpoint in --out")
    fit.add_argument("--max-minutes", type=float, metavar="M", help="stop after M minutes, with a checkpoint")
    fit.set_defaults(command=_fit)

    teach = commands.add_parser("teach", parents=[shared], help="make soft labels for a recipe's [soft_labels]")
    teach.add_argument("recipe", type=Path, help="of the teachers")
    teach.add_argument("--student", type=Path, metavar="RECIPE", help="whose data and views; default: the teachers'")
    teach.add_argument("--folds", type=int, default=5, help="parts of the data, and teachers; default: 5")
    teach.add_argument("--views", type=int, default=12, help="augmented views of each picture; default: 12")
    teach.add_argument("--out", type=Path, required=True, help="directory for all of it; a run goes on there")
    teach.add_argument("--seed", type=_seed, default=1, help="default: 1")
    teach.add_argument("--max-minutes", type=float, metavar="M", help="stop after M minutes; call again to go on")
    teach.set_defaults(command=_teach)

    source = argparse.ArgumentParser(add_help=False, parents=[shared])
    source.add_argument("--loader", help="how to read --data, see docs/data.md; default: the recipe's, fer2013-csv")
    source.add_argument("--recipe", type=Path, help="read --data as this recipe does")

    adopt = commands.add_parser("adopt", parents=[source], help="take in a Keras model that was trained elsewhere")
    adopt.add_argument("model", type=Path, help=".h5 or .keras")
    adopt.add_argument("--labels", required=True, help="class names in the order of its outputs, with commas between")
    adopt.add_argument(
        "--expects",
        choices=("raw", "unit", "symmetric"),
        required=True,
        help="what it was trained on: 0..255, x/255 in [0, 1], or (x/255 − 0.5)/0.5 in [−1, 1]",
    )
    adopt.add_argument("--out", type=Path, required=True, help="directory for the result")
    adopt.set_defaults(command=_adopt)

    measured = argparse.ArgumentParser(add_help=False, parents=[source])
    measured.add_argument("--split", help="what to measure on; default: the recipe's report split, PublicTest")
    measured.add_argument("--flip", action="store_true", help="average with the mirrored picture")
    measured.add_argument("--json", type=Path, metavar="OUT", help="write the figures to this file too")

    evaluate = commands.add_parser("evaluate", parents=[measured], help="measure a .keras or .tflite model")
    evaluate.add_argument("model", type=Path, nargs="+", help="several are an ensemble: their probabilities' mean")
    evaluate.add_argument(
        "--report", type=Path, metavar="DIR", help="write everything there: evaluation.md, evaluation.json, pictures"
    )
    evaluate.set_defaults(command=_evaluate)

    _add_predict(commands, source)

    compare = commands.add_parser("compare", parents=[measured], help="say which of two models is better, if either")
    side = "a model file, or several with + between, which are an ensemble: a.keras+b.tflite"
    compare.add_argument("a", help=side)
    compare.add_argument("b", help="likewise")
    compare.set_defaults(command=_compare)

    networks = commands.add_parser("networks", help="show what each recipe's network is, and costs")
    networks.set_defaults(command=_networks, threads=None)

    _add_data(commands, source)
    return parser


def _add_predict(commands: Commands, source: argparse.ArgumentParser) -> None:
    predict = commands.add_parser("predict", parents=[source], help="name the expression on each picture, and write it")
    predict.add_argument("model", type=Path, nargs="+", help="several are an ensemble: their probabilities' mean")
    predict.add_argument("--split", help="what to name; default: the part without labels, or the recipe's report split")
    predict.add_argument("--flip", action="store_true", help="average with the mirrored picture")
    predict.add_argument("--out", type=Path, required=True, metavar="FILE", help="where to: .csv or .jsonl")
    predict.set_defaults(command=_predict)


def _add_data(commands: Commands, source: argparse.ArgumentParser) -> None:
    data = commands.add_parser("data", parents=[source], help="say what is in the data, and write it in other forms")
    data.add_argument("--npy", type=Path, metavar="DIR", help="write pairs of .npy files")
    data.add_argument("--folders", type=Path, metavar="DIR", help="write one folder for each split and class")
    data.add_argument("--pack", type=Path, metavar="FILE", help="write one file of at most 60 MB, for moving the data")
    data.add_argument("--sheet", type=Path, metavar="PNG", help="draw some pictures; with --recipe augmented as well")
    data.set_defaults(command=_data)


def _seed(text: str) -> int:
    """A whole number from 0, given as an argument."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r}, expected a whole number from 0")
    return int(text)


def _prepare_backend(threads: int | None) -> None:
    """Keras and its backend read these once, when they are first imported.

    Raises:
        ConfigError: no such backend, or the one that was asked for is not installed.
    """
    backend = os.environ["KERAS_BACKEND"] = os.environ.get("KERAS_BACKEND") or "tensorflow"
    if backend not in BACKENDS:
        raise ConfigError(f"KERAS_BACKEND={backend}: expected one of {', '.join(BACKENDS)}")
    if backend != BACKENDS[0] and importlib.util.find_spec(backend) is None:
        raise ConfigError(f"KERAS_BACKEND={backend}: that package is not installed here; install it, or unset it")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    if threads is not None:
        # the last two are JAX's, whose compiler takes the number of processors from them; PyTorch heeds OpenMP's
        limits = ("TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NPROC", "PJRT_NPROC")
        for name in limits:
            os.environ[name] = str(threads)
        os.environ["TF_NUM_INTEROP_THREADS"] = "1"


def _fit(arguments: argparse.Namespace) -> None:
    from training.fit import Run, fit_parts, prepare  # noqa: PLC0415
    from training.recipe import load_recipe  # noqa: PLC0415

    recipe = load_recipe(arguments.recipe)
    run = Run(
        recipe=recipe,
        data=arguments.data,
        out=arguments.out or Path("runs") / recipe.name,
        cache=arguments.cache,
        seed=arguments.seed,
        resume=arguments.resume,
        max_minutes=arguments.max_minutes,
    )
    source = prepare(run)
    if fit_parts(run, source.parts, source.sha256) is not None:
        _report_run(run, source.dataset)


def _report_run(run: "Run", dataset: "Dataset") -> None:
    """The model is there by now: that its pictures cannot be drawn is said, and is no failure of the run."""
    from training.evaluate import material_of  # noqa: PLC0415
    from training.reporting.run_report import DIRECTORY, report_run  # noqa: PLC0415

    settings = run.recipe.data
    try:
        material = material_of(dataset, run.data, settings.report_split, settings.loader)
        report_run(run.out, material, settings.train_split, run.cache)
    except (EdgeError, OSError) as error:
        print(f"the model is written, its report with pictures is not: {error}", file=sys.stderr)
    else:
        print(f"report in {run.out / DIRECTORY}")


def _teach(arguments: argparse.Namespace) -> None:
    from training.fit import Run  # noqa: PLC0415
    from training.recipe import load_recipe  # noqa: PLC0415
    from training.teach import Lesson, teach  # noqa: PLC0415

    teachers = load_recipe(arguments.recipe)
    run = Run(
        recipe=teachers,
        data=arguments.data,
        out=arguments.out,
        cache=arguments.cache,
        seed=arguments.seed,
        max_minutes=arguments.max_minutes,
    )
    student = load_recipe(arguments.student) if arguments.student else teachers
    outcome = teach(Lesson(run, student, arguments.folds, arguments.views))
    if outcome is not None:
        print(
            f"{outcome.path}: answers to {arguments.views} view(s) of {outcome.pictures} pictures, "
            f"{outcome.accuracy:.4f} of them right, NLL {outcome.nll:.4f}; "
            f'give it to a student as [soft_labels] path = "{outcome.path}"'
        )


def _read_material(arguments: argparse.Namespace) -> "tuple[Material, DataSettings]":
    from training.asked import data_settings  # noqa: PLC0415
    from training.evaluate import read_material  # noqa: PLC0415

    settings = data_settings(arguments)
    split = arguments.split or settings.report_split
    return read_material(arguments.data, split, settings.loader, arguments.cache, settings.options), settings


def _adopt(arguments: argparse.Namespace) -> None:
    from training.asked import adoption  # noqa: PLC0415
    from training.foreign import adopt  # noqa: PLC0415

    report = adopt(adoption(arguments))
    print(f"{arguments.out}: {report.headline()}")


def _data(arguments: argparse.Namespace) -> None:
    from training.asked import data_settings  # noqa: PLC0415
    from training.data import load_data  # noqa: PLC0415
    from training.data.export import write_folders, write_npy  # noqa: PLC0415
    from training.data.pack import write as write_pack  # noqa: PLC0415
    from training.data.summary import describe  # noqa: PLC0415

    settings = data_settings(arguments)
    dataset = load_data(settings.loader, arguments.data, arguments.cache, settings.options)
    print(describe(dataset))
    for path, write in ((arguments.npy, write_npy), (arguments.folders, write_folders), (arguments.pack, write_pack)):
        if path:
            write(dataset, path)
            print(f"wrote {path}")
    if arguments.sheet:
        _draw_sheet(arguments, dataset)
        print(f"wrote {arguments.sheet}")


def _draw_sheet(arguments: argparse.Namespace, dataset: "Dataset") -> None:
    from training.augment import augment  # noqa: PLC0415
    from training.data.sheet import contact_sheet, write_sheet  # noqa: PLC0415
    from training.recipe import load_recipe  # noqa: PLC0415

    settings = load_recipe(arguments.recipe).augment if arguments.recipe else None
    view = settings and (lambda chips, rows, number: augment(chips, rows, number, 1, settings))
    write_sheet(contact_sheet(dataset, view=view), arguments.sheet)


def _evaluate(arguments: argparse.Namespace) -> None:
    from training.evaluate import ask, judge, load_together, table  # noqa: PLC0415

    predictor = load_together(arguments.model)
    history = _history(arguments.model) if arguments.report else ()
    material, settings = _read_material(arguments)
    answers = ask(arguments.model, predictor, material, arguments.flip, both=arguments.report is not None)
    evaluation = judge(answers)
    print(table(evaluation))
    if arguments.json:
        evaluation.write(arguments.json)
    if arguments.report:
        from training.reporting.model_report import report_on  # noqa: PLC0415

        report_on(answers, arguments.report, settings.train_split, arguments.cache, history)
        print(f"\nreport in {arguments.report}")


def _history(models: Sequence[Path]) -> "tuple[EpochRow, ...]":
    """The course of the run beside a model, if there is one; an ensemble has none of its own."""
    from training.artefacts import HISTORY  # noqa: PLC0415
    from training.reporting.course import read_history  # noqa: PLC0415

    beside = models[0].with_name(HISTORY)
    if len(models) > 1 or not beside.is_file():
        return ()
    try:
        return read_history(beside)
    except PermanentError as error:
        print(f"the course of the training is not drawn: {error}", file=sys.stderr)
        return ()


def _predict(arguments: argparse.Namespace) -> None:
    from training.asked import data_settings  # noqa: PLC0415
    from training.predict import check_suffix, predict, table, write  # noqa: PLC0415

    check_suffix(arguments.out)
    settings = data_settings(arguments)
    predictions = predict(arguments.model, arguments.data, settings, arguments.split, arguments.cache, arguments.flip)
    write(predictions, arguments.out)
    print(table(predictions))
    print(f"\nwrote {arguments.out}")


def _compare(arguments: argparse.Namespace) -> None:
    from training.compare import compare, sides, table  # noqa: PLC0415

    a, b = sides(arguments.a), sides(arguments.b)
    material, _ = _read_material(arguments)
    comparison = compare(a, b, material, arguments.flip)
    print(table(comparison))
    if arguments.json:
        comparison.write(arguments.json)


def _networks(_: argparse.Namespace) -> None:
    from training.networks.table import table  # noqa: PLC0415

    print(table())
