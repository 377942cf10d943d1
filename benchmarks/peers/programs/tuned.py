"""The tutorial's loop as somebody makes it who wants it fast, still with the same means.

Haar on a picture of 320 px width, on every third frame; boxes and labels stand until the next look. The model is traced
once (`tf.function`), not asked through `predict`. One thread for each library: their pools cost more than they bring.
Behind the film and the events: the .keras file, and by which factor Haar's window grows from step to step.
"""

import sys

import cv2
import numpy as np

from benchmarks.peers.programs.stage import CASCADE, Found, See, play
from benchmarks.peers.programs.vgg import LABELS, SIDE_PX

WIDTH_PX = 320
EVERY = 3


def _load() -> See:
    import tensorflow as tf  # noqa: PLC0415  # seconds: the viewer is let in before

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    cv2.setNumThreads(1)
    model = tf.keras.models.load_model(sys.argv[3], compile=False)
    cascade, step = cv2.CascadeClassifier(CASCADE), float(sys.argv[4])

    @tf.function(input_signature=[tf.TensorSpec((1, SIDE_PX, SIDE_PX, 1), tf.float32)])
    def scores_of(chip: tf.Tensor) -> tf.Tensor:
        return model(chip, training=False)

    def look(frame: np.ndarray) -> list[Found]:
        grey = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
        scale = grey.shape[1] / WIDTH_PX
        small = cv2.resize(grey, (WIDTH_PX, round(grey.shape[0] / scale)))
        found = []
        for box in cascade.detectMultiScale(small, step, 5):
            x, y, w, h = (round(float(value) * scale) for value in box)
            chip = cv2.resize(grey[y : y + h, x : x + w], (SIDE_PX, SIDE_PX)).astype("float32") / 255
            scores = scores_of(tf.constant(chip[np.newaxis, ..., np.newaxis])).numpy()[0]
            found.append(Found((x, y, w, h), LABELS[int(np.argmax(scores))]))
        return found

    seen = 0
    kept: list[Found] = []

    def see(frame: np.ndarray) -> list[Found]:
        nonlocal seen, kept
        if seen % EVERY == 0:
            kept = look(frame)
        seen += 1
        return kept

    return see


if __name__ == "__main__":
    play(_load)
