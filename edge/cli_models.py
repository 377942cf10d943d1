"""`emotion-edge models`: what lies where, whether it is whole, and what it says of itself."""

import argparse
from collections.abc import Iterator
from pathlib import Path

import msgspec

from edge import model_store
from edge.contract.card import ModelCard


def add_models(parser: argparse.ArgumentParser) -> None:
    """Declare the command's actions."""
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    actions.add_parser("list", help="show known model files and where they are").set_defaults(command=_list)
    fetch = actions.add_parser("fetch", help="download the face detectors")
    fetch.add_argument("--dir", type=Path, help="where to put them")
    fetch.set_defaults(command=_fetch)
    verify = actions.add_parser("verify", help="check all files: hashes, card, golden chips")
    verify.add_argument("model", nargs="*", type=Path, help="further expression models")
    verify.set_defaults(command=_verify)
    inspect = actions.add_parser("inspect", help="show an expression model's card")
    inspect.add_argument("model", nargs="?", type=Path, help="a .tflite; default: the shipped one")
    inspect.set_defaults(command=_inspect)


def _list(_: argparse.Namespace) -> int:
    from edge.classifier import SHIPPED  # noqa: PLC0415

    for file in model_store.CATALOGUE:
        path = model_store.find(file.name)
        print(f"{file.name:<44} {file.size_b // 1024:>5} KiB  {path or 'not here: emotion-edge models fetch'}")
        print(f"    {file.about}")
    print(f"{SHIPPED.name:<44} {SHIPPED.stat().st_size // 1024:>5} KiB  {SHIPPED}")
    print("    expression model, shipped")
    return 0


def _fetch(arguments: argparse.Namespace) -> int:
    for path in model_store.fetch(arguments.dir):
        print(path)
    return 0


def _verify(arguments: argparse.Namespace) -> int:
    from edge.classifier import SHIPPED, TfliteClassifier  # noqa: PLC0415
    from edge.golden import replay  # noqa: PLC0415

    faults = 0
    for file in model_store.CATALOGUE:
        path = model_store.find(file.name)
        wrong = "is not here; run `emotion-edge models fetch`" if path is None else model_store.problem(file, path)
        print(f"{file.name}: {wrong or 'as published'}")
        faults += wrong is not None
    for model in (SHIPPED, *arguments.model):
        result = replay(TfliteClassifier(model))
        print(f"{model.name}: {result.text()}")
        faults += not result.passed
    return 1 if faults else 0


def _inspect(arguments: argparse.Namespace) -> int:
    from edge.classifier import SHIPPED  # noqa: PLC0415
    from edge.contract.card import read_card, read_model  # noqa: PLC0415

    path = arguments.model or SHIPPED
    content = read_model(path)
    card, golden = read_card(content, str(path))
    print(f"{path} ({len(content) / 1000:.0f} KB), {len(golden.chips)} golden chips")
    print("\n".join(_card_lines(card)))
    return 0


def _card_lines(card: ModelCard) -> Iterator[str]:
    for name, value in msgspec.to_builtins(card).items():
        yield from _lines(name, value, 0)


def _lines(name: str, value: object, depth: int) -> Iterator[str]:
    indent = "  " * depth
    if isinstance(value, dict):
        yield f"{indent}{name}:"
        for key, inner in value.items():
            yield from _lines(key, inner, depth + 1)
    elif isinstance(value, list | tuple):
        yield f"{indent}{name}: {', '.join(map(str, value))}"
    else:
        yield f"{indent}{name}: {value}"
