"""What is the same for all peers: reading the film, drawing, the JPEG, the viewer, and noting what was found.

The viewer is served in the cheapest way there is: one connection, and the loop itself writes each picture to it. Only
the standard library, OpenCV and NumPy, which every environment has.
"""

import json
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np

QUALITY = 80
BACKLOG = 1
opencv: Any = cv2  # its stubs leave the data folder out
CASCADE = f"{opencv.data.haarcascades}haarcascade_frontalface_default.xml"
COLOUR = (0, 155, 255)
HEADER = b"HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n"


class Found(NamedTuple):
    """A face: x, y, width and height in pixels of the frame, and the name of its expression."""

    box: tuple[int, int, int, int]
    label: str


See = Callable[[np.ndarray], list[Found]]
"""A frame, uint8 (H, W, 3) BGR, to the faces in it."""


def play(load: Callable[[], See]) -> None:
    """Say where the viewer may look, load, then take every frame of the film in turn.

    Command line: the film, the file for what is found (JSON lines), and what the program itself wants.
    """
    film, events = sys.argv[1:3]
    with socket.create_server(("127.0.0.1", 0), backlog=BACKLOG) as server:
        print(f"http://127.0.0.1:{server.getsockname()[1]}/", flush=True)
        see = load()
        viewer, _ = server.accept()
        with viewer, Path(events).open("w", encoding="utf-8") as found:
            viewer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            _ask(viewer)
            decoder, seq = cv2.VideoCapture(film), 0
            while True:
                done, frame = decoder.read()
                if not done:
                    break
                seq += 1
                faces = see(frame)
                found.write(json.dumps({"seq": seq, "faces": [_shares(face, frame) for face in faces]}) + "\n")
                _send(viewer, seq, _drawn(frame, faces))


def _shares(face: Found, frame: np.ndarray) -> dict[str, object]:
    """As the program's own events have it: the box as shares of the picture."""
    height, width = frame.shape[:2]
    x, y, w, h = map(int, face.box)
    return {"box": (x / width, y / height, w / width, h / height), "label": face.label}


def _drawn(frame: np.ndarray, faces: list[Found]) -> bytes:
    """The frame with boxes and labels, as JPEG."""
    for (x, y, w, h), label in faces:
        cv2.rectangle(frame, (x, y), (x + w, y + h), COLOUR, 2)
        cv2.putText(frame, label, (x, y - 10), cv2.FONT_HERSHEY_SIMPLEX, 0.9, COLOUR, 2)
    _, jpeg = cv2.imencode(".jpg", frame, (cv2.IMWRITE_JPEG_QUALITY, QUALITY))
    return bytes(jpeg)


def _ask(viewer: socket.socket) -> None:
    """Read the viewer's request, whatever it asks for."""
    request = b""
    while b"\r\n\r\n" not in request:
        request += viewer.recv(4096)
    viewer.sendall(HEADER)


def _send(viewer: socket.socket, seq: int, jpeg: bytes) -> None:
    head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\nX-Sequence: {seq}\r\n\r\n"
    viewer.sendall(head.encode() + jpeg + b"\r\n")
