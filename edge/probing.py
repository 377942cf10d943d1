"""What a model's answers to pictures drawn by code say about the contract it runs under."""

import numpy as np
from numpy.typing import NDArray

from edge.contract.chip import ChipSpec
from edge.contract.terms import Contract
from edge.errors import PermanentError
from edge.types import Pixels

FIELDS = 8
SUM_TOLERANCE = 0.01
"""How far probabilities may sum from 1, besides half a quantisation step for each."""
USUAL_STEP = 1 / 256
"""Of int8 probabilities; a model may have them inside and float32 at its end."""
LEAST_MOVE = 0.01
"""Of the probability that moves most between the pictures; less is no answer at all."""
USUAL_MOVE = 0.12
"""Less is suspicious: the shipped model's moves by 0.65, and by 0.08 if its pixels were divided by 255 before."""
SURE = 0.9999
"""Median of the likeliest class's probability; as much is suspicious on pictures that show no face."""


def probe_chips(spec: ChipSpec) -> Pixels:
    """Black, white, two ramps and coarse noise: uint8 (N, S, S, C), 0..255. Same arguments, same chips."""
    random = np.random.default_rng(0)
    shape = (spec.size, spec.size, spec.channels)
    ramp = np.linspace(0, 255, spec.size).astype(np.uint8)
    coarse = random.integers(0, 256, (FIELDS, 6, 6, spec.channels), np.uint8)
    cells = np.arange(spec.size) * 6 // spec.size
    plain = [
        np.zeros(shape, np.uint8),
        np.full(shape, 255, np.uint8),
        np.broadcast_to(ramp[:, None, None], shape),
        np.broadcast_to(ramp[None, :, None], shape),
    ]
    return np.stack([*plain, *coarse[:, cells][:, :, cells]])


def examine(name: str, contract: Contract, answers: NDArray[np.float32], step: float, source: str) -> str | None:
    """Hold a model's answers to several unlike chips against what is said of them.

    Args:
        name: of the model.
        contract: what it runs under.
        answers: (N, classes) as float.
        step: between two values of the output, 0 where it is not quantised.
        source: who said what is in the contract, for messages.

    Returns:
        What a person should know, or None.

    Raises:
        PermanentError: the answers contradict the contract, or are no answers.
    """
    if not np.isfinite(answers).all():
        wrong = int((~np.isfinite(answers)).any(axis=1).sum())
        raise PermanentError(
            f"{name} answers {wrong} of {len(answers)} pictures drawn by code with values that are no numbers (NaN or "
            "infinite), expected finite ones; its weights are damaged, or its scaling is wrong: make or fetch it again"
        )
    _check_output(name, contract, answers, step, source)
    probabilities = answers if contract.output == "probabilities" else _softmax(answers)
    low, high = sorted((contract.offset, 255 * contract.scale + contract.offset))
    reach = f"its pixels reach it as {low:g} to {high:g}, as the {source} says"
    move = float(np.ptp(probabilities, axis=0).max())
    if move >= USUAL_MOVE:
        sure = np.sort(probabilities.max(axis=1))
        # the median; NumPy's would load all of numpy.ma
        if (sure[(len(sure) - 1) // 2] + sure[len(sure) // 2]) / 2 < SURE:
            return None
        return (
            f"{name} is wholly sure of most pictures drawn by code, even of noise; {reach}; if it expects less, such "
            "as 0 to 1, that is a scaling too few"
        )
    found = (
        f"{name} answers nearly the same to black, white, ramps and noise: its probabilities move by at most {move:.3f}"
    )
    advice = f"{reach}; if it scales them itself, that is one scaling too many"
    if move < LEAST_MOVE:
        raise PermanentError(f"{found}, expected at least {LEAST_MOVE}; {advice}")
    return f"{found}, usual is {USUAL_MOVE} and more; {advice}"


def _check_output(name: str, contract: Contract, answers: NDArray[np.float32], step: float, source: str) -> None:
    tolerance = SUM_TOLERANCE + answers.shape[1] * max(step, USUAL_STEP) / 2
    sums = answers.sum(axis=1)
    are_probabilities = bool((answers >= -step).all() and (np.abs(sums - 1) <= tolerance).all())
    if are_probabilities == (contract.output == "probabilities"):
        return
    found = f"outputs from {answers.min():.4g} to {answers.max():.4g} that sum to {sums.min():.4g} to {sums.max():.4g}"
    if are_probabilities:
        raise PermanentError(
            f'{name} gives probabilities already ({found}), its {source} says "logits"; another softmax would flatten '
            'them: say output = "probabilities"'
        )
    raise PermanentError(
        f'{name} gives {found}, its {source} says "probabilities", expected 0 to 1 and a sum of 1; if these are '
        'logits, say output = "logits"'
    )


def _softmax(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    weights = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    probabilities: NDArray[np.float64] = weights / weights.sum(axis=1, keepdims=True)
    return probabilities
