"""The graph of a file: what is folded, what is left in float, and what XNNPACK takes."""

from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pytest

from convert.delegation import MOST_LONGER, added_time, check_delegation
from convert.graph import Graph, Operator, Tensor, load_graph
from convert.structure import check_structure
from convert.verify import Question
from edge.contract.card import read_card
from tests.sound_file import Chips, converted, failed, pixels
from tests.training_fakes import fer_rows

keras = pytest.importorskip("keras")


def test_the_scaling_of_the_input_is_told_from_a_batchnorm(sound: Question):
    _, found = load_graph(sound.model.read_bytes(), "sound")
    assert [each.name for each in found.operators][:3] == ["MUL", "ADD", "CONV_2D"]
    assert found.unfolded() == ()


def operators(*steps: tuple[str, tuple[int, ...], int]) -> tuple[Operator, ...]:
    return tuple(Operator(name, inputs, (output,)) for name, inputs, output in steps)


def graph(found: Graph, *steps: tuple[str, tuple[int, ...], int]) -> Graph:
    """Operators over tensors, each like the output; 0 is the input, from 100 on they are kernels of 3×3."""
    start, end = found.tensors[found.input], found.tensors[found.output]
    kernel = Tensor((1, 3, 3, 1), "int8", 1.0, 0)
    read = {number for _, inputs, _ in steps for number in inputs}
    tensors = {0: start} | {number: kernel for number in read if number >= 100} | {step[2]: end for step in steps}
    return Graph(operators(*steps), tensors, 0, steps[-1][2], operators(("DELEGATE", (0,), steps[-1][2])))


@pytest.mark.parametrize(
    ("steps", "left"),
    [
        ([("MUL", (0, 100), 1), ("ADD", (1, 101), 2), ("CONV_2D", (2, 102), 3)], []),
        ([("SUB", (0, 100), 1), ("MUL", (1, 101), 2), ("CONV_2D", (2, 102), 3)], []),
        ([("CONV_2D", (0, 100), 1), ("CONV_2D", (1, 101), 2), ("ADD", (1, 2), 3), ("MUL", (3, 1), 4)], []),
        ([("MUL", (0, 100), 1), ("ADD", (1, 101), 2), ("MUL", (2, 102), 3), ("ADD", (3, 103), 4)], [2, 3]),
        ([("CONV_2D", (0, 100), 1), ("MUL", (1, 101), 2), ("ADD", (2, 102), 3)], [1, 2]),
    ],
    ids=["scaling", "scaling the other way round", "shortcut and gate", "BatchNorm at the input", "BatchNorm later"],
)
def test_only_the_first_scaling_may_multiply_and_add_constants(sound: Question, steps: list[Any], left: list[int]):
    found = graph(load_graph(sound.model.read_bytes(), "sound")[1], *steps)
    assert [at for at, _ in found.unfolded()] == left


class Kernels:
    """An interpreter, as far as the checks of kernels ask it."""

    def get_tensor(self, number: int) -> Chips:
        return np.arange(9).reshape(1, 3, 3, 1)


def test_a_part_in_float_is_found(sound: Question):
    content = sound.model.read_bytes()
    card, _ = read_card(content, "sound")
    loaded, found = load_graph(content, "sound")
    steps = [("CONV_2D", (0, 100), 1), ("DEQUANTIZE", (1,), 2), ("TANH", (2,), 3), ("QUANTIZE", (3,), 4)]
    partly = graph(found, *steps)
    assert failed(list(check_structure(partly, replace(loaded, interpreter=Kernels()), card))) == {"operators"}


def test_without_xnnpack_no_model_passes(sound: Question):
    loaded, found = load_graph(sound.model.read_bytes(), "sound")
    assert check_delegation(found, loaded, ours=True).passed
    assert not check_delegation(found, replace(loaded, xnnpack=False), ours=False).passed
    without = check_delegation(replace(found, delegates=()), loaded, ours=False)
    assert not without.passed
    assert without.found == "no operator in XNNPACK"


@pytest.mark.parametrize(("values", "passes"), [(7, True), (100_000, False)])
def test_what_xnnpack_declines_may_cost_a_tenth_but_not_in_our_own_networks(sound: Question, values: int, passes: bool):
    loaded, found = load_graph(sound.model.read_bytes(), "sound")
    partly = graph(found, ("CONV_2D", (0, 100), 1), ("MEAN", (1,), 2), ("SOFTMAX", (2,), 3))
    sizes = {number: Tensor((1, values), "int8", 1.0, 0) for number in (2, 3)}
    feature_map = {1: Tensor((1, 1000, 1000, 1), "int8", 1.0, 0)}
    inside = operators(("DELEGATE", (0,), 2))
    partly = replace(partly, tensors={**partly.tensors, **feature_map, **sizes}, delegates=inside)
    for ours in (False, True):
        finding = check_delegation(partly, loaded, ours)
        assert finding.passed is (passes and not ours)
        assert "1 SOFTMAX outside XNNPACK, of 3 operators" in finding.found
    assert added_time(partly, partly.left_outside()) == pytest.approx(values * 500 / 9e6)
    assert MOST_LONGER == 0.1


@pytest.mark.parametrize(("layer", "declined"), [("Softmax", "SOFTMAX"), ("AveragePooling2D", "AVERAGE_POOL_2D")])
def test_the_runtime_tells_what_xnnpack_declined(layer: str, declined: str):
    chips = keras.Input((48, 48, 1))
    x = keras.layers.Conv2D(4, 3, activation="relu")(keras.layers.Rescaling(1 / 255)(chips))
    x = keras.layers.AveragePooling2D(2)(x) if layer == "AveragePooling2D" else x
    x = keras.layers.Dense(7)(keras.layers.Flatten()(x))
    x = keras.layers.Softmax()(x) if layer == "Softmax" else x
    pictures, _ = pixels(fer_rows(7, 0))
    loaded, found = load_graph(converted(keras.Model(chips, x), pictures), layer)
    assert [each.name for each in found.left_outside()] == [declined]
    assert check_delegation(found, loaded, ours=False).passed is (layer == "Softmax")


@pytest.mark.parametrize(("inside", "expected"), [([], set()), (["QUANTIZE"], {"operators"})])
def test_float_ends_may_be_quantised_behind_the_input_and_before_the_output_only(
    sound: Question, inside: list[str], expected: set[str]
):
    content = sound.model.read_bytes()
    card, _ = read_card(content, "sound")
    names = ["QUANTIZE", "MUL", "ADD", "CONV_2D", *inside, "DEQUANTIZE"]
    steps = [
        (name, (at, 100), at + 1) if name in ("MUL", "ADD", "CONV_2D") else (name, (at,), at + 1)
        for at, name in enumerate(names)
    ]
    loaded, sound_graph = load_graph(content, "sound")
    found = graph(sound_graph, *steps)
    floats = {number: replace(found.tensors[number], dtype="float32") for number in (found.input, found.output)}
    found = replace(found, tensors={**found.tensors, 1: found.tensors[found.input], **floats})
    quantisation = msgspec.structs.replace(card.quantisation, mode="int8-float-io")
    card = msgspec.structs.replace(card, quantisation=quantisation)
    assert failed(list(check_structure(found, replace(loaded, interpreter=Kernels()), card))) == expected
