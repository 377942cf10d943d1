"""What a node of a Ray cluster does with a share that it is given.

Files are read where they are analysed, under the paths they have where the work was given out.
"""

import os
import socket
import sys
from contextlib import suppress
from functools import lru_cache, partial
from pathlib import Path
from typing import Final

import msgspec

from edge import model_store
from edge.batch.bench import Bench
from edge.batch.settings import BatchSettings
from edge.batch.shares import Piece, Share, reason, tried
from edge.parts import model_files
from edge.versions import versions
from edge.worker import outcome

NO_MATTER: Final = ("aiohttp",)
"""Versions that no result depends on."""


class Order(msgspec.Struct, frozen=True):
    """What all shares of a run have in common.

    Attributes:
        settings: as JSON.
        folder: that relative paths are meant from.
        parts: by name, the version or fingerprint of what results depend on.
    """

    settings: bytes
    folder: str
    parts: dict[str, str]


class Refusal(msgspec.Struct, frozen=True):
    """Why a share was not done.

    Attributes:
        reason: in words.
        by_node: whether it is the node's fault, not the file's.
    """

    reason: str
    by_node: bool = False


def perform(order: Order, share: Share, size_b: int | None) -> Piece | Refusal:
    """On a node: do a share.

    Args:
        order: of the run.
        share: what to do.
        size_b: of the file, where the order was given; None: it could not be looked at there.
    """
    with suppress(OSError):  # what is named by an absolute path is found all the same
        os.chdir(order.folder)
    node = f"the node {socket.gethostname()} ({_own_address()})"
    unlike = _unlike(order)
    if unlike:
        return Refusal(f"{node} cannot take part: {unlike}", by_node=True)
    unseen = _unseen(order, share, size_b)
    if unseen:
        return Refusal(f"{node} {unseen}")
    bench = _bench(order.settings)
    error = outcome(partial(bench.load, share.kind))
    if error is not None:
        return Refusal(f"{node} cannot take part: {reason(error, '')}", by_node=True)
    piece = tried(partial(bench.analyse, share))
    if isinstance(piece, Exception):
        return Refusal(reason(piece, share.path))
    assert piece is not None  # nobody interrupts it here
    return piece


@lru_cache(maxsize=1)
def parts(settings: bytes) -> dict[str, str]:
    """What results depend on: versions, and fingerprints of the networks' files.

    Raises:
        OSError: a model cannot be read.
    """
    catalogue = (model_store.find(file.name) for file in model_store.CATALOGUE)
    expression = msgspec.json.decode(settings, type=BatchSettings).config.expression
    models = {*model_files(expression), *model_files(expression, stills=True)}
    files = [*(path for path in catalogue if path is not None), *sorted(models)]
    found = versions() | dict(model_store.fingerprints(files))
    return {name: version for name, version in found.items() if name not in NO_MATTER}


@lru_cache(maxsize=1)
def _bench(settings: bytes) -> Bench:
    """What a node's process has loaded; it belongs to one run."""
    return Bench(msgspec.json.decode(settings, type=BatchSettings))


def _unlike(order: Order) -> str | None:
    """In what a node differs from where the order was given."""
    own = tried(partial(parts, order.settings))
    if isinstance(own, Exception):
        return f"it cannot read a model: {own}"
    wrong = [
        f"{name} {own.get(name, 'is missing')[:12]}, expected {order.parts.get(name, 'none')[:12]}"
        for name in sorted(order.parts.keys() | own.keys())
        if own.get(name) != order.parts.get(name)
    ]
    if not wrong:
        return None
    return (
        f"it differs in {'; '.join(wrong)}; install the same on all machines, this one too, and run "
        "`emotion-edge models fetch` on each"
    )


def _unseen(order: Order, share: Share, size_b: int | None) -> str | None:
    """Why a file cannot be the one that was meant, and what to do."""
    shared = "all nodes need the file under this path: share a file system among them"
    path = Path(order.folder, share.path)
    try:
        found_b = path.stat().st_size
        with path.open("rb"):
            pass
    except OSError as error:
        # where the order was given it could not be looked at either
        return f"cannot read {path}: {error.strerror}" + ("" if size_b is None else f"; {shared}")
    if size_b is None or size_b == found_b:
        return None
    return (
        f"has another file at {path}: {found_b} bytes, expected {size_b}; {shared}; or it is being written just now: "
        "run the same command when it is complete"
    )


def _own_address() -> str:
    ray = sys.modules.get("ray")
    return str(ray.util.get_node_ip_address()) if ray else "127.0.0.1"
