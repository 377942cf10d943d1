"""Recipes: read completely, or refused with the key that is wrong."""

from pathlib import Path

import msgspec
import pytest

from edge.errors import ConfigError
from tests.training_fakes import RECIPES
from training.data import LOADERS
from training.networks import FAMILIES
from training.recipe import Recipe, load_recipe

GOOD = """
name = "good"
description = "as small as a recipe can be"
[optimiser]
epochs = 3
[network]
family = "qarepvgg"
"""


def recipe(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "recipe.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.toml")), ids=lambda path: path.stem)
def test_the_recipes_of_the_project_can_be_read_and_built(path: Path):
    loaded = load_recipe(path)
    assert loaded.name == path.stem
    assert loaded.data.loader in LOADERS
    assert type(loaded.network) in FAMILIES


def test_what_a_recipe_leaves_out_has_a_default(tmp_path: Path):
    loaded = load_recipe(recipe(tmp_path, GOOD))
    assert loaded.optimiser.batch == 128
    assert loaded.network.stages == ((32, 2), (64, 2), (128, 3), (192, 1))


def test_a_resolved_recipe_reads_back_as_the_same(tmp_path: Path):
    loaded = load_recipe(RECIPES / "compact.toml")
    assert msgspec.json.decode(msgspec.json.encode(loaded), type=Recipe) == loaded


def test_a_recipe_cannot_be_changed(tmp_path: Path):
    with pytest.raises(AttributeError):
        load_recipe(recipe(tmp_path, GOOD)).name = "other"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("epochs = 3", "epochs = 3\nepoch = 4", r"unknown field `epoch` - at `\$\.optimiser`"),
        ("epochs = 3", "epochs = 0", r"`int` >= 1 - at `\$\.optimiser\.epochs`"),
        ("epochs = 3", "", r"missing required field `epochs` - at `\$\.optimiser`"),
        ("epochs = 3", "epochs = 2", r"warmup_epochs = 2: expected less than epochs = 2"),
        ("epochs = 3", "epochs = 3\nlearning_rate = 0", r"`float` > 0.* - at `\$\.optimiser\.learning_rate`"),
        ("epochs = 3", 'epochs = 3\nprecision = "int3"', r"Invalid enum value 'int3' - at `\$\.optimiser\.precision`"),
        ("epochs = 3", 'epochs = "many"', r"Expected `int`, got `str` - at `\$\.optimiser\.epochs`"),
        ('"qarepvgg"', '"resnet"', r"Invalid value 'resnet' - at `\$\.network\.family`"),
        ('"qarepvgg"', '"qarepvgg"\nstages = [[32]]', r"\$\.network\.stages"),
        ('"good"', '"../good"', r"matching regex .* - at `\$\.name`"),
        ("[optimiser]", "[augment]\nflip_share = 1.5\n[optimiser]", r"<= 1.* - at `\$\.augment\.flip_share`"),
        (
            "[optimiser]",
            "[augment]\nnoise_sigma = [9, 3]\n[optimiser]",
            r"noise_sigma = \[9(\.0)?, 3(\.0)?\]: expected",
        ),
        ("[optimiser]", "[optimiser", "recipe.toml"),
    ],
)
def test_a_wrong_recipe_is_refused_with_the_key_named(tmp_path: Path, old: str, new: str, message: str):
    with pytest.raises(ConfigError, match=message) as refusal:
        load_recipe(recipe(tmp_path, GOOD.replace(old, new)))
    assert "recipe.toml" in str(refusal.value)


def test_a_missing_recipe_is_the_users_mistake(tmp_path: Path):
    with pytest.raises(ConfigError, match="cannot read the recipe"):
        load_recipe(tmp_path / "absent.toml")
