"""Keras to a TFLite flatbuffer. The only file here that meets `tf.lite`."""

import io
import warnings
from collections.abc import Iterator
from contextlib import redirect_stdout
from typing import Any

import numpy as np

from convert.scaling import scaling_as_convolution
from edge.contract.card import Mode
from edge.errors import PermanentError
from edge.native_log import native_stderr
from edge.types import Pixels

CALIBRATED: tuple[Mode, ...] = ("int8", "int8-float-io")
"""Modes whose activations are int8, in ranges measured beforehand."""


def to_int8(model: Any, calibration: Pixels) -> bytes:
    """Convert to full int8: int8 in and out, batch 1, weights per channel. See `to_tflite`."""
    return to_tflite(model, "int8", calibration)


def to_tflite(model: Any, mode: Mode, calibration: Pixels | None = None) -> bytes:
    """Convert, batch 1.

    Args:
        model: Keras model, input float (N, S, S, C) in 0..255, output (N, classes).
        mode: int8: int8 throughout, ends included, weights per channel; int8-float-io: the same behind float32 ends;
            float16: weights stored as float16, arithmetic as the runtime likes; dynamic: large weights as int8,
            activations quantised anew at each call; float32: nothing quantised.
        calibration: uint8 (M, S, S, C), see `convert.calibration`; for the modes in `CALIBRATED`.

    Raises:
        PermanentError: the model has another form than the calibration chips, or an operator has no such kernel.
    """
    import keras  # noqa: PLC0415  # three seconds and 500 MB: only when a conversion is really done
    import tensorflow as tf  # noqa: PLC0415

    shape = tuple(model.input_shape[1:])
    if mode in CALIBRATED and (calibration is None or shape != calibration.shape[1:]):
        holds = None if calibration is None else calibration.shape[1:]
        raise PermanentError(f"the model wants chips of {shape}, the calibration set holds {holds}")
    # an open batch dimension stays -1 in the file, and XNNPACK then refuses it in tflite-runtime
    inputs = keras.Input(batch_shape=(1, *shape), dtype="float32")
    fixed = keras.Model(inputs, (scaling_as_convolution(model) if mode in CALIBRATED else model)(inputs))

    def feed() -> Iterator[list[Any]]:
        for chip in () if calibration is None else calibration:
            yield [chip[np.newaxis].astype(np.float32)]

    converter = tf.lite.TFLiteConverter.from_keras_model(fixed)
    if mode != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if mode == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if mode in CALIBRATED:
        converter.representative_dataset = feed
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    if mode == "int8":
        converter.inference_input_type = tf.int8
        converter.inference_output_type = tf.int8
    try:
        # pages of tensor names and native notes, none of which says more than our own checks do
        with warnings.catch_warnings(action="ignore"), redirect_stdout(io.StringIO()), native_stderr():
            content: bytes = converter.convert()
    except (ValueError, RuntimeError) as error:
        raise PermanentError(f"the model cannot be converted to {mode}: {error}") from error
    return content
