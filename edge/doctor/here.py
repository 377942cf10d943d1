"""The world as it is: this machine, for the user and in the environment that the program runs in."""

import os
import platform
import struct
import sys
from pathlib import Path

from edge.doctor.accounts import group_names, user_name
from edge.doctor.world import Interpreter, User, World


def here(config: str, state: Path) -> World:
    """This machine, for the user and in the environment that the program runs in.

    Args:
        config: file given with --config; empty: none.
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
        executable=sys.executable,
        prefix=sys.prefix,
        base_prefix=sys.base_prefix,
        path=tuple(sys.path),
        writable=os.access(sys.prefix, os.W_OK),
        program=_program(),
    )
    user = User(user_name(etc, uid), uid, group_names(etc, gids))
    return World(config=config, state=str(state), folder=_folder(), user=user, python=interpreter)


def _program() -> str:
    """The script beside the interpreter, where there is one."""
    script = Path(sys.executable).with_name("emotion-edge")
    return str(script) if script.exists() else f"{sys.executable} -m edge"


def _folder() -> str:
    try:
        return os.getcwd()  # noqa: PTH109  # may have been deleted
    except OSError:
        return ""
