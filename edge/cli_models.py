"""`emotion-edge models`: what lies where, whether it is whole, and what it says of itself."""

import argparse
from pathlib import Path

from edge import model_store


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
    inspect = actions.add_parser("inspect", help="show what an expression model is, by its card")
    inspect.add_argument("model", nargs="?", type=Path, help="a .tflite; default: the shipped one")
    inspect.add_argument("--json", action="store_true", help="print the card as JSON")
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
    from edge import runtime  # noqa: PLC0415
    from edge.card_page import card_page  # noqa: PLC0415
    from edge.classifier import SHIPPED  # noqa: PLC0415
    from edge.contract.card import NoCard, card_json, read_card, read_model  # noqa: PLC0415
    from edge.ends import check_card, read_ends  # noqa: PLC0415

    path = arguments.model or SHIPPED
    content = read_model(path)
    try:
        card, golden = read_card(content, str(path))
    except NoCard as error:
        raise NoCard(f"{error}\n{_ends(content, str(path))}") from error
    if arguments.json:
        print(card_json(card).decode())
    else:
        print("\n".join(card_page(card, golden, str(path), len(content))))
    # shown all the same: to see what is wrong is what a person may have come for
    check_card(path.name, card, golden, read_ends(str(path), runtime.load(content, str(path)).interpreter))
    return 0


def _ends(content: bytes, name: str) -> str:
    """What a model without a card tells of itself, for who writes its contract by hand."""
    from edge import runtime  # noqa: PLC0415
    from edge.card_page import tensor_lines  # noqa: PLC0415

    interpreter = runtime.load(content, name).interpreter
    ends = [("input", tensor) for tensor in interpreter.get_input_details()]
    ends += [("output", tensor) for tensor in interpreter.get_output_details()]
    return "\n".join(
        (
            "Its tensors are:",
            *(f"  {line}" for line in tensor_lines(ends)),
            "What they mean only its maker can tell. To run it without a card, write it into [expression.contract] of "
            "the configuration: labels, in the order of the outputs; output, logits or probabilities; scale and offset "
            "of `pixel * scale + offset`, from 0 to 255 to what it expects.",
        )
    )
