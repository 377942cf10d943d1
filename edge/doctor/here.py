"""The world as it is: this machine, for the user and in the environment that the program runs in."""

import os
import platform
import shlex
import struct
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from edge.doctor.accounts import group_names, user_name
from edge.doctor.names import in_utf8
from edge.doctor.world import Interpreter, User, World

CONFIG_VARIABLE: Final = "EMOTION_EDGE_CONFIG"
"""See `edge.config_layers`, which loads what may be broken."""


def here(config: str, state: Path) -> World:
    """This machine, for the user and in the environment that the program runs in.

    Args:
        config: file given with --config, maybe from the current folder; empty: none.
        state: folder of this user's token and certificate.
    """
    etc = Path("/etc")
    posix = hasattr(os, "geteuid")
    uid = os.geteuid() if posix else -1
    gids = {*os.getgroups(), os.getegid()} if posix else set()
    interpreter = Interpreter(
        version=sys.version_info[:3],
        bits=8 * struct.calcsize("P"),
        machine=platform.machine(),
        executable=in_utf8(sys.executable),
        prefix=in_utf8(sys.prefix),
        base_prefix=in_utf8(sys.base_prefix),
        path=tuple(map(in_utf8, sys.path)),
        writable=os.access(sys.prefix, os.W_OK),
        program=_program(),
    )
    user = User(user_name(etc, uid), uid, group_names(etc, gids))
    file, folder = (text if text == in_utf8(text) else "" for text in (file_of(config), _folder()))
    return World(config=file, state=in_utf8(str(state)), folder=folder, user=user, python=interpreter)


def file_of(config: str) -> str:
    """The path of the file given with --config, from the root if there is a current folder; empty: none."""
    return os.path.join(_folder(), config) if config else ""  # noqa: PTH118  # `absolute` wants the folder


def variables_for(config: str) -> Mapping[str, str]:
    """Of the processes that look at this machine: only by them they can be told of a file whose name is no text."""
    file = file_of(config)
    return os.environ if file == in_utf8(file) else {**os.environ, CONFIG_VARIABLE: file}


def _program() -> str:
    """The script beside the interpreter, where there is one; as a shell takes it."""
    script = Path(sys.executable).with_name("emotion-edge")
    if script.exists():
        return shlex.quote(in_utf8(str(script)))
    return f"{shlex.quote(in_utf8(sys.executable))} -m edge"


def _folder() -> str:
    try:
        return os.getcwd()  # noqa: PTH109  # may have been deleted
    except OSError:
        return ""
