"""Made-up data in FER2013's layout."""

import gzip
from collections.abc import Iterable
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge.contract.labels import FER2013_LABELS
from tests.real_data import real_data
from training.data.dataset import Dataset
from training.metrics import score
from training.report import REPORT, DataReport, Report

PIXELS = 48 * 48
RECIPES = Path(__file__).parents[1] / "training" / "recipes"


def fer_rows(train: int, public: int, seed: int = 0) -> list[tuple[int, NDArray[np.uint8], str]]:
    """(label, 2304 pixels, split): each class has its own coarse pattern under noise, so that it can be learnt."""
    rng = np.random.default_rng(seed)
    coarse = np.random.default_rng(7).integers(40, 216, (len(FER2013_LABELS), 4, 4))
    patterns = np.kron(coarse, np.ones((12, 12))).reshape(len(FER2013_LABELS), PIXELS)
    rows = []
    for number in range(train + public):
        label = number % len(FER2013_LABELS)
        pixels = np.clip(patterns[label] + rng.normal(0, 30, PIXELS), 0, 255).astype(np.uint8)
        rows.append((label, pixels, "Training" if number < train else "PublicTest"))
    return rows


def write_fer(path: Path, rows: Iterable[tuple[int, NDArray[np.uint8], str]]) -> Path:
    """Write FER2013's CSV, compressed if the name says so."""
    lines = ["emotion,pixels,Usage"]
    lines += [f"{label},{' '.join(map(str, pixels.tolist()))},{split}" for label, pixels, split in rows]
    text = "\n".join(lines) + "\n"
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def fake_dataset(chips: NDArray[np.uint8], splits: Iterable[str]) -> Dataset:
    """Chips (N, 48, 48, 1) with labels 0, 1, 2, …"""
    count = len(chips)
    labels = np.arange(count, dtype=np.int64) % len(FER2013_LABELS)
    return Dataset(chips, labels, FER2013_LABELS, np.array(list(splits), np.str_), np.arange(count, dtype=np.int64))


def noise_chips(count: int, seed: int = 0) -> NDArray[np.uint8]:
    """uint8 (count, 48, 48, 1), no two alike."""
    return np.random.default_rng(seed).integers(0, 256, (count, 48, 48, 1), np.uint8)


def real_fer2013() -> Path:
    """The real CSV; the test is skipped where it is absent."""
    return real_data("fer2013", "fer2013.csv.gz")


def write_random_model(
    folder: Path, labels: tuple[str, ...] = FER2013_LABELS, seed: int = 1, side: int = 48, channels: int = 1
) -> Path:
    """A model with weights as they were drawn, and the report that belongs beside it."""
    import keras

    keras.utils.set_random_seed(seed)
    layers = [keras.Input((side, side, channels)), keras.layers.AveragePooling2D(side // 4), keras.layers.Flatten()]
    model = keras.Sequential([*layers, keras.layers.Dense(len(labels), kernel_initializer="glorot_normal")])
    folder.mkdir(parents=True)
    model.save(folder / "model.keras")
    report = Report(
        recipe="random",
        resolved_recipe={},
        seed=seed,
        labels=labels,
        epochs=0,
        steps=0,
        minutes=0.0,
        parameters=model.count_params(),
        macs=0,
        fold_error=0.0,
        temperature=40.0,
        data=DataReport("0" * 64, 0, 0, 0, 0, (), ()),
        scores={"report": score(np.eye(len(labels)), np.arange(len(labels)), labels)},
        versions={},
    )
    (folder / REPORT).write_bytes(msgspec.json.encode(report))
    return folder / "model.keras"
