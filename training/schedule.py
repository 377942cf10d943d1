"""How fast to learn at which step. A function of the step alone, so a run that was stopped goes on as if it had not."""

import math

from training.recipe import OptimiserSettings


def learning_rate(settings: OptimiserSettings, step: int, steps_per_epoch: int) -> float:
    """Linear warm-up, then half a cosine down to zero (Loshchilov & Hutter 2017, "SGDR", without restarts).

    Args:
        settings: peak, warm-up and length.
        step: of the whole run, from 0.
        steps_per_epoch: batches in one pass.
    """
    total = settings.epochs * steps_per_epoch
    warmup = settings.warmup_epochs * steps_per_epoch
    if step < warmup:
        return settings.learning_rate * (step + 1) / (warmup + 1)
    done = min(1.0, (step - warmup) / (total - warmup))
    return settings.learning_rate * 0.5 * (1 + math.cos(math.pi * done))
