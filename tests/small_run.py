"""A small network that was really trained, as a run leaves it, on made-up pictures."""

from pathlib import Path

import keras
import msgspec
import numpy as np

from convert.quantize import Job
from edge.contract.labels import FER2013_LABELS
from tests.training_fakes import fer_rows, write_fer
from training.report import REPORT, DataReport, Report


def small_network() -> keras.Model:
    """With a normalisation, a skip connection, and one kernel of more than the 1024 values that `dynamic` quantises."""
    keras.utils.set_random_seed(1)
    layers = keras.layers
    chips = keras.Input((48, 48, 1))
    x = layers.Rescaling(1 / 127.5, offset=-1)(chips)
    x = layers.Conv2D(8, 3, strides=4, padding="same", use_bias=False)(x)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    x = layers.Add()([x, layers.Conv2D(8, 3, padding="same", activation="relu")(x)])
    x = layers.Flatten()(layers.AveragePooling2D(2)(x))
    model = keras.Model(chips, layers.Dense(7)(x))
    model.compile(keras.optimizers.Adam(0.003), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    rows = fer_rows(train=210, public=0)
    pictures = np.stack([pixels.reshape(48, 48, 1) for _, pixels, _ in rows]).astype(np.float32)
    model.fit(pictures, np.array([label for label, *_ in rows]), epochs=4, batch_size=16, verbose=0)
    return model


def training_report() -> Report:
    """What a training says of the network above."""
    return Report(
        recipe="small",
        resolved_recipe={},
        seed=1,
        labels=FER2013_LABELS,
        epochs=4,
        steps=56,
        minutes=0.1,
        parameters=3000,
        macs=200_000,
        fold_error=0.0,
        temperature=1.5,
        data=DataReport("0" * 64, 210, 0, 70, 70, (), ()),
        scores={},
        versions={},
    )


def small_job(folder: Path) -> Job:
    """A trained model with its report, and made-up pictures."""
    small_network().save(folder / "model.keras")
    (folder / REPORT).write_bytes(msgspec.json.encode(training_report()))
    csv = write_fer(folder / "fer.csv", fer_rows(210, 70))
    return Job(folder / "model.keras", csv, folder / "model.tflite")
