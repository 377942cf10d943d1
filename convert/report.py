"""The page that lies beside a model: float and int8 side by side."""

from collections import Counter
from collections.abc import Iterator

from convert.quantize import Result
from training.metrics import Scores


def page(result: Result, file_name: str, split: str) -> str:
    """Markdown about one conversion."""
    return "\n".join(_lines(result, file_name, split)) + "\n"


def _lines(result: Result, file_name: str, split: str) -> Iterator[str]:
    card, quantisation = result.card, result.card.quantisation
    recipe = card.recipe
    yield f"# {file_name}"
    yield ""
    yield "Written by `python -m convert quantize`; the same figures are in the card inside the file."
    yield ""
    yield f"- {result.size_b / 1000:.0f} KB, SHA-256 `{result.sha256}`"
    yield f"- {recipe['parameters']:,} parameters, {recipe['macs'] / 1e6:.1f} million multiply-accumulates a chip"
    yield f"- recipe `{recipe['name']}`, seed {recipe['seed']}, {recipe['epochs']} epochs, {recipe['minutes']} minutes"
    yield f"- temperature {card.temperature}, fitted on the hold-out"
    yield ""
    yield f"## Quality on {split} ({result.int8_scores.n} pictures)"
    yield ""
    yield "| | float32 | int8 | difference |"
    yield "| --- | --- | --- | --- |"
    for name in ("accuracy", "macro_f1", "ece", "nll"):
        before, after = getattr(result.float_scores, name), getattr(result.int8_scores, name)
        yield f"| {name.replace('_', '-')} | {before:.4f} | {after:.4f} | {after - before:+.4f} |"
    low, high = result.int8_scores.accuracy_interval
    yield ""
    yield f"Single view, temperature applied. 95 % interval of the int8 accuracy (Wilson): {low:.4f} to {high:.4f}."
    yield f"Both name {result.agreement:.2%} of the pictures alike."
    yield ""
    yield "| class | pictures | F1 float32 | F1 int8 | recall int8 | precision int8 |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for before, after in zip(result.float_scores.per_class, result.int8_scores.per_class, strict=True):
        yield (
            f"| {after.label} | {after.support} | {before.f1:.3f} | {after.f1:.3f} | {after.recall:.3f} "
            f"| {after.precision:.3f} |"
        )
    yield ""
    yield "## Confusion matrix, int8 (rows: truth, columns: named)"
    yield ""
    yield from _confusion(result.int8_scores)
    yield ""
    yield "## Quantisation"
    yield ""
    yield f"- {quantisation.mode}, calibrated on {quantisation.calibration_chips} chips: {quantisation.calibration}"
    ends = (
        ("input", result.facts.input, quantisation.input_scale, quantisation.input_zero_point),
        (f"output ({card.output})", result.facts.output, quantisation.output_scale, quantisation.output_zero_point),
    )
    for what, tensor, scale, zero_point in ends:
        yield f"- {what}: {tensor.dtype} {list(tensor.shape)}, scale {scale:.6g}, zero point {zero_point}"
    ops = ", ".join(f"{count} × {name}" for name, count in Counter(result.facts.ops).items())
    yield f"- operators: {ops}"
    yield ""
    yield "## Use and limits"
    yield ""
    yield f"{card.intended_use} {card.limits}"
    yield ""
    yield f"Data: {card.data['name']}, SHA-256 `{card.data['sha256']}`. {card.data['terms']}."


def _confusion(scores: Scores) -> Iterator[str]:
    names = [entry.label for entry in scores.per_class]
    yield f"| | {' | '.join(names)} |"
    yield f"| --- |{' --- |' * len(names)}"
    for name, row in zip(names, scores.confusion, strict=True):
        yield f"| {name} | {' | '.join(map(str, row))} |"
