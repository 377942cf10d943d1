"""Data and recipes for the commands that train, convert and measure: so few pictures and epochs that they end soon."""

import os
import re
from pathlib import Path

import numpy as np

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras

from tests.face_sources import folder_of_classes, picture
from tests.training_fakes import fer_rows, write_fer

SHORT = {"epochs": 6, "evaluate_every": 3, "warmup_epochs": 0.5, "batch": 32, "average": 0.9}
"""What is set in every recipe that has it."""

TRAIN, PUBLIC = 420, 70


def fill(folder: Path) -> None:
    """Put in what these commands need, into a copy of a checkout."""
    for recipe in (folder / "training" / "recipes").rglob("*.toml"):
        text = recipe.read_text()
        for key, value in SHORT.items():
            text = re.sub(rf"(?m)^{key} = .*", f"{key} = {value}", text)
        recipe.write_text(text)
    rows = fer_rows(TRAIN, PUBLIC)
    write_fer(folder / "fer2013.csv.gz", rows)
    pixels = [" ".join(map(str, chip.tolist())) for _, chip, _ in rows[:20]]
    (folder / "test.csv").write_text("pixels\n" + "\n".join(pixels) + "\n")
    classes = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
    folder_of_classes(folder / "DIR", dict.fromkeys(classes, 12))
    for number in range(6):
        picture(folder / "FACES" / f"{number}.png", number)
    unscaled_network().save(folder / "model.h5")
    recipes = folder / "training" / "recipes"
    (folder / "TEACHERS.toml").write_text((recipes / "stages" / "teacher.toml").read_text())
    (folder / "STUDENT.toml").write_text((recipes / "compact.toml").read_text())
    (folder / "runs" / "peers").mkdir(parents=True)
    kept = folder / "benchmarks" / "results" / "peers.json"
    (folder / "runs" / "peers" / "peers.json").write_text(kept.read_text())


def unscaled_network() -> keras.Model:
    """What tutorials train: it takes 0..1 and scales nothing."""
    rows = fer_rows(TRAIN, 0)
    chips = np.stack([pixels.reshape(48, 48, 1) for _, pixels, _ in rows]).astype(np.float32) / 255
    layers = keras.layers
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((48, 48, 1)), layers.AveragePooling2D(6), layers.Flatten(), layers.Dense(7)])
    model.compile(keras.optimizers.Adam(0.05), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(chips, np.array([label for label, *_ in rows]), epochs=20, batch_size=32, verbose=0)
    return keras.Sequential([model, layers.Softmax()])
