"""A folder that this user may not look into, also for tests that run as root."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest


def close(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on, whoever asks what is in the folder, or below it, is refused: homes look so to the service."""

    def refuse(name: str, *, also_itself: bool) -> None:
        real = getattr(os, name)

        def call(path: Any, *args: Any, **settings: Any) -> Any:
            below = not isinstance(path, int) and folder in Path(path).parents
            if below or (also_itself and path in (folder, str(folder))):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
            return real(path, *args, **settings)

        monkeypatch.setattr(os, name, call)

    refuse("stat", also_itself=False)
    refuse("listdir", also_itself=True)
    refuse("scandir", also_itself=True)
