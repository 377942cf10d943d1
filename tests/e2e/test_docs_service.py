"""The commands of the docs for a device, typed as they stand there on a Debian as it is on the day it is set up.

There is no network in it: a folder stands in for the package index.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.debian.__main__ import MAINTAINER, architecture_here
from deploy.debian.package import build
from deploy.debian.suites import SUITES
from tests.e2e.throwaway_systemd import Machine
from tests.elsewhere import ROOT, cache_folder
from tests.manual.commands import table
from tests.manual.machine import STOPPED, give_sudo, typed_on
from tests.manual.place import copy_checkout
from tests.service import CONFIG, UNIT, Service
from tests.stages.debian_root import booted, debian_root
from tests.stages.wheelhouses import index, wheelhouse
from tests.tools import require_tool

pytestmark = [pytest.mark.systemd, pytest.mark.slow, pytest.mark.timeout(1500)]

SUITE = "bookworm"
WHEELS, INDEX, CHECKOUT, PACKAGES = "/media/for-the-device", "/media/index", "/media/checkout", "/media/packages"
USER = "pi"
SERVICE = "emotion-edge"
HOME = f"/home/{USER}"
HERE = f"{HOME}/emotion-edge"
ACCOUNT = f"""
useradd --create-home --shell /bin/bash {USER}
chmod 700 {HOME}
echo '{USER} ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/{USER}
cp -r {CHECKOUT} {HERE}
chown -R {USER}: {HERE}
"""
"""As Raspberry Pi Imager makes one."""
PIP = f"[global]\nno-index = true\nfind-links =\n    {WHEELS}/wheels\n    {INDEX}\n"
NEWER = 's/^__version__ = .*/__version__ = "7.0.0"/'
ENDS = {
    "journalctl -u emotion-edge -f": {STOPPED},
    f"sudo -u {SERVICE} emotion-edge doctor": {0, 1},
    "emotion-edge doctor": {78},
    "emotion-edge sources": {0, 1},
}
"""How those may end that do not just end well: without a camera the doctor has something to find, the service's
configuration is not for everybody."""
PACKAGE = table("package")
EPOCH_S = 1_767_225_600


@pytest.fixture(scope="module")
def device(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    cache = cache_folder(pytestconfig)
    checkout = tmp_path_factory.mktemp("checkout")
    copy_checkout(checkout)
    root = debian_root(cache, SUITE, ("dbus", "sudo"))
    wheels = wheelhouse(cache, SUITE, architecture_here())
    with booted(root, {wheels: WHEELS, index(cache, SUITE): INDEX, checkout: CHECKOUT}) as machine:
        machine.run("sh", "-ec", ACCOUNT)
        machine.write("/etc/pip.conf", PIP)
        yield machine


def test_a_device_from_its_first_day_to_its_last(device: Machine) -> None:
    for command, says in table("device").items():
        prepare(device, command)
        ends = next((ends for end, ends in ENDS.items() if command.endswith(end)), {0})
        folder = HOME if command == "cd emotion-edge" else HERE
        said = typed_on(device, command, folder, user=USER, ends=ends)
        assert re.search(says, said, re.MULTILINE), f"{command} said:\n{said}"
    assert device.text("sh", "-c", "ls -d /opt/emotion-edge /etc/emotion-edge 2>/dev/null || echo gone") == "gone"


def prepare(machine: Machine, command: str) -> None:
    """What comes before a command in its story."""
    match command:
        case "sudo install -m 644 mine.tflite /etc/emotion-edge/":  # one's own model, and a line in the configuration
            machine.run("cp", f"{HERE}/edge/models/emotion-int8.tflite", f"{HERE}/mine.tflite")
            own = '\n[expression]\nmodel = "/etc/emotion-edge/mine.tflite"\n'
            machine.run("sh", "-c", 'printf %s "$1" >>"$2"', "write", own, CONFIG)
        case "sudo sh deploy/install.sh":  # "in the newer checkout"
            machine.run("sed", "-i", NEWER, f"{HERE}/edge/__init__.py")
        case "sudo sh for-the-device/install.sh":
            machine.run("cp", "-r", WHEELS, f"{HERE}/for-the-device")
        case _:
            pass


def test_the_package_is_installed_by_apt(pytestconfig: pytest.Config, tmp_path: Path) -> None:
    """That of this machine's processor, under the name that the docs have."""
    (command,) = PACKAGE
    require_tool("dpkg-deb", "Debian and its kin have it")
    package = build(ROOT, tmp_path, SUITES["trixie"], architecture_here(), MAINTAINER, EPOCH_S, 1).path
    name = command.rpartition("/")[2]
    assert re.sub(r"_\w+\.deb$", "_arm64.deb", package.name) == name
    package.rename(tmp_path / name)
    with booted(debian_root(cache_folder(pytestconfig), "trixie"), {tmp_path: PACKAGES}) as machine:
        give_sudo(machine)
        said = typed_on(machine, command, PACKAGES)
        assert re.search(PACKAGE[command], said), said
        assert Service(machine).wait_for(ActiveState="active", SubState="running")["UnitFileState"] == "enabled"
        machine.run("apt-get", "purge", "-y", "emotion-edge", timeout_s=200)
        assert machine.run("systemctl", "cat", UNIT, check=False).returncode != 0
