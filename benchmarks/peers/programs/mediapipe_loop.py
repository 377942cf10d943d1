"""MediaPipe's face detector (Tasks API, for videos) on every frame, then our int8 expression model on LiteRT.

Behind the film and the events: the detector's file as `described_file` writes it, and the expression model.
"""

import sys
from pathlib import Path

import cv2
import numpy as np

from benchmarks.peers.programs.stage import Found, See, play
from benchmarks.peers.programs.vgg import LABELS, SIDE_PX

FRAME_MS = 33


def _load() -> See:
    import mediapipe as mp  # noqa: PLC0415  # seconds: the viewer is let in before
    from ai_edge_litert.interpreter import Interpreter  # noqa: PLC0415
    from mediapipe.tasks.python import BaseOptions, vision  # noqa: PLC0415

    options = vision.FaceDetectorOptions(
        base_options=BaseOptions(model_asset_buffer=Path(sys.argv[3]).read_bytes()),
        running_mode=vision.RunningMode.VIDEO,
    )
    detector = vision.FaceDetector.create_from_options(options)
    model = Interpreter(model_content=Path(sys.argv[4]).read_bytes(), num_threads=1)
    model.allocate_tensors()
    taken, given = model.get_input_details()[0]["index"], model.get_output_details()[0]["index"]
    now_ms = 0

    def name(frame: np.ndarray, box: tuple[int, int, int, int]) -> str:
        x, y, w, h = box
        part = frame[max(y, 0) : y + h, max(x, 0) : x + w]
        chip = cv2.resize(cv2.cvtColor(part, cv2.COLOR_BGR2GRAY), (SIDE_PX, SIDE_PX))
        model.set_tensor(taken, (chip ^ 0x80).view(np.int8)[np.newaxis, ..., np.newaxis])
        model.invoke()
        return LABELS[int(np.argmax(model.get_tensor(given)[0]))]

    def see(frame: np.ndarray) -> list[Found]:
        nonlocal now_ms
        now_ms += FRAME_MS
        picture = mp.Image(image_format=mp.ImageFormat.SRGB, data=cv2.cvtColor(frame, cv2.COLOR_BGR2RGB))
        found = []
        for detection in detector.detect_for_video(picture, now_ms).detections:
            place = detection.bounding_box
            box = (place.origin_x, place.origin_y, place.width, place.height)
            found.append(Found(box, name(frame, box)))
        return found

    return see


if __name__ == "__main__":
    play(_load)
