"""A model card as a page of text, for people at a terminal."""

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from edge.contract.card import Golden, InputSpec, ModelCard

WIDTH = 100
"""Of the page, in columns."""

QUALITY = (("accuracy", "accuracy"), ("macro_f1", "macro-F1"), ("ece", "ECE"), ("nll", "NLL, nats"))
"""Figures and what to call them; shares of one but for the NLL."""
PER_CLASS = (("f1", "F1"), ("recall", "recall"), ("precision", "precision"))
COLOURS = {1: "grey", 3: "RGB"}
RESIZE = {
    "area": "shrunk by averaging, linear where less than 2 is left",
    "linear": "resized linearly",
}
MEANS = {
    "int8": "int8 throughout, input and output too",
    "int8-float-io": "weights and activations int8, input and output float32",
    "float16": "weights float16, arithmetic float32",
    "dynamic": "large weights int8, activations quantised anew at each call",
    "float32": "nothing is quantised",
}

Row = tuple[str, str]
"""What something is called, and what there is to say of it."""


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and the lines below it."""

    heading: str
    lines: tuple[str, ...]


def card_page(card: ModelCard, golden: Golden, file: str, size_b: int) -> Iterator[str]:
    """The page, line by line, without colours.

    Args:
        card: of the file.
        golden: likewise.
        file: its name.
        size_b: its size in bytes.
    """
    yield file
    for section in _sections(card, golden, size_b):
        yield ""
        yield section.heading
        yield from (f"  {line}".rstrip() for line in section.lines)


def tensor_lines(ends: Iterable[tuple[str, Mapping[str, Any]]]) -> Iterator[str]:
    """Both ends of a model without a card: what they hold, as far as the file itself tells.

    Args:
        ends: "input" or "output", and the interpreter's details of that tensor.
    """
    rows = []
    for end, tensor in ends:
        scale, zero_point = tensor["quantization"]
        shape = " × ".join(str(int(n)) for n in tensor["shape"])
        dtype = np.dtype(tensor["dtype"]).name
        rows.append((end, f"{dtype}, {shape}, {_affine(float(scale), int(zero_point))}; named {tensor['name']}"))
    yield from _rows(rows)


def _sections(card: ModelCard, golden: Golden, size_b: int) -> Iterator[Section]:
    yield Section("Model", _rows(_model(card, size_b)))
    yield Section("Input", _rows(_input(card)))
    yield Section("Output", _rows(_output(card)))
    yield Section("Quantisation", _rows(_quantisation(card)))
    for split, figures in card.figures.items():
        n = figures.get("n")
        pictures = "" if n is None else f", {n:,} pictures"
        yield Section(f"Quality on {split}{pictures}", tuple(_quality(figures, card)))
    yield Section("Training", _rows(_training(card)))
    yield Section("Use", _rows((("for", card.intended_use), ("limits", card.limits))))
    proof = f"{len(golden.chips)}, drawn by code, with the answers they got; `emotion-edge models verify` asks again"
    more = f"version {card.schema}; --json shows all of it, the whole recipe, too"
    yield Section("Proof", _rows((("golden chips", proof), ("card", more))))


def _model(card: ModelCard, size_b: int) -> Iterator[Row]:
    yield "name", card.name
    yield "labels", ", ".join(card.labels)
    cost = card.cost
    model_b = None if cost is msgspec.UNSET else cost.size_b
    file = f"{size_b / 1000:,.0f} KB"
    yield "size", file if model_b is None else f"{file}, {model_b / 1000:,.0f} KB of it the model"
    # cards of version 1 say both in their recipe only
    parameters = card.recipe.get("parameters") if cost is msgspec.UNSET else cost.parameters
    macs = card.recipe.get("macs") if cost is msgspec.UNSET else cost.macs
    if parameters:
        yield "parameters", f"{parameters:,}"
    if macs:
        yield "arithmetic", f"{macs / 1e6:,.1f} million multiply-accumulates a chip"


def _input(card: ModelCard) -> Iterator[Row]:
    chip, quantisation = card.chip, card.quantisation
    yield "chip", f"{chip.size} × {chip.size} px, {COLOURS[chip.channels]}, {RESIZE[chip.resize]}"
    yield "margin", f"{chip.margin:g} × the side of the face square"
    yield "tensor", f"{card.input.dtype}, {_affine(quantisation.input_scale, quantisation.input_zero_point)}"
    yield "scaling", _scaling(card.input)


def _scaling(spec: InputSpec) -> str:
    if (spec.scale, spec.offset) == (1.0, 0.0):
        return "none: raw pixels, 0 to 255"
    low, high = spec.offset, 255 * spec.scale + spec.offset
    return f"pixel × {spec.scale:.6g} {'-' if low < 0 else '+'} {abs(low):.6g}: {low:.6g} to {high:.6g}"


def _output(card: ModelCard) -> Iterator[Row]:
    quantisation = card.quantisation
    dtype = "int8" if quantisation.mode == "int8" else "float32"
    yield "tensor", f"{dtype}, {_affine(quantisation.output_scale, quantisation.output_zero_point)}"
    yield "meaning", card.output
    if card.output == "logits":
        yield "temperature", f"{card.temperature:g}; logits are divided by it before the softmax"


def _affine(scale: float, zero_point: int) -> str:
    return f"scale {scale:.6g}, zero point {zero_point}" if scale else "not quantised"


def _quantisation(card: ModelCard) -> Iterator[Row]:
    quantisation = card.quantisation
    yield "mode", f"{quantisation.mode}: {MEANS[quantisation.mode]}"
    chips = f"{quantisation.calibration_chips} chips: " if quantisation.calibration_chips else ""
    yield "calibration", f"{chips}{quantisation.calibration}"


def _quality(figures: Mapping[str, Any], card: ModelCard) -> Iterator[str]:
    """Figures of the float model and of the file side by side, over all and by class."""
    kinds = [kind for kind in ("float", card.quantisation.mode) if kind in figures]
    if not kinds:
        return
    rows = [("", *kinds, *(("difference",) if len(kinds) == 2 else ()))]
    for key, name in QUALITY:
        values = [figures[kind].get(key) for kind in kinds]
        if None in values:
            continue
        difference = (f"{values[1] - values[0]:+.4f}",) if len(values) == 2 else ()
        rows.append((name, *(f"{value:.4f}" for value in values), *difference))
        intervals = [figures[kind].get(f"{key}_interval") for kind in kinds]
        if all(intervals):
            spans = (f"{low:.3f}-{high:.3f}" for low, high in intervals)
            rows.append(("  95 % interval", *spans, *([""] if difference else [])))
    yield from _table(rows)
    if "agreement" in figures:
        yield f"Both name {figures['agreement']:.2%} of the pictures alike."
    measures = [(key, name) for key, name in PER_CLASS if any(key in figures[kind] for kind in kinds)]
    if measures:
        yield ""
        yield from _table(_class_rows(figures, card.labels, kinds, measures))


def _class_rows(
    figures: Mapping[str, Any], labels: Sequence[str], kinds: Sequence[str], measures: Sequence[tuple[str, str]]
) -> Iterator[tuple[str, ...]]:
    pictures = figures.get("pictures")
    columns = [(key, name, kind) for key, name in measures for kind in kinds]
    yield ("class", *(("pictures",) if pictures else ()), *(f"{name} {kind}" for _, name, kind in columns))
    for label in labels:
        values = [figures[kind].get(key, {}).get(label) for key, _, kind in columns]
        count = (f"{pictures.get(label, 0):,}",) if pictures else ()
        yield (label, *count, *("-" if value is None else f"{value:.3f}" for value in values))


def _training(card: ModelCard) -> Iterator[Row]:
    recipe, data = card.recipe, card.data
    settings = recipe.get("settings")
    about = settings.get("description", "") if isinstance(settings, dict) else ""
    yield "recipe", ": ".join(text for text in (str(recipe.get("name", card.name)), about) if text)
    facts = [f"seed {recipe['seed']}"] if "seed" in recipe else []
    facts += [f"{recipe[key]:,} {key}" for key in ("epochs", "steps", "minutes") if key in recipe]
    if facts:
        yield "run", ", ".join(facts)
    if "name" in data:
        yield "data", f"loader {data['name']}"
    if "sha256" in data:
        yield "SHA-256", data["sha256"]
    if "terms" in data:
        yield "terms", data["terms"]


def _rows(rows: Iterable[Row]) -> tuple[str, ...]:
    """Names in a column of their own, the texts wrapped beside them."""
    pairs = tuple(rows)
    column = max(len(name) for name, _ in pairs) + 2
    lines = []
    for name, text in pairs:
        indent = " " * column
        lines += textwrap.wrap(
            text, WIDTH - 2, initial_indent=name.ljust(column), subsequent_indent=indent, break_on_hyphens=False
        ) or [name]
    return tuple(lines)


def _table(rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """Columns as wide as their widest cell, the first to the left, figures to the right."""
    cells = tuple(rows)
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        first, *rest = (
            cell.rjust(width) if at else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        yield "  ".join((first, *rest)).rstrip()
