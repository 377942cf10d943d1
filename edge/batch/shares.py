"""Shares of the work, and who does them."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal, Protocol, TypeVar

import msgspec

from edge.batch.plan import WHOLE, Segment
from edge.batch.video import Progress
from edge.errors import EdgeError
from edge.types import Box
from edge.worker import outcome

T = TypeVar("T")


class Share(msgspec.Struct, frozen=True):
    """Something to be analysed by itself.

    Attributes:
        path: of the file, as it was given.
        kind: what it looks like.
        segment: of a film.
    """

    path: str
    kind: Literal["picture", "video"]
    segment: Segment = WHOLE


class Seam(msgspec.Struct, frozen=True):
    """The frame at which two segments meet: the last of one, and the last of the other's run-in.

    Attributes:
        t_ns: its time in the film.
        faces: number and box of each face on it.
    """

    t_ns: int
    faces: tuple[tuple[int, Box], ...] = ()


class Piece(msgspec.Struct, frozen=True):
    """What came of a share.

    Attributes:
        frames: that belong to it.
        records: of these, JSON Lines; frames are numbered from 1, faces as they came, those of the run-in counted.
        faces: the numbers of all faces in them.
        labels: on how many frames a face was called what.
        seconds: that it took.
        last_s: time of its last frame in the film.
        complete: whether the file could be analysed to its end.
        notes: what a person should know of the file.
        before: the last frame ahead of it.
        after: its last frame.
        exact: whether its frames are known to be all that the film has there.
        ended: whether the film was found to end within it, or before it.
    """

    frames: int
    records: bytes
    faces: tuple[int, ...]
    labels: dict[str, int]
    seconds: float
    last_s: float = 0.0
    complete: bool = True
    notes: tuple[str, ...] = ()
    before: Seam | None = None
    after: Seam | None = None
    exact: bool = True
    ended: bool = False


class Engine(Protocol):
    """Has shares done, here or elsewhere."""

    def ahead(self) -> int:
        """How many shares it wants to have begun before the first of them is asked for."""

    def begin(self, share: Share) -> object:
        """Take a share in; gives what the other methods know it by."""

    def result(
        self, begun: object, progress: Callable[[Progress], None], cancelled: Callable[[], bool]
    ) -> Piece | Exception | None:
        """What came of it, or why nothing did; None if it was cancelled."""

    def drop(self, begun: object) -> None:
        """What comes of it is wanted no longer."""


def tried(call: Callable[[], T]) -> T | Exception:
    """What a call gives, or what it raised."""
    given: list[T] = []
    error = outcome(lambda: given.append(call()))
    return given[0] if error is None else error


def reason(error: Exception, path: Path | str) -> str:
    """Why a file could not be analysed, for whoever reads its path beside it."""
    text = str(error) if isinstance(error, EdgeError) else f"an unexpected error, {type(error).__name__}: {error}"
    return text.removeprefix(f"{path}").removeprefix(":").strip()
