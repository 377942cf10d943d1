"""Which operators XNNPACK leaves to TFLite's own kernels, and what that costs."""

import math
from collections import Counter

from convert.finding import Finding
from convert.graph import HEAVY, Graph, Operator
from edge.runtime import Loaded

MACS_A_VALUE = 500
"""What one value costs in an operator that XNNPACK declines, in multiply-accumulates of int8 convolutions within it.
On an x86 with VNNI AVERAGE_POOL_2D, SOFTMAX, RELU6 and HARD_SWISH took 0.8 to 4 ns a value, and a convolution 1 ns for
345 multiply-accumulates; where those are slower, as on most boards, the operators left outside weigh less."""

SLOWER = 5
"""How many times as long a convolution takes outside XNNPACK: 5.3 was measured, 3.9 to 5.4 for whole networks."""

MOST_LONGER = 0.1
"""Share of a model's time. A softmax of seven classes adds 0.0001 to the shipped one's; an average pooling behind its
first stage would add half."""


def check_delegation(graph: Graph, loaded: Loaded, ours: bool) -> Finding:
    """Whether XNNPACK does what takes the time.

    Args:
        graph: of the file.
        loaded: the file in its runtime.
        ours: it is a network of this project's families, none of whose operators XNNPACK declines.
    """
    outside = graph.left_outside()
    longer = added_time(graph, outside)
    expected = "all operators in XNNPACK, as of every network of this project's families"
    if not ours:
        expected = (
            f"all operators in XNNPACK, but for what makes the model at most {MOST_LONGER:.0%} slower: outside a "
            f"convolution takes {SLOWER} times as long, and one value of another operator as long as {MACS_A_VALUE} "
            "multiply-accumulates inside"
        )
    if not loaded.xnnpack:
        return Finding("delegation", False, f"{loaded.runtime} without XNNPACK", expected)
    if not graph.delegates:
        return Finding("delegation", False, "no operator in XNNPACK", expected)
    if not outside:
        return Finding("delegation", True, f"all {len(graph.operators)} operators in XNNPACK", expected)
    names = Counter(each.name for each in outside)
    listed = ", ".join(f"{count} {name}" for name, count in sorted(names.items()))
    found = f"{listed} outside XNNPACK, of {len(graph.operators)} operators, {longer:.2%} slower by estimate"
    return Finding("delegation", not ours and longer <= MOST_LONGER, found, expected)


def added_time(graph: Graph, outside: tuple[Operator, ...]) -> float:
    """How much longer a chip takes for the operators outside XNNPACK, as a share of what all would take inside."""
    inside = sum(macs(graph, each) for each in graph.operators)
    added = sum(macs(graph, each) * (SLOWER - 1) or _values(graph, each) * MACS_A_VALUE for each in outside)
    return added / max(inside, 1)


def macs(graph: Graph, operator: Operator) -> int:
    """Multiply-accumulates of a convolution or dense layer for one chip; 0 of any other operator."""
    if operator.name not in HEAVY:
        return 0
    # each value of a kernel is used once at each place: of the output, or of what is spread out
    spread = operator.inputs[2] if operator.name == "TRANSPOSE_CONV" else operator.outputs[0]
    places = math.prod(graph.tensors[spread].shape[1:-1])
    return places * graph.tensors[operator.inputs[1]].size


def _values(graph: Graph, operator: Operator) -> int:
    """Of the largest activation it reads or writes."""
    varying = graph.varying()
    return max(graph.tensors[number].size for number in (*operator.inputs, *operator.outputs) if number in varying)
