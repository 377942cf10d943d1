"""The page that lies beside a model, and the same for machines: before and after conversion side by side."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec

from convert.graph import Tensor
from convert.quantize import Result
from edge.errors import ConfigError
from training.metrics import Scores
from training.report import read_report
from training.reporting.document import Document, Section, Table, Text, write


def page_path(page: Path) -> Path:
    """`page`, if a report may be written there.

    Raises:
        ConfigError: it is no Markdown file, or its JSON would replace the report of a training.
    """
    if page.suffix != ".md":
        raise ConfigError(f"the report {page} is not named as a Markdown page; call it {page}.md")
    figures = page.with_suffix(".json")
    try:
        read_report(figures)
    except (OSError, msgspec.MsgspecError):
        return page
    raise ConfigError(
        f"the figures of the report {page} would replace {figures}, which is the report of a training; "
        "choose another name"
    )


def write_report(result: Result, file_name: str, page: Path) -> None:
    """Write the page, and the result as JSON beside it, `page` with .json in place of .md.

    Args:
        result: of the conversion.
        file_name: of the model.
        page: as `page_path` allows it.
    """
    write(document(result, file_name, page.stem), page.parent)


def document(result: Result, file_name: str, name: str) -> Document:
    """What there is to say about one conversion.

    Args:
        result: of the conversion.
        file_name: of the model.
        name: of the document's files, without suffix.
    """
    kind = _kind(result)
    sections = (
        Section("", tuple(_overview(result))),
        Section(f"Quality on {result.split} ({result.int8_scores.n} pictures)", tuple(_quality(result))),
        Section(f"Confusion matrix, {kind} (rows: truth, columns: named)", (_confusion(result.int8_scores),)),
        Section("Quantisation", (_quantisation(result), *_activations(result))),
        Section("Use and limits", tuple(_limits(result))),
    )
    return Document(name, file_name, sections, result)


def _kind(result: Result) -> str:
    """What to call the file beside its float32 original."""
    mode = result.card.quantisation.mode
    return "float32 TFLite" if mode == "float32" else mode


def _overview(result: Result) -> Iterator[Text]:
    card, recipe = result.card, result.card.recipe
    yield Text("Written by `python -m convert quantize`; the same figures are in the card inside the file.")
    yield _list(
        f"{result.size_b / 1000:.0f} KB, SHA-256 `{result.sha256}`",
        f"{recipe['parameters']:,} parameters, {recipe['macs'] / 1e6:.1f} million multiply-accumulates a chip",
        f"recipe `{recipe['name']}`, seed {recipe['seed']}, {recipe['epochs']} epochs, {recipe['minutes']} minutes",
        f"temperature {card.temperature}, fitted on the hold-out",
    )


def _quality(result: Result) -> Iterator[Text | Table]:
    kind = _kind(result)
    rows = []
    for name in ("accuracy", "macro_f1", "ece", "nll"):
        before, after = getattr(result.float_scores, name), getattr(result.int8_scores, name)
        rows.append((name.replace("_", "-"), f"{before:.4f}", f"{after:.4f}", f"{after - before:+.4f}"))
    yield Table(("", "float32", kind, "difference"), tuple(rows))
    low, high = result.int8_scores.accuracy_interval
    yield Text(
        f"Single view, temperature applied. 95 % interval of the {kind} accuracy (Wilson): {low:.4f} to {high:.4f}.\n"
        f"Both name {result.agreement:.2%} of the pictures alike."
    )
    yield Table(
        ("class", "pictures", "F1 float32", f"F1 {kind}", f"recall {kind}", f"precision {kind}"),
        tuple(
            (
                after.label,
                f"{after.support}",
                f"{before.f1:.3f}",
                f"{after.f1:.3f}",
                f"{after.recall:.3f}",
                f"{after.precision:.3f}",
            )
            for before, after in zip(result.float_scores.per_class, result.int8_scores.per_class, strict=True)
        ),
    )


def _confusion(scores: Scores) -> Table:
    names = [entry.label for entry in scores.per_class]
    rows = zip(names, scores.confusion, strict=True)
    return Table(("", *names), tuple((name, *map(str, row)) for name, row in rows))


def _quantisation(result: Result) -> Text:
    card, quantisation, found = result.card, result.card.quantisation, result.facts
    ends = (
        ("input", result.facts.input, quantisation.input_scale, quantisation.input_zero_point),
        (f"output ({card.output})", result.facts.output, quantisation.output_scale, quantisation.output_zero_point),
    )
    chosen = f"calibrated on {quantisation.calibration_chips} chips: {quantisation.calibration}"
    if not quantisation.calibration_chips:
        chosen = f"calibration: {quantisation.calibration}"
    return _list(
        f"{quantisation.mode}, {chosen}",
        *(
            f"{what}: {tensor.dtype} {list(tensor.shape)}{_affine(tensor, scale, zero_point)}"
            for what, tensor, scale, zero_point in ends
        ),
        f"operators: {', '.join(f'{count} × {name}' for name, count in Counter(found.ops).items())}",
        f"normalisations: {_normalisations(result)}",
        f"branches: {_branches(found.joins)}",
    )


def _affine(tensor: Tensor, scale: float, zero_point: int) -> str:
    if not scale:
        return ""
    inner = ", inside of it int8" if tensor.dtype == "float32" else ""
    return f"{inner}, scale {scale:.6g}, zero point {zero_point}"


def _normalisations(result: Result) -> str:
    """Whether the graph is free of them, and where they were."""
    left = result.facts.unfolded
    count = result.normalisations
    before = (
        "the file does not say how many the model had" if count is None else f"the Keras model had {count or 'none'}"
    )
    if left:
        return (
            f"{left} multiplications or additions with constants are left behind the scaling of the input, as of a "
            "BatchNorm that could not be folded, which costs steps and rounding on the device; put each right behind "
            f"its convolution, before the activation; {before}"
        )
    return f"none in the graph, nor arithmetic left of one: all folded into the convolutions; {before}"


def _branches(joins: int) -> str:
    if joins:
        return f"operators that read two activations or more: {joins}, as skip connections do and branches not merged"
    return "none in the graph, each operator reads one activation"


def _activations(result: Result) -> Iterator[Text | Table]:
    if not result.activations:
        return
    yield Text(
        "The activations that quantise worst: how far their range reaches beyond 99.9 % of the values on the "
        "calibration chips. Each doubling takes a bit from nearly all values."
    )
    yield Table(
        ("tensor", "operator", "range", "99.9 % within ±", "ratio"),
        tuple(
            (each.tensor, each.operator, f"{each.low:.3g} to {each.high:.3g}", f"{each.usual:.3g}", f"{each.ratio:.1f}")
            for each in result.activations
        ),
    )


def _limits(result: Result) -> Iterator[Text]:
    card = result.card
    yield Text(f"{card.intended_use} {card.limits}")
    yield Text(f"Data: {card.data['name']}, SHA-256 `{card.data['sha256']}`. {card.data['terms']}.")


def _list(*lines: str) -> Text:
    return Text("\n".join(f"- {line}" for line in lines))
