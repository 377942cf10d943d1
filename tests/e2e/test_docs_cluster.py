"""The commands of the docs for an archive and a Ray cluster, typed on two machines on a network of their own."""

import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clips import clip, picture
from tests.e2e.throwaway_systemd import Machine, boot
from tests.elsewhere import ROOT, require_root
from tests.manual.commands import table
from tests.manual.machine import SYSTEM_PATH, typed_on
from tests.tools import require_tool

pytestmark = [pytest.mark.systemd, pytest.mark.slow, pytest.mark.timeout(600)]

SAYS = table("cluster")
ADDRESSES = ("10.0.0.1", "10.0.0.2")
PATH = f"{Path(sys.prefix) / 'bin'}:{SYSTEM_PATH}"


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Machine, Machine]]:
    """Two that see each other and the same archive, with this environment's program."""
    if importlib.util.find_spec("ray") is None:
        reason = "needs Ray: pip install -e '.[dev]'"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    require_root("two machines are booted")
    require_tool("systemd-nspawn", "apt-get install -y systemd-container")
    require_tool("ip", "apt-get install -y iproute2")
    archive = tmp_path_factory.mktemp("archive")
    picture(archive / "1.jpg", seed=1)
    clip(archive / "film.mp4", 20)
    own = {ROOT, Path(sys.prefix), Path(sys.base_prefix)} - {Path("/usr")}
    binds = {folder: str(folder) for folder in own}
    with boot({**binds, archive: "/archive"}) as head, boot({**binds, archive: "/archive"}) as other:
        connect(head, other)
        try:
            yield head, other
        finally:
            for machine in (head, other):  # else they take their time to switch off
                typed_on(machine, "ray stop --force", path=PATH, ends=range(256))


def connect(head: Machine, other: Machine) -> None:
    """A cable between them, by which also the rest of the world would be reached."""
    cable = f"ip link add cable netns {head.pid} type veth peer name cable netns {other.pid}"
    subprocess.run(cable.split(), check=True)
    for machine, address in zip((head, other), ADDRESSES, strict=True):
        machine.run("ip", "address", "add", f"{address}/24", "dev", "cable")
        machine.run("ip", "link", "set", "cable", "up")
        machine.run("ip", "route", "add", "default", "dev", "cable")


def test_two_machines_share_the_work(machines: tuple[Machine, Machine]) -> None:
    head, other = machines
    for command, says in SAYS.items():
        machine = other if ADDRESSES[0] in command else head
        said = typed_on(machine, command, path=PATH)
        assert re.search(says, said), f"{command} said:\n{said}"
        if " analyze " in command:
            assert "Ray: 2 nodes" in said, said
            assert len(machine.path("/archive-results/records.jsonl").read_text().splitlines()) == 21
