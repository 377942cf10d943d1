"""The loop of the usual tutorial: Haar on every frame at full size, `model.predict` on every face.

Behind the film and the events: the .keras file, and by which factor Haar's window grows from step to step: tutorials
have 1.1, which is OpenCV's default, or 1.3. The progress bar of `predict`, which they leave on, is off.
"""

import sys

import cv2
import numpy as np

from benchmarks.peers.programs.stage import CASCADE, Found, See, play
from benchmarks.peers.programs.vgg import LABELS, SIDE_PX


def _load() -> See:
    from tensorflow.keras.models import load_model  # noqa: PLC0415  # seconds: the viewer is let in before

    model = load_model(sys.argv[3])
    cascade, step = cv2.CascadeClassifier(CASCADE), float(sys.argv[4])

    def see(frame: np.ndarray) -> list[Found]:
        grey = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
        found = []
        for x, y, w, h in cascade.detectMultiScale(grey, step, 5):
            chip = cv2.resize(grey[y : y + h, x : x + w], (SIDE_PX, SIDE_PX)).astype("float32") / 255
            scores = model.predict(chip[np.newaxis, ..., np.newaxis], verbose=0)[0]
            found.append(Found((int(x), int(y), int(w), int(h)), LABELS[int(np.argmax(scores))]))
        return found

    return see


if __name__ == "__main__":
    play(_load)
