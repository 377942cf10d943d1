"""Has one group of checks made in a process of its own, for a bounded time."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

import edge
from edge.doctor.findings import Finding
from edge.doctor.groups import Group
from edge.doctor.world import World

MODULE: Final = "edge.doctor.child"
GRACE_S: Final = 1.0
"""For a killed process to be gone; one in the kernel's hands may stay, and is left."""
SAID: Final = 300
"""Characters of a last word that are shown."""
_CHILDREN: Final[set[subprocess.Popen[bytes]]] = set()
"""Those that are asked now, for who does not wait for them."""


class Order(msgspec.Struct, frozen=True):
    """What a child is asked.

    Attributes:
        group: name of the group of checks.
        limit_s: after which it ends by itself, should nobody be there to end it.
        world: what to look at.
    """

    group: str
    limit_s: float
    world: World


class Reply(msgspec.Struct, frozen=True):
    """What a child answers.

    Attributes:
        findings: of its group.
        world: as it was told, and what it has learnt besides.
    """

    findings: tuple[Finding, ...]
    world: World


def ask(group: Group, world: World, environment: Mapping[str, str] = os.environ) -> Reply:
    """What the checks of a group find; a finding of its own if they never end or kill their process.

    Args:
        group: which.
        world: what to look at.
        environment: of the process, in which it finds the program's modules.
    """
    order = msgspec.json.encode(Order(group.name, group.limit_s, world))
    # no threads but one in NumPy's OpenBLAS, and no file of the person's own in the way of the standard library's
    variables = {"OPENBLAS_NUM_THREADS": "1", **environment, "PYTHONPATH": _python_path(environment)}
    try:
        child = subprocess.Popen(
            [sys.executable, "-m", MODULE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=variables,
            cwd=str(Path(sys.executable).anchor),  # no module may come from the folder the person is in
        )
    except OSError as error:  # as many processes, or as much memory, as this user may have
        return _only(world, "check-failed", f"the checks of {group.title}: no process for them ({error.strerror})")
    _CHILDREN.add(child)
    try:
        answer, said = child.communicate(order, timeout=group.limit_s)
    except subprocess.TimeoutExpired:
        child.kill()
        with suppress(subprocess.TimeoutExpired):
            child.communicate(timeout=GRACE_S)
        return _only(world, group.hung, f"the checks of {group.title} had no result after {group.limit_s:g} s")
    except KeyboardInterrupt:
        child.kill()
        raise
    finally:
        _CHILDREN.discard(child)
    if child.returncode < 0:
        return _only(world, group.crashed, f"{group.title}: {_killed(-child.returncode)}{_last_word(said)}")
    try:
        return msgspec.json.decode(answer, type=Reply)
    except msgspec.DecodeError:
        return _only(world, "check-failed", f"the checks of {group.title} could not be made{_last_word(said)}")


def end_children() -> None:
    """Kill all that are asked now."""
    for child in tuple(_CHILDREN):
        child.kill()


def _only(world: World, code: str, found: str) -> Reply:
    return Reply((world.finding(code, found),), world)


def _killed(number: int) -> str:
    match number:
        case signal.SIGILL:
            return "killed by SIGILL, an instruction that this processor does not have"
        case signal.SIGKILL:
            return "killed by SIGKILL, as the kernel does when memory runs out"
        case _:
            names = {each.value: each.name for each in signal.Signals}
            return f"killed by {names.get(number, f'signal {number}')}"


def _last_word(said: bytes) -> str:
    lines = said.decode(errors="replace").strip().splitlines()
    return f"; it said last: {lines[-1].strip()[:SAID]}" if lines else ""


def _python_path(environment: Mapping[str, str]) -> str:
    """Where the child finds this program, in a checkout too."""
    own = Path(edge.__file__).resolve().parents[1]
    before = environment.get("PYTHONPATH", "")
    if own.name.endswith("-packages"):
        return before
    return os.pathsep.join(filter(None, (before, str(own))))
