"""How much memory this process may use before the kernel ends it: its control groups' limits, or all there is."""

from collections.abc import Iterator
from pathlib import Path

PROC = Path("/proc")
CGROUPS = Path("/sys/fs/cgroup")
NO_LIMIT = 2**60
"""The first version of control groups says a number like this where there is none."""


def memory_limit_bytes(proc: Path = PROC, cgroups: Path = CGROUPS) -> int | None:
    """The lowest limit of the control groups this process is in and of those above them, at most the machine's memory.

    Args:
        proc: where /proc is mounted.
        cgroups: where the control groups are.

    Returns:
        Bytes; None where the system tells nothing.
    """
    return min((*_cgroup_limits(proc, cgroups), *_machine(proc)), default=None)


def _cgroup_limits(proc: Path, cgroups: Path) -> Iterator[int]:
    """Of each group that has one. A line of /proc/self/cgroup is `number:controllers:path`, see cgroups(7)."""
    for line in _text(proc / "self" / "cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            top, name = cgroups, "memory.max"
        elif "memory" in controllers.split(","):
            top, name = cgroups / "memory", "memory.limit_in_bytes"
        else:
            continue
        group = Path(path.lstrip("/"))
        for each in (group, *group.parents):
            limit = _text(top / each / name)
            if limit.isdigit() and int(limit) < NO_LIMIT:
                yield int(limit)


def _machine(proc: Path) -> Iterator[int]:
    for line in _text(proc / "meminfo").splitlines():
        if line.startswith("MemTotal:"):
            yield int(line.split()[1]) * 1024


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
