"""`python -m benchmarks.peers.programs.float32 OUT`: the shipped model's network as float32, with random weights.

Its int8 file cannot be turned back, and the time does not depend on the weights.
"""

import os
import sys
from pathlib import Path

from edge.contract.labels import FER2013_LABELS
from training.networks import FAMILIES
from training.networks.table import RECIPES
from training.recipe import load_recipe

if __name__ == "__main__":
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    from convert.tflite import to_tflite

    recipe = load_recipe(RECIPES / "compact.toml")
    options, family = recipe.data.options, FAMILIES[type(recipe.network)]
    shape = (options.size, options.size, options.channels)
    model = family.fold(family.build(recipe.network, shape, len(FER2013_LABELS), "float32"))
    Path(sys.argv[1]).write_bytes(to_tflite(model, "float32"))
