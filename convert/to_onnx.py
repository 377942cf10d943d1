"""Keras model in, ONNX out, and both asked about the same chips before the file is left behind."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np

from convert.golden import golden_chips
from convert.loading import load_source
from convert.onnx_adapter import compare, export, refuse_missing_packages, with_words
from edge.contract.chip import ChipSpec
from edge.errors import ConfigError, PermanentError
from edge.types import Pixels
from training import learner
from training.files import write_whole
from training.report import Report, report_beside

OPSETS = (13, 18)
"""From the first that every runtime of today has, to the last that tf2onnx writes."""

DEFAULT_OPSET = 17

MOST_DIFFERENCE = 1e-4
"""Outputs may differ by this share of the greatest (at least of 1). The project's networks, with weights drawn at
random, differ by 3e-6 of it and less."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What came out.

    Attributes:
        difference: the greatest of an output, ONNX Runtime against Keras, on the golden chips.
        peak: the greatest output of Keras', without its sign.
        size_b: of the file, in bytes.
        opset: of its operators.
    """

    difference: float
    peak: float
    size_b: int
    opset: int


def to_onnx(path: Path, out: Path, opset: int = DEFAULT_OPSET) -> Exported:
    """Write a model as ONNX: input "chips", float32 (N, S, S, C) in 0..255; output "logits" or "probabilities".

    The file's metadata hold labels, chip, output and temperature, each value as JSON.

    Args:
        path: Keras model (.keras, .h5) or SavedModel directory, with the training's report.json beside it.
        out: the .onnx to write.
        opset: of ONNX' operators.

    Raises:
        ConfigError: a file or a package is missing, or the opset is none that can be written.
        PermanentError: the model cannot be exported, or ONNX Runtime answers differently; nothing is written.
    """
    refuse_missing_packages()
    if not OPSETS[0] <= opset <= OPSETS[1]:
        raise ConfigError(f"opset {opset}: expected one of {OPSETS[0]} to {OPSETS[1]}")
    if out.is_dir():
        raise ConfigError(f"{out} is a directory; expected the name of the .onnx file to write")
    report = report_beside(path)
    source = load_source(path)
    chips = golden_chips(source.model.input_shape[1], source.model.input_shape[3])
    expected = np.asarray(learner.logits_of(source.model, chips))
    if expected.shape[1] != len(report.labels):
        raise ConfigError(
            f"{path} has {expected.shape[1]} outputs, and the report beside it names {len(report.labels)} labels; "
            "expected the report of the same training"
        )
    content = with_words(export(source.model, opset), source.output, words(report, source.output, chips))
    difference = compare(content, chips, expected)
    peak = float(np.abs(expected).max())
    allowed = MOST_DIFFERENCE * max(1.0, peak)
    # put so that a NaN is refused as well
    if not difference <= allowed:
        raise PermanentError(
            f"{path}: ONNX Runtime and Keras differ by {difference:.2e} on outputs up to {peak:.3g}, expected "
            f"{allowed:.1e} at most; {out} was not written. Try another --opset"
        )
    write_whole(out, content)
    return Exported(difference, peak, len(content), opset)


def words(report: Report, output: Literal["logits", "probabilities"], chips: Pixels) -> dict[str, str]:
    """What a program has to know of the model; each value is JSON.

    Args:
        report: of its training.
        output: what it gives.
        chips: of the kind that it takes.
    """
    _, size, _, channels = chips.shape
    told = {
        "name": report.recipe,
        "labels": report.labels,
        "chip": ChipSpec(size=size, channels=1 if channels == 1 else 3),
        "input": "float32 (N, S, S, C), 0..255, not scaled",
        "output": output,
        "temperature": round(report.temperature, 4) if output == "logits" else 1.0,
    }
    return {key: msgspec.json.encode(value).decode() for key, value in told.items()}
