"""What happens when results cannot be written."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edge.errors import TemporaryError


class CannotWrite(TemporaryError):
    """The disk is full, or the folder is not ours. What was written before stays."""


@contextmanager
def writing(where: Path) -> Iterator[None]:
    """Say in words why results could not be written.

    Raises:
        CannotWrite: the block raised an `OSError`, but for a reader that has gone.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise CannotWrite(
            f"cannot write to {where}: {error.strerror or error}; what was done is kept, and the same command goes on "
            "once there is room, or the right to write"
        ) from error
