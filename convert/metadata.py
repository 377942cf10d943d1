"""TFLite metadata: what Netron and other tools read of a model, said once more in their format.

A FlatBuffer of its own (identifier "M001", metadata_schema.fbs of TFLite Support and MediaPipe) in one of the model's
buffers. It names labels.txt, which lies in the archive behind the model.
"""

from collections.abc import Sequence
from typing import Any, TypeAlias

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from edge.contract.card import LABELS_NAME, ModelCard
from edge.errors import PermanentError

METADATA_NAME = "TFLITE_METADATA"
IDENTIFIER = b"M001"
MIN_PARSER_VERSION = "1.0.0"
"""Of the metadata library; all that is used here was there from the start."""

# all numbers here and below, fields of tables included, are those of the schemas
RGB, GRAYSCALE = 1, 2
FEATURE_PROPERTIES, IMAGE_PROPERTIES = 1, 2
NORMALIZATION = 1
TENSOR_AXIS_LABELS = 2
ALIGNMENT = 16
"""In bytes, of the old file in the new: kernels read the weights in place, so these have to lie as they lay."""

KEPT = (1, 2, 3, 5, 7)
"""Fields of the root table that stay as they are: operator codes, graphs, description, buffers that old converters
wrote metadata to, signatures."""
LAST = 7
"""Fields beyond it hold weights outside of the file."""

Builder: TypeAlias = Any


def with_metadata(model: bytes, card: ModelCard) -> bytes:
    """The model with its metadata in front; weights and graph are the same bytes as before, further back.

    Args:
        model: a .tflite without card.
        card: whose words are said again.

    Raises:
        PermanentError: the model has metadata already, or keeps parts outside its FlatBuffer.
    """
    root = schema.Model.GetRootAs(model)
    _refuse(root)
    old = model + bytes(-len(model) % ALIGNMENT)
    builder = flatbuffers.Builder(len(old) + 8192)
    builder.Prep(ALIGNMENT, len(old))
    # a builder writes from back to front: with the old file laid down first, a new root can be written before it, and
    # refers to the old tables by their distance from the end
    builder.CreateByteVector(old)

    def kept(position: int) -> int:
        return len(old) - position

    tables = [kept(root.Buffers(at)._tab.Pos) for at in range(root.BuffersLength())]
    named = [kept(root.Metadata(at)._tab.Pos) for at in range(root.MetadataLength())]
    data = metadata(card)
    builder.Prep(ALIGNMENT, len(data))
    content = builder.CreateByteVector(data)
    schema.BufferStart(builder)
    schema.BufferAddData(builder, content)
    buffer = schema.BufferEnd(builder)
    name = builder.CreateString(METADATA_NAME)
    schema.MetadataStart(builder)
    schema.MetadataAddName(builder, name)
    schema.MetadataAddBuffer(builder, len(tables))
    entry = schema.MetadataEnd(builder)
    buffers = _vector(builder, [*tables, buffer])
    entries = _vector(builder, [*named, entry])
    schema.ModelStart(builder)
    schema.ModelAddVersion(builder, root.Version())
    schema.ModelAddBuffers(builder, buffers)
    schema.ModelAddMetadata(builder, entries)
    for slot in KEPT:
        position = root._tab.Offset(_entry(slot))
        if position:
            field = root._tab.Pos + position
            builder.PrependUOffsetTRelativeSlot(slot, kept(root._tab.Indirect(field)), 0)
    builder.Finish(schema.ModelEnd(builder), b"TFL3")
    return bytes(builder.Output())


def _entry(slot: int) -> int:
    """Where a table's vtable, which starts with two sizes, has the place of a field."""
    return 4 + 2 * slot


def _refuse(root: Any) -> None:
    names = [root.Metadata(at).Name() for at in range(root.MetadataLength())]
    if METADATA_NAME.encode() in names:
        raise PermanentError(
            f"the model has {METADATA_NAME} already, expected none; convert it from its Keras original"
        )
    beyond = any(root._tab.Offset(_entry(slot)) for slot in range(LAST + 1, LAST + 5))
    if beyond or any(root.Buffers(at).Offset() > 1 for at in range(root.BuffersLength())):
        raise PermanentError(
            "the model keeps weights outside of its FlatBuffer, as those above 2 GB do, expected all inside; convert a "
            "smaller one"
        )


