"""The memory that may be used, as the kernel tells it."""

import sys
from pathlib import Path

import pytest

from edge.memory_limit import memory_limit_bytes

MIB = 2**20


class Kernel:
    """Folders like /proc and /sys/fs/cgroup."""

    def __init__(self, folder: Path) -> None:
        self.proc, self.cgroups = folder / "proc", folder / "cgroup"

    def says(self, own_groups: str, limits: dict[str, str], machine_mib: int | None = 900) -> int | None:
        """The limit found with that in /proc/self/cgroup, those files of limits, and that much memory."""
        (self.proc / "self").mkdir(parents=True)
        (self.proc / "self" / "cgroup").write_text(own_groups)
        if machine_mib is not None:
            (self.proc / "meminfo").write_text(f"MemFree: 5 kB\nMemTotal: {machine_mib * 1024} kB\n")
        for path, text in limits.items():
            file = self.cgroups / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"{text}\n")
        return memory_limit_bytes(self.proc, self.cgroups)


@pytest.fixture
def kernel(tmp_path: Path) -> Kernel:
    return Kernel(tmp_path)


def test_a_services_own_limit_counts(kernel: Kernel):
    limits = {"system.slice/edge.service/memory.max": str(400 * MIB), "system.slice/memory.max": "max"}
    assert kernel.says("0::/system.slice/edge.service\n", limits) == 400 * MIB


def test_a_lower_limit_above_it_counts_more(kernel: Kernel):
    limits = {"a.slice/b.service/memory.max": str(400 * MIB), "a.slice/memory.max": str(300 * MIB)}
    assert kernel.says("0::/a.slice/b.service\n", limits) == 300 * MIB


def test_a_container_sees_its_limit_at_the_top(kernel: Kernel):
    assert kernel.says("0::/\n", {"memory.max": str(200 * MIB)}) == 200 * MIB


def test_the_first_version_of_control_groups_is_known_too(kernel: Kernel):
    text = "12:cpu,cpuacct:/x\n5:memory:/docker/abc\n0::/x\n"
    limits = {
        "memory/docker/abc/memory.limit_in_bytes": str(256 * MIB),
        "memory/memory.limit_in_bytes": "9223372036854771712",
        "cpu/x/memory.limit_in_bytes": "1",
    }
    assert kernel.says(text, limits) == 256 * MIB


def test_without_a_limit_it_is_all_the_machine_has(kernel: Kernel):
    assert kernel.says("0::/user.slice\n", {"user.slice/memory.max": "max"}) == 900 * MIB


def test_a_limit_above_what_the_machine_has_is_none(kernel: Kernel):
    assert kernel.says("0::/user.slice\n", {"user.slice/memory.max": str(4000 * MIB)}) == 900 * MIB


def test_where_nothing_is_told_nothing_is_made_up(kernel: Kernel, tmp_path: Path):
    assert kernel.says("", {}, machine_mib=None) is None
    assert memory_limit_bytes(tmp_path / "nowhere", tmp_path / "nowhere") is None


@pytest.mark.skipif(sys.platform != "linux", reason="read from /proc")
def test_this_machine_tells():
    found = memory_limit_bytes()
    assert found is not None
    assert 50 * MIB < found < 2**45
