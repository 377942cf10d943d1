"""Several answers to one face: of several models, or to the face and its mirror image."""

from collections.abc import Sequence

import numpy as np

from edge.contract.chip import ChipSpec
from edge.errors import ConfigError
from edge.ports import ExpressionModel
from edge.types import EmotionScores, Pixels, read_only


class Ensemble:
    """The mean of several models' calibrated probabilities. Each sees its own chip; classes are matched by name."""

    def __init__(self, members: Sequence[ExpressionModel]) -> None:
        """Put models together.

        Raises:
            ConfigError: they do not all know the same classes.
        """
        first = members[0]
        for other in members[1:]:
            if set(other.labels) != set(first.labels):
                raise ConfigError(
                    f"models that answer together must know the same classes: {first.name} knows "
                    f"{', '.join(first.labels)}, {other.name} knows {', '.join(other.labels)}; give one of them, or "
                    "others"
                )
        self.name = " + ".join(member.name for member in members)
        self.labels = first.labels
        self.views: tuple[ChipSpec, ...] = tuple(dict.fromkeys(view for member in members for view in member.views))
        self.runtime = first.runtime
        self.xnnpack = all(member.xnnpack for member in members)
        self.rejected_runtimes = first.rejected_runtimes
        self._members = [
            (
                member,
                tuple(self.views.index(view) for view in member.views),
                [member.labels.index(label) for label in self.labels],
            )
            for member in members
        ]

    def classify(self, *chips: Pixels) -> tuple[EmotionScores, ...]:
        """Probabilities for each face, of which `chips` has one array for each of `views`."""
        answers = [
            np.array(member.classify(*(chips[view] for view in views)))[:, order]
            for member, views, order in self._members
        ]
        scores: EmotionScores = np.mean(answers, axis=0)
        read_only(scores)
        return tuple(scores)

    def invoke(self) -> None:
        """The bare native calls (for benchmarks)."""
        for member, _, _ in self._members:
            member.invoke()


class Mirrored:
    """The mean of the probabilities for each face and for its mirror image."""

    def __init__(self, model: ExpressionModel) -> None:
        self._model = model
        self.name = f"{model.name}, with the mirror image"
        self.labels = model.labels
        self.views = model.views
        self.runtime = model.runtime
        self.xnnpack = model.xnnpack
        self.rejected_runtimes = model.rejected_runtimes

    def classify(self, *chips: Pixels) -> tuple[EmotionScores, ...]:
        """Probabilities for each face, of which `chips` has one array for each of `views`."""
        straight = np.array(self._model.classify(*chips))
        # copied, because an interpreter wants its bytes in order
        mirrored = np.array(self._model.classify(*(np.ascontiguousarray(each[:, :, ::-1]) for each in chips)))
        scores: EmotionScores = (straight + mirrored) / np.float32(2)
        read_only(scores)
        return tuple(scores)

    def invoke(self) -> None:
        """The bare native calls (for benchmarks)."""
        self._model.invoke()
        self._model.invoke()
