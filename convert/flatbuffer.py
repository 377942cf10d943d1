"""Says what is wrong with a .tflite from its FlatBuffer: the words of a runtime that does not take it tell little."""

import struct
from collections.abc import Iterator
from typing import Any

from edge.errors import PermanentError

LEAST_SCALE = 1e-7
"""Of int8 activations. Converters give a tensor that is 0 throughout one of 8e-9 or 4e-12, values of any use need 1e-5
and more; XNNPACK refuses what is 256 times finer than that which it is worked out from."""


def refuse_custom_operators(content: bytes, name: str) -> None:
    """Refuse operators that are not TFLite's own, all by their names.

    Args:
        content: of the file; a card may follow. If it is damaged nothing is said.
        name: for messages.

    Raises:
        PermanentError: it has some.
    """
    model = _unpacked(content)
    codes = [] if model is None else [code.customCode for code in model.operatorCodes or () if code.customCode]
    custom = sorted({code.decode(errors="replace") for code in codes})
    if custom:
        raise PermanentError(
            f"{name} has the custom operator{'s' if len(custom) > 1 else ''} {', '.join(custom)}, expected TFLite's "
            "built-in ones only: the device has no others; replace the layer and convert again"
        )


def refuse_dead_layers(content: bytes, name: str, branches: bool) -> None:
    """Refuse a quantised network in which a layer gave 0 to every calibration chip.

    Args:
        content: of the file; a card may follow. If it is damaged nothing is said.
        name: for messages.
        branches: refuse dead branches as well, without which the network still tells pictures apart.

    Raises:
        PermanentError: it has one.
    """
    model = _unpacked(content)
    if model is None or not model.subgraphs:
        return
    graph = model.subgraphs[0]
    dead = list(_dead(graph))
    if not dead:
        return
    around = bool(_reached(graph, set(dead)).intersection(_numbers(graph.outputs)))
    if around and not branches:
        return
    so = "its branch does nothing, and no runtime takes its int8 form" if around else "the network names one class only"
    raise PermanentError(
        f"{name}: the layer {_layer(graph.tensors[dead[0]].name)} is dead: it gives 0 to every calibration chip, "
        f"expected values that depend on the picture; {so}. Train again with a lower learning rate or another seed, or "
        "convert an earlier checkpoint"
    )


def _unpacked(content: bytes) -> Any:
    """The model as objects; None if it is damaged, or without LiteRT, whose reader it takes."""
    try:
        from ai_edge_litert import schema_py_generated as schema  # noqa: PLC0415

        return schema.ModelT.InitFromPackedBuf(content, 0)
    except (ImportError, struct.error, IndexError, TypeError, ValueError, AttributeError):
        return None


def _numbers(listed: Any) -> list[int]:
    return [] if listed is None else [int(number) for number in listed]


def _dead(graph: Any) -> Iterator[int]:
    """Numbers of the tensors that an operator writes and that are 0 throughout, in the order of the file."""
    for operator in graph.operators or ():
        for number in _numbers(operator.outputs):
            quantised = graph.tensors[number].quantization
            scales = [] if quantised is None or quantised.scale is None else quantised.scale
            if len(scales) == 1 and 0 < scales[0] < LEAST_SCALE:
                yield number


def _reached(graph: Any, dead: set[int]) -> set[int]:
    """The tensors that depend on the picture, though nothing comes through the dead ones."""
    reached = set(_numbers(graph.inputs))
    for operator in graph.operators:
        if reached.intersection(_numbers(operator.inputs)):
            reached.update(set(_numbers(operator.outputs)) - dead)
    return reached


def _layer(name: bytes) -> str:
    """The layer in the first of a fused tensor's names, which is models/layer/operation."""
    first = name.decode(errors="replace").partition(";")[0]
    parts = [part for part in first.split("/") if not part.startswith("functional")]
    return "/".join(parts[:-1] or parts) or first
