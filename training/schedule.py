"""How fast to learn at which step. A function of step and history alone, so a run that was stopped goes on as if it
had not.
"""

import math
from collections.abc import Sequence

from training.recipe import OptimiserSettings


def learning_rate(
    settings: OptimiserSettings, step: int, steps_per_epoch: int, evaluations: Sequence[float] = ()
) -> float:
    """Linear warm-up, then half a cosine down to zero (Loshchilov & Hutter 2017, "SGDR", without restarts) or a
    factor at each plateau.

    Args:
        settings: peak, warm-up and length.
        step: of the whole run, from 0.
        steps_per_epoch: batches in one pass.
        evaluations: the hold-out's negative log-likelihood at each evaluation so far, in nats; for plateaus.
    """
    total = settings.epochs * steps_per_epoch
    warmup = settings.warmup_epochs * steps_per_epoch
    if step < warmup:
        return settings.learning_rate * (step + 1) / (warmup + 1)
    if settings.schedule == "plateau":
        return settings.learning_rate * settings.plateau_factor ** plateaus(evaluations, settings.plateau_patience)
    done = min(1.0, (step - warmup) / (total - warmup))
    return settings.learning_rate * 0.5 * (1 + math.cos(math.pi * done))


def plateaus(evaluations: Sequence[float], patience: int) -> int:
    """How often `patience` evaluations in a row brought nothing lower than the lowest before."""
    best, waited, found = math.inf, 0, 0
    for value in evaluations:
        if value < best:
            best, waited = value, 0
            continue
        waited += 1
        if waited == patience:
            found, waited = found + 1, 0
    return found


def since_best(evaluations: Sequence[float]) -> int:
    """Evaluations after the lowest (the first of several equal ones); 0 where there is none."""
    return len(evaluations) - 1 - evaluations.index(min(evaluations)) if evaluations else 0
