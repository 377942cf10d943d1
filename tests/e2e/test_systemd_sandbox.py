"""The unit's protections, tried from within: a probe takes the program's place under the same unit."""

from collections.abc import Callable

import pytest

from tests.e2e.installed import service_on
from tests.e2e.throwaway_systemd import Machine
from tests.sandbox import Tried, prepare, tried

pytestmark = [pytest.mark.systemd, pytest.mark.slow]

HARDLY_TRIED = {"load a module", "set a kernel parameter", "run in real time"}
"""The container that this systemd runs in, or the kernel of the machine, may not allow these to anybody."""


@pytest.fixture(scope="module")
def found(machine: Machine) -> Tried:
    """What came of all attempts."""
    prepare(machine)
    with service_on(machine) as service:
        return tried(service)


def test_nothing_forbidden_is_possible_and_everything_needed_is(found: Tried, show: Callable[[str], None]) -> None:
    show(f"sandbox: {found.text()}")
    assert found.wrong() == []


def test_without_the_unit_it_is_possible(found: Tried) -> None:
    unproven = {line.partition(": ")[0] for line in found.unproven()} - HARDLY_TRIED
    families = {name for name in unproven if name.startswith("socket ")}
    assert unproven == families, f"nothing was proven by {unproven}"
    assert "socket AF_PACKET" not in families


def test_it_has_no_capabilities_and_gets_no_new_ones(found: Tried) -> None:
    status = found.within["status"]
    assert {int(status[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {0}
    assert status["NoNewPrivs"] == "1"
    assert status["Seccomp"] == "2"
    assert int(found.without["status"]["CapEff"], 16) != 0


def test_it_sees_no_processes_but_its_own(found: Tried) -> None:
    assert found.within["processes"] == []
    assert "1" in found.without["processes"]


def test_what_it_writes_to_tmp_is_not_seen_by_others(machine: Machine) -> None:
    with service_on(machine) as service:
        service.start()
        pid = service.properties()["MainPID"]
        machine.run("touch", f"/proc/{pid}/root/tmp/mine")
        assert machine.run("test", "-e", "/tmp/mine", check=False).returncode != 0
