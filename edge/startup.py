"""What makes the start of the program cheap. To be said before NumPy, OpenCV and aiohttp are loaded."""

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_AUTHORITIES = "SSL_CERT_FILE"


def spare_threads() -> None:
    """Let NumPy and OpenCV go without threads for products of large matrices, of which there are none here.

    Each of them brings an OpenBLAS of its own, whose threads wait for work on all cores until they fall asleep: as much
    processor time as a third of the start. Only what is loaded after this call minds it, in this process and its
    children; an own OPENBLAS_NUM_THREADS of the person's stays.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


@contextmanager
def uncollected() -> Iterator[None]:
    """Within, no garbage is looked for, and what is there at the end is never looked through again.

    A start makes 100 000 objects that stay and 2 000 that do not, 0.4 MiB; 150 collections would find that out.
    """
    gc.disable()
    try:
        yield
    finally:
        if "picamera2" in sys.modules:
            gc.collect()  # a camera that was looked at and closed again is held until then: see `sources.picamera2`
        gc.freeze()
        gc.enable()


@contextmanager
def without_authorities() -> Iterator[None]:
    """Within, OpenSSL knows no file of certificate authorities.

    aiohttp's client reads it twice when aiohttp is loaded, 150 certificates each time. Nothing here uses that client.
    """
    before = os.environ.get(_AUTHORITIES)
    os.environ[_AUTHORITIES] = os.devnull
    try:
        yield
    finally:
        if before is None:
            del os.environ[_AUTHORITIES]
        else:
            os.environ[_AUTHORITIES] = before
