"""Commands of the docs, typed on a machine that was booted for them."""

import shlex
from collections.abc import Collection

from tests.e2e.throwaway_systemd import Machine

SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
COMMAND_S = 500.0
MOMENT_S = 3
"""A command that goes on until it is stopped is stopped after so long, as by Ctrl-C."""
STOPPED = 124
"""What timeout(1) ends with then."""
_SUDO = '#!/bin/sh\nexec "$@"\n'


def give_sudo(machine: Machine) -> None:
    """Root's own stand-in for sudo, on a machine without it."""
    machine.write("/usr/local/bin/sudo", _SUDO)
    machine.run("chmod", "+x", "/usr/local/bin/sudo")


def typed_on(
    machine: Machine,
    command: str,
    folder: str = "/root",
    *,
    user: str = "root",
    ends: Collection[int] = (0,),
    path: str = SYSTEM_PATH,
) -> str:
    """What a command prints, on both channels; nothing of the environment of the tests gets there.

    Args:
        machine: where.
        command: which, for bash.
        folder: the current one.
        user: who types; he has a home folder.
        ends: exit statuses that it may have; with `STOPPED` it is one that goes on.
        path: where programs are looked for.

    Raises:
        AssertionError: it ends with another; the message holds what it printed.
    """
    typed = f"exec 2>&1; cd {shlex.quote(folder)}; {command}"
    limit = ("timeout", "--signal=INT", str(MOMENT_S)) if STOPPED in ends else ()
    home = "/root" if user == "root" else f"/home/{user}"
    enter = (
        *limit,
        "runuser",
        "-u",
        user,
        "--",
        "env",
        "-i",
        f"HOME={home}",
        "LANG=C.UTF-8",
        "TERM=dumb",
        f"PATH={path}",
    )
    done = machine.run(*enter, "bash", "-o", "pipefail", "-c", typed, check=False, timeout_s=COMMAND_S)
    said = done.stdout.decode(errors="replace")
    assert done.returncode in ends, f"{command} ended with {done.returncode}:\n{said}"
    return said
