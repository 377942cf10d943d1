"""A float32 .tflite to int8, without TensorFlow. The only file here that meets `ai_edge_quantizer`."""

import warnings
from functools import partial
from typing import Any

import numpy as np

from edge.errors import ConfigError, PermanentError
from edge.native_log import native_stderr
from edge.types import Pixels

METADATA_NAME = b"TFLITE_METADATA"
ALIGNMENT = 16
"""Of weights in the file, in bytes: kernels read them in place."""


def to_int8(content: bytes, calibration: Pixels) -> bytes:
    """Quantise to full int8: int8 in and out, weights per channel, as TensorFlow's converter does.

    Args:
        content: a float32 .tflite without card, batch 1.
        calibration: uint8 (M, S, S, C), see `convert.calibration`.

    Raises:
        ConfigError: the package is not installed, or the model has no signature.
        PermanentError: it has an operator that the package cannot quantise.
    """
    try:
        from ai_edge_litert.interpreter import Interpreter  # noqa: PLC0415
        from ai_edge_quantizer import calibrator, quantizer, recipe, recipe_manager  # noqa: PLC0415
        from ai_edge_quantizer.utils import qsv_utils  # noqa: PLC0415
    except ImportError as error:
        raise ConfigError(
            f"quantising a .tflite takes the package ai-edge-quantizer ({error}); "
            "`pip install -e '.[quantizer]'`, or give the Keras model"
        ) from error
    signatures = Interpreter(model_content=content).get_signature_list()
    if not signatures:
        raise ConfigError(
            "the .tflite has no signature, expected one, such as the converters of TensorFlow and LiteRT write; "
            "convert it again, or give the Keras model"
        )
    name, ends = next(iter(signatures.items()))
    feed = [{ends["inputs"][0]: chip[np.newaxis].astype(np.float32)} for chip in calibration]
    chosen = recipe.static_wi8_ai8()
    manager = recipe_manager.RecipeManager()
    manager.load_quantization_recipe(chosen)
    try:
        # progress bars, and a warning about memory
        with warnings.catch_warnings(action="ignore"), native_stderr():
            # by default it takes a moving average of each chip's range, which depends on their order and cuts off the
            # brightest pixels; least and greatest value of all chips are what makes the input exact
            watched = calibrator.Calibrator(content, num_threads=1, qsv_update_func=qsv_utils.min_max_update)
            watched.calibrate({name: feed}, manager)
            made = quantizer.Quantizer(bytearray(content), chosen).quantize(
                watched.get_model_qsvs(), enable_progress_bar=False, enable_progress_report=False
            )
    except (ValueError, RuntimeError, NotImplementedError, KeyError) as error:
        raise PermanentError(f"the .tflite cannot be quantised to int8: {error}") from error
    return _in_one_piece(bytes(made.quantized_model))


def _in_one_piece(content: bytes) -> bytes:
    """The model with all weights inside its FlatBuffer, and without TFLite metadata, which tell of the float32 file.

    The package lays the weights of larger models behind the FlatBuffer, where nothing can be written before them.
    """
    import flatbuffers  # noqa: PLC0415
    from ai_edge_litert import schema_py_generated as schema  # noqa: PLC0415

    model: Any = schema.ModelT.InitFromPackedBuf(content, 0)
    told = {each.buffer for each in model.metadata or () if each.name == METADATA_NAME}
    model.metadata = [each for each in model.metadata or () if each.name != METADATA_NAME]
    for number, buffer in enumerate(model.buffers):
        if buffer.offset > 1:
            buffer.data = np.frombuffer(content, np.uint8, buffer.size, buffer.offset)
        buffer.offset = buffer.size = 0
        if number in told:
            buffer.data = None
        buffer.Pack = partial(_pack, buffer, schema)
    for beyond in ("externalBufferGroups", "externalBuffers"):
        if hasattr(model, beyond) and not getattr(model, beyond):
            setattr(model, beyond, None)
    builder = flatbuffers.Builder(len(content))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _pack(buffer: Any, schema: Any, builder: Any) -> int:
    """As the schema's own, but for the alignment."""
    data = None if buffer.data is None else bytes(bytearray(buffer.data))
    if data is not None:
        builder.Prep(ALIGNMENT, len(data))
        placed = builder.CreateByteVector(data)
    schema.BufferStart(builder)
    if data is not None:
        schema.BufferAddData(builder, placed)
    made: int = schema.BufferEnd(builder)
    return made
