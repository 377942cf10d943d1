"""Face data in the usual layouts, small and made up."""

from pathlib import Path

import cv2
import numpy as np


def picture(path: Path, seed: int, size: tuple[int, int] = (60, 50), colour: bool = False) -> np.ndarray:
    """Write a picture of noise; returns it as BGR or grey."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (*size, 3) if colour else size, np.uint8)
    assert cv2.imwrite(str(path), pixels)
    return pixels


def folder_of_classes(root: Path, classes: dict[str, int], **kind: object) -> Path:
    for number, (name, count) in enumerate(classes.items()):
        for index in range(count):
            picture(root / name / f"{index:03}.png", 1000 * number + index, **kind)
    return root


def csv_of(path: Path, rows: list, *columns: str) -> Path:
    values = {"emotion": 0, "pixels": 1, "Usage": 2}
    lines = [",".join(columns)]
    for row in rows:
        fields = [row[values[name.strip()]] for name in columns]
        lines.append(",".join(" ".join(map(str, f.tolist())) if isinstance(f, np.ndarray) else str(f) for f in fields))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def npy(folder: Path, pictures: np.ndarray, labels: object = None, split: str = "") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / f"X{split}.npy", pictures)
    if labels is not None:
        np.save(folder / f"y{split}.npy", np.asarray(labels))
    return folder
