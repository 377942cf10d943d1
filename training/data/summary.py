"""What a data set holds, for people."""

import numpy as np

from training.data.dataset import UNLABELLED, Dataset

_MOST_NAMED = 20


def class_counts(dataset: Dataset) -> dict[str, dict[str, int]]:
    """Pictures of each class in each split: {split: {class: count}}; the part without labels is not in it."""
    return {
        split: dict(
            zip(
                dataset.label_names,
                np.bincount(dataset.labels[dataset.splits == split], minlength=len(dataset.label_names)).tolist(),
                strict=True,
            )
        )
        for split in dataset.split_names()
        if split != UNLABELLED
    }


def describe(dataset: Dataset) -> str:
    """Chips, class counts of each split, and the pictures left out by name, as lines of text."""
    counts = class_counts(dataset)
    width = max(len(name) for name in (*dataset.label_names, "class", "all"))
    columns = [(split, max(9, len(split))) for split in counts]
    colour = "grey" if dataset.channels == 1 else "RGB"
    lines = [
        f"{len(dataset)} chips, {dataset.side_px}×{dataset.side_px} px, {colour}",
        " ".join([f"{'class':{width}}", *(f"{split:>{size}}" for split, size in columns)]),
        *(
            " ".join([f"{name:{width}}", *(f"{counts[split][name]:{size}}" for split, size in columns)])
            for name in dataset.label_names
        ),
        " ".join([f"{'all':{width}}", *(f"{sum(counts[split].values()):{size}}" for split, size in columns)]),
    ]
    unlabelled = int(np.count_nonzero(dataset.splits == UNLABELLED))
    if unlabelled:
        lines.append(f"{unlabelled} without labels, for predictions only")
    if dataset.left_out:
        lines.append(f"{len(dataset.left_out)} pictures left out:")
        lines += [f"  {reason}" for reason in dataset.left_out[:_MOST_NAMED]]
        if len(dataset.left_out) > _MOST_NAMED:
            lines.append(f"  and {len(dataset.left_out) - _MOST_NAMED} more")
    return "\n".join(lines)
