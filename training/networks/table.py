"""What each recipe's network is and costs: the table for people who choose one."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from edge.contract.labels import FER2013_LABELS
from training import cost
from training.networks import FAMILIES
from training.recipe import Recipe, load_recipe

RECIPES = Path(__file__).parents[1] / "recipes"


@dataclass(frozen=True, slots=True)
class Entry:
    """One network.

    Attributes:
        recipe: its name.
        family: of the network.
        chips: (S, S, C) it is meant for.
        classes: labels the figures are for.
        parameters: as exported; normalisations count until they are folded.
        macs: multiply-accumulates a chip.
        origin: where it comes from.
    """

    recipe: str
    family: str
    chips: tuple[int, int, int]
    classes: int
    parameters: int
    macs: int
    origin: str


def entry(recipe: Recipe) -> Entry:
    """Build the network (some have millions of weights) and count."""
    options, family = recipe.data.options, FAMILIES[type(recipe.network)]
    chips = (options.size, options.size, options.channels)
    classes = len(options.labels or FER2013_LABELS)
    plain = family.fold(family.build(recipe.network, chips, classes, "float32"))
    return Entry(
        recipe=recipe.name,
        family=type(recipe.network).__struct_config__.tag,
        chips=chips,
        classes=classes,
        parameters=plain.count_params(),
        macs=cost.macs(plain),
        origin=recipe.origin or family.origin,
    )


def table(paths: Iterable[Path] | None = None) -> str:
    """Markdown, one line for each recipe.

    Args:
        paths: of the recipes; None: all of the project.
    """
    return "\n".join(_lines(sorted(RECIPES.glob("*.toml")) if paths is None else paths))


def _lines(paths: Iterable[Path]) -> Iterator[str]:
    yield "| recipe | family | chips | classes | parameters | million MACs | origin |"
    yield "| --- | --- | --- | ---: | ---: | ---: | --- |"
    for path in paths:
        found = entry(load_recipe(path))
        yield (
            f"| {found.recipe} | {found.family} | {'×'.join(map(str, found.chips))} | {found.classes} "
            f"| {found.parameters:,} | {found.macs / 1e6:.1f} | {found.origin} |"
        )
