"""What the command lines of `training` and `convert` ask for in the same words."""

import argparse
from typing import TYPE_CHECKING

import msgspec

from training.recipe import DataSettings, load_recipe

if TYPE_CHECKING:
    from training.foreign import Adoption


def data_settings(arguments: argparse.Namespace) -> DataSettings:
    """How to read --data: as --recipe says, else by default, and by --loader if it is given.

    Raises:
        ConfigError: the recipe is missing or wrong.
    """
    settings = load_recipe(arguments.recipe).data if arguments.recipe else DataSettings()
    chosen: DataSettings = msgspec.structs.replace(settings, loader=arguments.loader or settings.loader)
    return chosen


def adoption(arguments: argparse.Namespace) -> "Adoption":
    """A model from elsewhere, with --labels, --expects, --data and --out; else as `data_settings`."""
    from training.foreign import Adoption  # noqa: PLC0415  # slow to load

    return Adoption(
        model=arguments.model,
        labels=tuple(name.strip() for name in arguments.labels.split(",")),
        expects=arguments.expects,
        data=arguments.data,
        out=arguments.out,
        source=data_settings(arguments),
        name=arguments.out.name,
        cache=arguments.cache,
    )
