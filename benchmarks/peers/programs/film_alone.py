"""Finds nothing: what reading the film, a JPEG of each frame and the viewer cost alone, in the same Python."""

import cv2

from benchmarks.peers.programs.stage import See, play


def _load() -> See:
    # as the program has it: the pictures are small
    cv2.setNumThreads(1)
    return lambda _: []


if __name__ == "__main__":
    play(_load)
