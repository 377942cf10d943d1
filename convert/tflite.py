"""Keras to a fully quantised TFLite flatbuffer. The only file here that meets `tf.lite`."""

import io
import warnings
from collections.abc import Iterator
from contextlib import redirect_stdout
from typing import Any

import numpy as np

from edge.errors import PermanentError
from edge.native_log import native_stderr
from edge.types import Pixels


def to_int8(model: Any, calibration: Pixels) -> bytes:
    """Convert to full int8: int8 in and out, batch 1, weights per channel.

    Args:
        model: Keras model, input float (N, S, S, C) in 0..255, output (N, classes).
        calibration: uint8 (M, S, S, C), see `convert.calibration`.

    Raises:
        PermanentError: the model has another form, or an operator has no int8 kernel.
    """
    import keras  # noqa: PLC0415  # three seconds and 500 MB: only when a conversion is really done
    import tensorflow as tf  # noqa: PLC0415

    shape = tuple(model.input_shape[1:])
    if shape != calibration.shape[1:]:
        raise PermanentError(f"the model wants chips of {shape}, the calibration set holds {calibration.shape[1:]}")
    # an open batch dimension stays -1 in the file, and XNNPACK then refuses it in tflite-runtime
    inputs = keras.Input(batch_shape=(1, *shape), dtype="float32")
    fixed = keras.Model(inputs, model(inputs))

    def feed() -> Iterator[list[Any]]:
        for chip in calibration:
            yield [chip[np.newaxis].astype(np.float32)]

    converter = tf.lite.TFLiteConverter.from_keras_model(fixed)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = feed
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.int8
    converter.inference_output_type = tf.int8
    try:
        # pages of tensor names and native notes, none of which says more than our own checks do
        with warnings.catch_warnings(action="ignore"), redirect_stdout(io.StringIO()), native_stderr():
            content: bytes = converter.convert()
    except (ValueError, RuntimeError) as error:
        raise PermanentError(f"the model cannot be quantised to int8: {error}") from error
    return content
