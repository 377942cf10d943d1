"""Network cameras and streams, through OpenCV's FFMPEG."""

import base64
import re
import socket
import urllib.error
import urllib.request
from typing import Final
from urllib.parse import unquote, urlsplit

import cv2

from edge.demand import every
from edge.errors import TemporaryError
from edge.ports import Clock, Wanted
from edge.sources.frozen import Watched
from edge.sources.newest import Device, NewestFrame
from edge.sources.opencv import CaptureDevice, hush
from edge.sources.recording import RecordingDevice
from edge.sources.specs import UrlSpec, redacted

OPEN_TIMEOUT_S: Final = 10.0
"""FFMPEG looks at up to five seconds of a stream before it knows what it is."""
READ_TIMEOUT_S: Final = 5.0
FROZEN_S: Final = 30.0
"""Longer than for a camera here: a video codec may leave out a still scene's noise until its next key frame."""
_PROBE_TIMEOUT_S: Final = 3.0
_PORTS: Final = {"http": 80, "https": 443, "rtsp": 554, "rtsps": 322}


def open_url(
    spec: UrlSpec,
    clock: Clock,
    open_timeout_s: float = OPEN_TIMEOUT_S,
    read_timeout_s: float = READ_TIMEOUT_S,
    frozen_s: float = FROZEN_S,
    wanted: Wanted = every,
) -> NewestFrame:
    """Connect to a stream or a recording and wait for its first picture.

    Args:
        spec: where to.
        clock: stamps the frames.
        open_timeout_s: how long connecting may take.
        read_timeout_s: after how long a silent stream is given up.
        frozen_s: how long a picture may stay the same to the last bit; 0 for ever.
        wanted: which pictures are to be converted once they are decoded.

    Raises:
        TemporaryError: nothing came; says how far the connection got.
    """
    name = redacted(spec.url)
    over = f"{name}: the stream has ended or fallen silent; is the camera still on?"
    stuck = (
        f"{name} has sent the same picture for {frozen_s:g} s, which no camera does; restart what feeds it (a picture "
        f"that is meant to stand still needs source.frozen_s = 0)"
    )

    def connect() -> Device:
        hush()
        limits = [
            *(cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, round(open_timeout_s * 1000)),
            *(cv2.CAP_PROP_READ_TIMEOUT_MSEC, round(read_timeout_s * 1000)),
        ]
        capture = cv2.VideoCapture(spec.url, cv2.CAP_FFMPEG, limits)
        if not capture.isOpened():
            capture.release()
            raise TemporaryError(f"{name}: {_why_not(spec.url)}")
        if capture.get(cv2.CAP_PROP_FRAME_COUNT) > 1:
            return RecordingDevice(capture, name, clock)
        return Watched(name, CaptureDevice(capture, lambda: over), frozen_s, clock, stuck)

    # the device's own limits strike first and know more; these are for name look-ups that hang
    wait_s = open_timeout_s + _PROBE_TIMEOUT_S + 1.0
    return NewestFrame(name, connect, clock, wait_s, "is the camera on, and the network up?", wanted)


def _why_not(url: str) -> str:
    """How far a connection gets. FFMPEG does not tell OpenCV."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    try:
        with socket.create_connection((host, port), _PROBE_TIMEOUT_S):
            pass
    except socket.gaierror:
        return f"no computer is known as {host}; check the name and the network's DNS"
    except TimeoutError:
        return f"{host} does not answer on port {port}; is it switched on and in the same network?"
    except OSError as error:
        return f"{host} refuses port {port} ({error.strerror}); is the stream started, and the port right?"
    status = _http_status(url) if parts.scheme in ("http", "https") else _rtsp_status(url)
    if status in (401, 403):
        return f"{host} answers {status}; user or password is wrong, or missing in the URL"
    if status is not None and status >= 400:
        return f"{host} answers {status}; check the path of the URL"
    return f"{host} answers on port {port}, but not with a video; check the path, the user and the password"


def _http_status(url: str) -> int | None:
    """The status that a GET receives; None if the answer is no HTTP."""
    parts = urlsplit(url)
    request = urllib.request.Request(parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl())
    if parts.username:
        secret = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        # unredirected: another host must not see the password
        request.add_unredirected_header("Authorization", "Basic " + base64.b64encode(secret.encode()).decode())
    try:
        with urllib.request.urlopen(request, timeout=_PROBE_TIMEOUT_S) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except (OSError, ValueError):
        return None


def _rtsp_status(url: str) -> int | None:
    """The status that a DESCRIBE receives (RFC 2326); None if the answer is no RTSP, or the connection is encrypted."""
    parts = urlsplit(url)
    if parts.scheme != "rtsp":
        return None
    bare = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    lines = [f"DESCRIBE {bare} RTSP/1.0", "CSeq: 1", "Accept: application/sdp"]
    if parts.username:
        secret = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        lines.append("Authorization: Basic " + base64.b64encode(secret.encode()).decode())
    request = "\r\n".join((*lines, "", "")).encode("utf-8", errors="replace")
    try:
        with socket.create_connection((parts.hostname or "", parts.port or _PORTS["rtsp"]), _PROBE_TIMEOUT_S) as server:
            server.sendall(request)
            answer = server.recv(64)
    except OSError:
        return None
    found = re.match(rb"RTSP/1\.\d (\d{3})", answer)
    return int(found[1]) if found else None
