"""Numbers the classes of data as a model does."""

from dataclasses import replace

import numpy as np

from edge.errors import ConfigError
from training.data.dataset import NO_LABEL, Dataset


def in_order(dataset: Dataset, labels: tuple[str, ...]) -> Dataset:
    """The data with the classes numbered as a model does, found by their names.

    Raises:
        ConfigError: they are not the same classes.
    """
    if set(dataset.label_names) != set(labels) or len(set(labels)) < len(labels):
        raise ConfigError(
            f"the model knows {', '.join(labels)}, the data holds {', '.join(dataset.label_names)}; give its own data, "
            "or rename classes in [data.options]"
        )
    # the last entry is for NO_LABEL, which is -1
    number = np.array([*(labels.index(name) for name in dataset.label_names), NO_LABEL], np.int64)
    return replace(dataset, labels=number[dataset.labels], label_names=labels)
