"""The commands that take weights of PyTorch in and give models out as ONNX."""

import argparse
from pathlib import Path
from typing import TypeAlias

from edge.errors import EXIT_CLEAN

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def add_commands(commands: Commands) -> None:
    """Add `from-torch` and `to-onnx`."""
    take = commands.add_parser("from-torch", help="make a Keras model of PyTorch weights, and measure it")
    take.add_argument("model", metavar="weights", type=Path, help=".pt or .pth: a state dict, alone or in a checkpoint")
    take.add_argument("--labels", required=True, help="class names in the order of its outputs, with commas between")
    take.add_argument("--data", type=Path, required=True, help="pictures to measure and calibrate on, see docs/data.md")
    take.add_argument("--out", type=Path, required=True, metavar="DIR", help="where model.keras and report.json go")
    take.add_argument(
        "--expects",
        choices=("raw", "unit", "symmetric"),
        default="symmetric",
        help="what it was trained on: 0..255, x/255, or (x/255 − 0.5)/0.5; default: symmetric, the last",
    )
    take.add_argument(
        "--epsilon", type=_epsilon, default=1e-5, help="of its BatchNorm layers; default: 1e-5, as in PyTorch"
    )
    take.add_argument("--loader", help="how to read --data; default: the recipe's, fer2013-csv")
    take.add_argument("--recipe", type=Path, help="read --data as this recipe does")
    take.add_argument("--cache", type=Path, default=Path("runs/cache"), help="where parsed data is kept")
    take.set_defaults(command=_from_torch)

    give = commands.add_parser("to-onnx", help="write a Keras model as ONNX, checked with ONNX Runtime")
    give.add_argument("model", type=Path, help=".keras, .h5 or SavedModel directory with its report.json beside it")
    give.add_argument("--out", type=Path, required=True, help="the .onnx to write")
    give.add_argument("--opset", type=int, default=17, help="of ONNX' operators, 13 to 18; default: 17")
    give.set_defaults(command=_to_onnx)


def _epsilon(text: str) -> float:
    value = float(text)
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"{text}: expected a small number, above 0 and below 1")
    return value


def _from_torch(arguments: argparse.Namespace) -> int:
    from convert.from_torch import from_torch  # noqa: PLC0415  # TensorFlow and PyTorch are slow to load
    from training.asked import adoption  # noqa: PLC0415

    taken = from_torch(adoption(arguments), arguments.epsilon)
    for layer in taken.layers:
        print(layer.line())
    print(f"{arguments.out}: {taken.report.headline()}")
    return EXIT_CLEAN


def _to_onnx(arguments: argparse.Namespace) -> int:
    from convert.to_onnx import to_onnx  # noqa: PLC0415  # TensorFlow is slow to load

    made = to_onnx(arguments.model, arguments.out, arguments.opset)
    print(
        f"{arguments.out}: {made.size_b / 1000:.0f} KB, opset {made.opset}, max difference from Keras "
        f"{made.difference:.2e}, of outputs up to {made.peak:.3g}"
    )
    return EXIT_CLEAN
