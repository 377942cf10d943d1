"""Which pictures a model is converted, verified and shown on: as asked, else as the recipe it was trained by says."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from edge.errors import ConfigError
from training.recipe import DataSettings


def data_settings(
    recipe: Mapping[str, Any] | None,
    model: Path,
    *,
    loader: str | None = None,
    train_split: str | None = None,
    report_split: str | None = None,
) -> DataSettings:
    """How to read the data.

    Args:
        recipe: the resolved one, from a card or a training report; None or without data: the defaults.
        model: for messages.
        loader: in place of the recipe's.
        train_split: likewise.
        report_split: likewise.

    Raises:
        ConfigError: the recipe was written by another version.
    """
    try:
        said: DataSettings = msgspec.convert((recipe or {}).get("data", {}), DataSettings)
    except (msgspec.ValidationError, AttributeError) as error:
        raise ConfigError(
            f"{model} describes the data it was trained on in words of another version ({error}); train or convert it "
            "again with this one"
        ) from error
    asked = {"loader": loader, "train_split": train_split, "report_split": report_split}
    chosen: DataSettings = msgspec.structs.replace(said, **{name: value for name, value in asked.items() if value})
    return chosen
