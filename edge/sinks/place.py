"""Where an event log may lie: told before it is written to, and what to do where it may not."""

import errno
import os
import stat
from collections.abc import Mapping
from pathlib import Path

from edge.errors import ConfigError
from edge.named_paths import SERVICE_FOLDER

STATE_VARIABLE = "STATE_DIRECTORY"
"""Set by systemd where the unit has `StateDirectory=`."""


def check_place(path: Path, environment: Mapping[str, str] = os.environ) -> None:
    """Refuse a place that a log cannot be written to, as far as that can be told without writing.

    The service's own folder is closed to others, who therefore cannot tell: for them it is right.

    Args:
        path: of the log; neither it nor its folder need be there.
        environment: tells whether this is a service.

    Raises:
        ConfigError: this user may not write there, or what is there is no file.
    """
    error = _obstacle(path)
    if error is None or (error.errno == errno.EACCES and Path(SERVICE_FOLDER) in path.parents):
        return
    raise unwritable(path, error, environment) from error


def unwritable(path: Path, error: OSError, environment: Mapping[str, str] = os.environ) -> ConfigError:
    """What to say of a place that cannot be written to."""
    remedy = "choose another --events path or change its owner"
    folder = environment.get(STATE_VARIABLE)
    if folder and error.errno in (errno.EROFS, errno.EACCES):
        remedy = f"the service may write below {folder} only: put it there"
    return ConfigError(f"cannot write events to {path}: {error.strerror}; {remedy}")


def _obstacle(path: Path) -> OSError | None:
    """Why a file cannot be written or made; None if nothing speaks against it."""
    for place in (path, *path.parents):
        try:
            mode = place.stat().st_mode
        except FileNotFoundError:
            continue
        except OSError as error:
            return error
        if stat.S_ISDIR(mode) == (place == path):
            return _error(errno.EISDIR if place == path else errno.ENOTDIR)
        if os.access(place, os.W_OK | (os.X_OK if stat.S_ISDIR(mode) else 0)):
            return None
        return _error(errno.EROFS if _is_read_only(place) else errno.EACCES)
    return None


def _is_read_only(place: Path) -> bool:
    """Whether nobody can write to its file system, as here."""
    return hasattr(os, "statvfs") and bool(os.statvfs(place).f_flag & os.ST_RDONLY)


def _error(number: int) -> OSError:
    return OSError(number, os.strerror(number))