def metadata(card: ModelCard) -> bytes:
    """The metadata alone: a finished FlatBuffer of type ModelMetadata. Same arguments, same bytes."""
    builder = flatbuffers.Builder(2048)
    graph = _table(
        builder,
        {2: _vector(builder, [_input(builder, card)]), 3: _vector(builder, [_output(builder, card)])},
    )
    terms = card.data.get("terms")
    strings = {
        0: card.name,
        1: f"{card.intended_use} {card.limits}",
        2: ", ".join(f"{what} {card.recipe[what]}" for what in ("seed", "steps") if what in card.recipe),
        4: "emotion-edge",
        5: f"Training data: {terms}" if terms else "",
        7: MIN_PARSER_VERSION,
    }
    root = _table(builder, {**_strings(builder, strings), 3: _vector(builder, [graph])})
    builder.Finish(root, IDENTIFIER)
    return bytes(builder.Output())


def _input(builder: Builder, card: ModelCard) -> int:
    """TensorMetadata of the chip; `(pixel - mean) / std` is what the card calls `pixel * scale + offset`."""
    chip, spec = card.chip, card.input
    ends = sorted((spec.offset, 255 * spec.scale + spec.offset))
    image = _table(builder, {1: _square(builder, chip.size)}, {0: RGB if chip.channels == 3 else GRAYSCALE})
    content = _table(builder, {1: image}, {0: IMAGE_PROPERTIES})
    normalization = _table(
        builder, {0: _floats(builder, [(0.0 - spec.offset) / spec.scale]), 1: _floats(builder, [1 / spec.scale])}
    )
    unit = _table(builder, {1: normalization}, {0: NORMALIZATION})
    stats = _table(builder, {0: _floats(builder, ends[1:]), 1: _floats(builder, ends[:1])})
    colours = "RGB" if chip.channels == 3 else "grey"
    text = f"An upright face, {colours}, {chip.size} × {chip.size} px, raw 0 to 255; the card says how it is cut."
    fields = {3: content, 4: _vector(builder, [unit]), 5: stats}
    return _table(builder, {**_strings(builder, {0: "face", 1: text}), **fields})


def _output(builder: Builder, card: ModelCard) -> int:
    """TensorMetadata of the scores, with the labels' file."""
    file = _strings(builder, {0: LABELS_NAME, 1: "Names of the outputs, in their order, one a line."})
    labels = _table(builder, file, {2: TENSOR_AXIS_LABELS})
    content = _table(builder, {1: _table(builder, {})}, {0: FEATURE_PROPERTIES})
    text = "Probabilities of the expressions."
    if card.output == "logits":
        text = f"Logits of the expressions; divided by {card.temperature:g}, their softmax gives probabilities."
    fields = {3: content, 6: _vector(builder, [labels])}
    return _table(builder, {**_strings(builder, {0: card.output, 1: text}), **fields})


def _strings(builder: Builder, texts: dict[int, str]) -> dict[int, int]:
    """References to the strings, by field; an empty one is left out."""
    return {slot: builder.CreateString(text) for slot, text in texts.items() if text}


def _table(builder: Builder, references: dict[int, int], kinds: dict[int, int] | None = None) -> int:
    """A table of references, and of bytes that say of what kind they or the table are, by field."""
    kinds = kinds or {}
    builder.StartObject(max((*references, *kinds), default=-1) + 1)
    for slot, reference in references.items():
        builder.PrependUOffsetTRelativeSlot(slot, reference, 0)
    for slot, kind in kinds.items():
        builder.PrependInt8Slot(slot, kind, 0)
    return int(builder.EndObject())


def _square(builder: Builder, side_px: int) -> int:
    builder.StartObject(2)
    builder.PrependUint32Slot(0, side_px, 0)
    builder.PrependUint32Slot(1, side_px, 0)
    return int(builder.EndObject())


def _vector(builder: Builder, offsets: Sequence[int]) -> int:
    """A vector of references."""
    builder.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return int(builder.EndVector())


def _floats(builder: Builder, values: Sequence[float]) -> int:
    return int(builder.CreateNumpyVector(np.array(values, np.float32)))
