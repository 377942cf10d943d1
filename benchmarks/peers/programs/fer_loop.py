"""`fer` as its README has it: `FER()`, or `FER(mtcnn=True)` with `mtcnn` behind the film and the events."""

import sys

import numpy as np

from benchmarks.peers.programs.stage import Found, See, play


def _load() -> See:
    from fer.fer import FER  # noqa: PLC0415  # three seconds: the viewer is let in before

    detector = FER(mtcnn="mtcnn" in sys.argv[3:])

    def see(frame: np.ndarray) -> list[Found]:
        found = []
        for face in detector.detect_emotions(frame):
            x, y, w, h = (int(value) for value in face["box"])
            found.append(Found((x, y, w, h), max(face["emotions"], key=face["emotions"].get)))
        return found

    return see


if __name__ == "__main__":
    play(_load)
