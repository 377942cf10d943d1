"""Looks at paths that people have named. A folder that this user may not look into holds nothing for us.

`Path.is_file` and the like raise an error there before Python 3.14, and `Path.expanduser` does for an unknown user.
"""

import os
from pathlib import Path

from edge.errors import ConfigError

SERVICE_FOLDER = "/var/lib/emotion-edge"
"""The one place of the disk that the service of `deploy/` may write to, and where it reads what people give it."""


def at_home(text: str) -> Path:
    """The path that a text names; `~` is the user's home."""
    return Path(os.path.expanduser(text))  # noqa: PTH111


def home() -> Path:
    """The user's; the root folder for a number without a name in /etc/passwd, as containers have it."""
    try:
        return Path.home()
    except RuntimeError:
        return Path("/")


def is_folder(path: str | Path) -> bool:
    """Whether there is a folder, as far as this user can tell."""
    return os.path.isdir(path)  # noqa: PTH112


def is_file(path: str | Path) -> bool:
    """Whether there is a plain file, as far as this user can tell."""
    return os.path.isfile(path)  # noqa: PTH113


def is_there(path: str | Path) -> bool:
    """Whether there is anything, as far as this user can tell."""
    return os.path.exists(path)  # noqa: PTH110


def unreadable(path: str | Path, error: OSError) -> ConfigError:
    """What to say of something that may be there and cannot be read."""
    remedy = "check the path"
    if isinstance(error, PermissionError):
        remedy = (
            "let the user who runs this read it (the service sees no home folders: put it below "
            f"{SERVICE_FOLDER} for it)"
        )
    return ConfigError(f"{path} cannot be read: {error.strerror}; {remedy}")
