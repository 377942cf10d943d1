"""What the ONNX packages are asked for: the export, names and metadata, and ONNX Runtime's answers."""

import contextlib
import importlib.util
import io
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import ConfigError, PermanentError
from edge.native_log import native_stderr
from edge.types import Pixels

PACKAGES = ("onnx", "onnxruntime", "tf2onnx")

INPUT = "chips"


def refuse_missing_packages() -> None:
    """Before anything is loaded.

    Raises:
        ConfigError: one is not installed, or Keras runs on something other than TensorFlow.
    """
    missing = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise ConfigError(
            f"not installed: {', '.join(missing)}; ONNX is written and checked with them: install the extra, "
            "`pip install -e '.[onnx]'`"
        )
    import keras  # noqa: PLC0415

    if keras.backend.backend() != "tensorflow":
        raise ConfigError(
            f"KERAS_BACKEND={keras.backend.backend()}: expected tensorflow, with which a model is exported for any "
            "number of chips at once; unset it"
        )


def export(model: Any, opset: int) -> bytes:
    """The model as tf2onnx makes it.

    Args:
        model: Keras model, (N, S, S, C) to (N, classes).
        opset: of the operators.

    Raises:
        PermanentError: it has an operation that cannot be exported.
    """
    import keras  # noqa: PLC0415

    signature = [keras.InputSpec(dtype="float32", shape=(None, *model.input_shape[1:]), name=INPUT)]
    with tempfile.TemporaryDirectory(prefix="emotion-edge-") as folder:
        file = Path(folder) / "model.onnx"
        try:
            # notes on every pass over the graph, none of which says more than our own check does
            with warnings.catch_warnings(action="ignore"), contextlib.redirect_stdout(io.StringIO()), native_stderr():
                model.export(file, format="onnx", verbose=False, input_signature=signature, opset_version=opset)
        except (ValueError, RuntimeError, TypeError, NotImplementedError) as error:
            raise PermanentError(
                f"the model cannot be exported as ONNX ({(str(error) or type(error).__name__).splitlines()[0]}); "
                "expected layers that tf2onnx knows"
            ) from error
        return file.read_bytes()


def with_words(content: bytes, output: str, metadata: Mapping[str, str]) -> bytes:
    """The same model with its output and its open dimension named, and with metadata.

    Args:
        content: an ONNX file of one input and one output.
        output: name of the output.
        metadata: for the file's metadata_props.
    """
    import onnx  # noqa: PLC0415

    model = onnx.load_from_string(content)
    graph = model.graph
    (old,) = (each.name for each in graph.output)
    for node in graph.node:
        for names in (node.input, node.output):
            for index, name in enumerate(names):
                if name == old:
                    names[index] = output
    graph.output[0].name = output
    for end in (graph.input[0], graph.output[0]):
        end.type.tensor_type.shape.dim[0].dim_param = "N"
    graph.name = "emotion"  # it was a counter's state
    onnx.helper.set_model_props(model, dict(metadata))
    onnx.checker.check_model(model, full_check=True)
    serialized: bytes = model.SerializeToString()
    return serialized


def compare(content: bytes, chips: Pixels, expected: NDArray[np.float32]) -> float:
    """Greatest difference of an output, all chips at once and each by itself.

    Args:
        content: ONNX file.
        chips: uint8 (N, S, S, C).
        expected: float32 (N, classes), what Keras answers.
    """
    import onnxruntime  # noqa: PLC0415

    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    pixels = chips.astype(np.float32)
    (together,) = session.run(None, {INPUT: pixels})
    alone = np.concatenate([session.run(None, {INPUT: pixel[np.newaxis]})[0] for pixel in pixels])
    return float(np.maximum(np.abs(together - expected).max(), np.abs(alone - expected).max()))
