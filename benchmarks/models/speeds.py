"""What is known about every model: how right, how fast, how large; and which of them nobody beats."""

import msgspec

from benchmarks.models.standings import Schedule, Standing
from edge.machine import Machine


class Spread(msgspec.Struct, frozen=True):
    """The median over the rounds, and between which values half of the rounds lie."""

    median: float
    low: float
    high: float


class Model(msgspec.Struct, frozen=True):
    """One mark of the chart.

    Attributes:
        standing: which it is, and how right.
        size_b: of the .tflite that was timed, in bytes.
        ms: of naming one face, all views.
        times: by the shipped model's in the same round.
    """

    standing: Standing
    size_b: int
    ms: Spread
    times: Spread


class Survey(msgspec.Struct, frozen=True):
    """All of them, and under which conditions.

    Attributes:
        machine: that they were timed on.
        runtime: name and version.
        rounds: in which all took turns.
        split: of FER2013, that the accuracies hold on.
        pictures: in it.
        data_sha256: of the data.
        short: what the short schedule was, for people.
        models: in no order.
    """

    machine: Machine
    runtime: str
    rounds: int
    split: str
    pictures: int
    data_sha256: str
    short: str
    models: tuple[Model, ...]

    def trained(self, schedule: Schedule) -> tuple[Model, ...]:
        """Those that were trained so, fastest first."""
        chosen = (model for model in self.models if model.standing.schedule == schedule)
        return tuple(sorted(chosen, key=lambda model: model.ms.median))


def front(models: tuple[Model, ...]) -> tuple[Model, ...]:
    """Those of `models` that none beats: any other is slower or less right. Fastest first; they must compare."""
    kept: list[Model] = []
    for model in sorted(models, key=lambda each: (each.ms.median, -each.standing.accuracy)):
        if not kept or model.standing.accuracy > kept[-1].standing.accuracy:
            kept.append(model)
    return tuple(kept)
