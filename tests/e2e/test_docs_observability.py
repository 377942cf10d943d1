"""The commands of the page on watching many devices, typed as they stand there; they end with a device that is read.

The device is the service, on a throw-away systemd; the machine that watches is the same one.
"""

import re
import time
import urllib.request
from collections.abc import Iterator

import msgspec
import pytest

from tests.e2e.installed import CHECKOUT, installed
from tests.e2e.throwaway_systemd import Machine
from tests.elsewhere import ROOT
from tests.manual.commands import commands, table
from tests.manual.machine import give_sudo, typed_on
from tests.service import TOKEN_FILE, Service
from tests.tools import require_tool

pytestmark = [pytest.mark.systemd, pytest.mark.slow, pytest.mark.timeout(300)]

PAGE = "deploy/observability/README.md"
SAYS = table("watching")
(ADDRESS,) = set(re.findall(r"-connect (\S+):8080", (ROOT / PAGE).read_text(encoding="utf-8")))
"""Of the device in the docs."""
NETWORK = f"""
ip link add net type veth peer name cable
ip link set cable up
ip address add {ADDRESS}/24 dev net
ip link set net up
ip route add default dev net
"""
DEVICE = '[source]\nuri = "demo"\n[server]\nhost = "0.0.0.0"\ntls = true\n'
HERE = "/root/emotion-edge"
READ_S = 40.0
"""Devices are read every 15 seconds."""
LOADED = "Completed loading of configuration file"
TARGETS = "http://127.0.0.1:9090/api/v1/targets"


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    require_tool("prometheus", "apt-get install -y --no-install-recommends prometheus")
    require_tool("ip", "apt-get install -y iproute2")
    require_tool("openssl", "apt-get install -y openssl")
    with installed() as machine:
        machine.run("sh", "-ec", NETWORK)
        machine.run("sh", "-c", f"rm -rf /etc/prometheus/emotion-edge; mkdir {HERE}; cp -r {CHECKOUT}/deploy {HERE}")
        machine.run("cp", TOKEN_FILE, f"{HERE}/token")  # "copy that file here"
        give_sudo(machine)
        service = Service(machine)
        service.configure(DEVICE)
        service.start()
        yield machine


def test_in_the_end_the_device_is_read(machine: Machine) -> None:
    before = 0
    for command in commands(PAGE):
        if "reload" in command:
            until_it_is_read(machine)  # one that is still starting would be ended by it
            before = log(machine).count(LOADED)
        said = typed_on(machine, command, HERE)
        assert re.search(SAYS[command], said), f"{command} said:\n{said}"
    end_s = time.monotonic() + READ_S
    while log(machine).count(LOADED) == before:
        assert time.monotonic() < end_s, f"the rules were not read again\n{log(machine)}"
        time.sleep(0.5)
    assert until_it_is_read(machine)["hall"] != "up", "there is none"


def until_it_is_read(machine: Machine) -> dict[str, str]:
    """Wait for the device; what is known of all by then."""
    end_s = time.monotonic() + READ_S
    while (found := targets(machine)).get("kitchen") != "up":
        assert time.monotonic() < end_s, f"within {READ_S:g} s the device was not read: {found}\n{log(machine)}"
        time.sleep(0.5)
    return found


def log(machine: Machine) -> str:
    """Prometheus' own."""
    return machine.text("journalctl", "--unit=prometheus", "--no-pager")


def targets(machine: Machine) -> dict[str, str]:
    """Devices that Prometheus knows, each with "up" or why it is not read; none while Prometheus starts."""
    try:
        with machine.network(), urllib.request.urlopen(TARGETS, timeout=10) as answer:
            found = msgspec.json.decode(answer.read())["data"]["activeTargets"]
    except OSError:
        return {}
    return {each["labels"]["instance"]: "up" if each["health"] == "up" else each["lastError"] for each in found}
