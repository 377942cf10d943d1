"""The commands of the docs for a device, typed as they stand there on a Debian as it is on the day it is set up.

There is no network in it: a folder stands in for the package index.
"""

import platform
import re
from collections.abc import Iterator

import pytest

from tests.e2e.throwaway_systemd import Machine
from tests.elsewhere import cache_folder
from tests.manual.commands import table
from tests.manual.place import copy_checkout
from tests.stages.debian_root import booted, debian_root
from tests.stages.wheelhouses import index, wheelhouse

pytestmark = [pytest.mark.systemd, pytest.mark.slow, pytest.mark.timeout(1500)]

SUITE = "bookworm"
ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]
WHEELS, INDEX, CHECKOUT = "/media/for-the-device", "/media/index", "/media/checkout"
HERE = "/root/emotion-edge"
PIP = f"[global]\nno-index = true\nfind-links =\n    {WHEELS}/wheels\n    {INDEX}\n"
NEWER = 's/^__version__ = .*/__version__ = "7.0.0"/'
ENDLESS = "journalctl -u emotion-edge -f"
FINDS_FAULTS = "doctor"
"""Ends with 1 where it finds a fault, such as no camera: that is what it is for."""


@pytest.fixture(scope="module")
def machine(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    cache = cache_folder(pytestconfig)
    checkout = tmp_path_factory.mktemp("checkout")
    copy_checkout(checkout)
    root = debian_root(cache, SUITE, ("sudo",))
    binds = {wheelhouse(cache, SUITE, ARCHITECTURE): WHEELS, index(cache, SUITE): INDEX, checkout: CHECKOUT}
    with booted(root, binds) as machine:
        machine.run("cp", "-r", CHECKOUT, HERE)
        machine.write("/etc/pip.conf", PIP)
        yield machine


def typed(machine: Machine, command: str) -> str:
    limit = "timeout --signal=INT 3 " if command == ENDLESS else ""
    done = machine.run("bash", "-o", "pipefail", "-c", f"cd {HERE}; {limit}{command} 2>&1", check=False, timeout_s=500)
    said = done.stdout.decode(errors="replace")
    ends = {0, 124} if limit else {0, 1} if FINDS_FAULTS in command else {0}
    assert done.returncode in ends, f"{command} ended with {done.returncode}:\n{said}"
    return said


def test_a_device_from_its_first_day_to_its_last(machine: Machine) -> None:
    for command, says in table("device").items():
        prepare(machine, command)
        said = typed(machine, command.replace("cd emotion-edge", f"cd {HERE}"))
        assert re.search(says, said, re.MULTILINE), f"{command} said:\n{said}"
    assert machine.text("sh", "-c", "ls -d /opt/emotion-edge /etc/emotion-edge 2>/dev/null || echo gone") == "gone"


def prepare(machine: Machine, command: str) -> None:
    """What comes before a command in its story."""
    match command:
        case "sh deploy/install.sh":  # "in the newer checkout"
            machine.run("sed", "-i", NEWER, f"{HERE}/edge/__init__.py")
        case "sh for-the-device/install.sh":
            machine.run("cp", "-r", WHEELS, f"{HERE}/for-the-device")
        case _:
            pass
