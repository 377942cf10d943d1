"""deploy/install.sh on Debian systems as they are on the day they are set up, without a network.

For Ubuntu stands one that says it is that: what differs for the script is the name, and so the constraints.
Each test begins with the first version installed, as the one before has left it or by installing it.
"""

import platform
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.e2e.throwaway_systemd import Machine
from tests.elsewhere import ROOT, built_wheel, cache_folder
from tests.install_script import UBUNTU
from tests.service import CONFIG, HOME, PYTHON, TOKEN_FILE, UNIT, Service
from tests.stages.debian_root import booted, debian_root
from tests.stages.wheelhouses import bundle, index, variant, wheelhouse

pytestmark = [pytest.mark.systemd, pytest.mark.slow, pytest.mark.timeout(1200)]

Show = Callable[[str], None]

SYSTEMS = {"bookworm": "bookworm", "trixie": "trixie", "ubuntu": "trixie"}
"""Name → release of Debian."""
ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]
PACKAGES = ("python3-bottleneck",)
"""Of Debian, built for its numpy, as is what picamera2 loads."""
CARRIED, CHECKOUT, INDEX = "/media/my disk", "/media/checkout", "/media/index"
VERSIONS = {"first": "1.0.0", "second": "1.1.0", "broken": "1.2.0", "damaged": "1.3.0", "late": "1.4.0"}
NEW = "/etc/emotion-edge /etc/systemd/system /etc/passwd /etc/group /opt /usr/local/bin"
LIST = f"find {NEW} -printf '%p %i %T@ %s %m %u %g %l\\n' | sort"

LOAD = "import bottleneck, cv2, numpy, picamera2; print(numpy.__version__, numpy.__file__, cv2.__version__)"
ASK = """
import sys, urllib.error, urllib.request
browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
try:
    print(browser.open(sys.argv[1], timeout=20).status)
except urllib.error.HTTPError as error:
    print(error.code)
"""


@dataclass(frozen=True, slots=True)
class Device:
    """A booted Debian, and what was carried to it."""

    name: str
    machine: Machine

    @property
    def service(self) -> Service:
        return Service(self.machine)

    def install(self, name: str, *options: str, status: int = 0) -> str:
        """Start the script that lies in a folder that was carried here; what it prints."""
        return self.typed(f"sh '{CARRIED}/{name}/install.sh' {' '.join(options)}", status=status)

    def typed(self, command: str, *, status: int = 0) -> str:
        """What a command prints."""
        done = self.machine.run("sh", "-c", f"{command} 2>&1", check=False, timeout_s=400)
        said = done.stdout.decode()
        assert done.returncode == status, f"{command} ended with {done.returncode}:\n{said}"
        return said

    def has_first(self) -> None:
        """Have the first version in use."""
        if self.link("venv") != VERSIONS["first"]:
            self.install("first", "--camera", "demo")
        assert self.link("venv") == VERSIONS["first"]

    def link(self, name: str) -> str:
        """To which release a link leads; empty if there is none."""
        return self.machine.text("readlink", f"{HOME}/{name}", check=False).rpartition("/")[2]

    def file(self, path: str) -> str:
        return self.machine.text("cat", path)

    def status(self, url: str) -> str:
        """What a browser gets."""
        return self.machine.text("/usr/bin/python3", "-c", ASK, url)

    def serves(self, version: str) -> None:
        """The version runs, and shows its page to whoever has the token."""
        assert self.service.properties()["ActiveState"] == "active"
        assert self.machine.text(f"{HOME}/venv/bin/emotion-edge", "--version").startswith(f"emotion-edge {version} ")
        pid = self.service.properties()["MainPID"]
        assert f"{HOME}/releases/{version}" in self.machine.text("cat", f"/proc/{pid}/cmdline").replace("\0", " ")
        token = self.file(TOKEN_FILE)
        assert self.status(f"http://127.0.0.1:8080/?token={token}") == "200"
        assert self.status("http://127.0.0.1:8080/") == "401"


@pytest.fixture(scope="module", params=SYSTEMS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def suite(name: str) -> str:
    return SYSTEMS[name]


@pytest.fixture(scope="module")
def cache(pytestconfig: pytest.Config) -> Path:
    return cache_folder(pytestconfig)


@pytest.fixture(scope="module")
def carried(cache: Path, suite: str) -> Iterator[Path]:
    """A folder for each of `VERSIONS`, with all an installation needs."""
    gathered = wheelhouse(cache, suite, ARCHITECTURE)
    with tempfile.TemporaryDirectory(prefix="carried-", dir=cache) as scratch:
        folder, wheels = Path(scratch), Path(scratch) / "wheels"
        wheels.mkdir()
        wheel = built_wheel(wheels)
        added = {"broken": {"edge/app.py": "\nraise RuntimeError('broken on purpose')\n"}}
        for name, version in VERSIONS.items():
            bundle(gathered, variant(wheel, wheels / name, version, added.get(name)), folder / name)
        for model in (folder / "damaged" / "models").glob("*full_range.tflite"):
            content = model.read_bytes()
            model.unlink()  # the other folders have the same file
            model.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        shutil.rmtree(wheels)
        folder.chmod(0o755)
        yield folder


@pytest.fixture(scope="module")
def device(cache: Path, name: str, suite: str, carried: Path) -> Iterator[Device]:
    root = debian_root(cache, suite, PACKAGES)
    with booted(root, {carried: CARRIED, ROOT: CHECKOUT, index(cache, suite): INDEX}) as machine:
        if name == "ubuntu":
            machine.run("rm", "/etc/os-release")  # a link
            machine.write("/etc/os-release", UBUNTU)
        yield Device(name, machine)


def test_from_nothing_to_the_page(device: Device, show: Show) -> None:
    begun_s = time.monotonic()
    said = device.install("first", "--lan", "--camera", "demo")
    took_s = time.monotonic() - begun_s
    assert ("Ubuntu" in said) == (device.name == "ubuntu")
    urls = re.findall(r"^  (http://\S+)$", said, re.MULTILINE)
    assert device.status(urls[-1]) == "200"
    assert urls[-1].startswith("http://127.0.0.1:8080/?token=")
    device.serves(VERSIONS["first"])
    assert "not-writable" not in said
    assert device.typed(f"stat --format='%U %G %a' {CONFIG} {TOKEN_FILE} /var/lib/emotion-edge") == (
        "root emotion-edge 640\nroot root 600\nemotion-edge emotion-edge 700\n"
    )
    assert device.typed(f"systemctl is-enabled {UNIT}") == "enabled\n"
    found = device.service.properties()
    ready_s = (int(found["ActiveEnterTimestampMonotonic"]) - int(found["ExecMainStartTimestampMonotonic"])) / 1e6
    megabytes = device.typed(f"du -sm {HOME}/releases/1.0.0").split()[0]
    show(f"{device.name}: installed in {took_s:.0f} s, {megabytes} MB; start to READY {ready_s:.2f} s\n{said}")


def test_the_same_again_changes_nothing(device: Device, show: Show) -> None:
    device.has_first()
    before, pid = device.typed(LIST), device.service.properties()["MainPID"]
    begun_s = time.monotonic()
    device.install("first")
    show(f"{device.name}: the same again takes {time.monotonic() - begun_s:.0f} s")
    device.typed(f"sh {CHECKOUT}/deploy/install.sh --wheelhouse '{CARRIED}/first'")
    assert device.typed(LIST) == before
    assert device.service.properties()["MainPID"] == pid


def test_an_upgrade_keeps_configuration_and_token_and_can_be_taken_back(device: Device, show: Show) -> None:
    device.has_first()
    device.typed(f"echo '# the administrator was here' >>{CONFIG}")
    config, token = device.file(CONFIG), device.file(TOKEN_FILE)
    begun_s = time.monotonic()
    device.install("second")
    took_s = time.monotonic() - begun_s
    device.serves(VERSIONS["second"])
    assert device.link("previous") == VERSIONS["first"]
    begun_s = time.monotonic()
    device.install("second", "--rollback")
    show(f"{device.name}: upgraded in {took_s:.0f} s, rolled back in {time.monotonic() - begun_s:.0f} s")
    device.serves(VERSIONS["first"])
    assert device.link("previous") == VERSIONS["second"]
    assert (device.file(CONFIG), device.file(TOKEN_FILE)) == (config, token)


def test_a_version_that_does_not_get_ready_makes_way_for_the_old_one(device: Device, show: Show) -> None:
    device.has_first()
    begun_s = time.monotonic()
    said = device.install("broken", status=1)
    show(f"{device.name}: tried and switched back in {time.monotonic() - begun_s:.0f} s")
    assert "broken on purpose" in said
    assert "emotion-edge 1.2.0 did not get ready and is not used; 1.0.0 runs again." in said
    device.serves(VERSIONS["first"])
    assert VERSIONS["broken"] not in device.typed(f"ls {HOME}/releases")


def test_a_version_with_a_damaged_model_is_not_even_started(device: Device) -> None:
    device.has_first()
    pid = device.service.properties()["MainPID"]
    said = device.install("damaged", status=1)
    assert "The face detectors could not be fetched; nothing was fetched from a network." in said
    assert "Nothing was switched: 1.0.0 is in use as before." in said
    assert device.service.properties()["MainPID"] == pid
    assert VERSIONS["damaged"] not in device.typed(f"ls {HOME}/releases")


def test_killed_half_way_it_disturbs_nothing_and_goes_on_when_run_again(device: Device) -> None:
    device.has_first()
    pid = device.service.properties()["MainPID"]
    folder = f"{HOME}/releases/{VERSIONS['late']}"
    group = device.typed(f"setsid sh '{CARRIED}/late/install.sh' >/tmp/late 2>&1 & echo $!").strip()
    end_s = time.monotonic() + 120
    while not device.typed(f"ls -d {folder}/lib/python3.*/site-packages/numpy || :").startswith("/opt"):
        assert time.monotonic() < end_s, device.file("/tmp/late")
        time.sleep(0.1)
    device.typed(f"kill -KILL -{group}")
    assert device.service.properties()["MainPID"] == pid
    device.serves(VERSIONS["first"])
    assert "no .complete" in device.typed(f"ls {folder}/.complete || echo no .complete")
    device.install("late")
    device.serves(VERSIONS["late"])
    assert sorted(device.typed(f"ls {HOME}/releases").split()) == [VERSIONS["first"], VERSIONS["late"]]
    device.install("first", "--rollback")


def test_from_a_checkout_it_builds_the_program_and_fetches_the_models(device: Device) -> None:
    device.has_first()
    # a list, which pip parts at its blanks
    network = f"PIP_NO_INDEX=1 PIP_FIND_LINKS='file://{quote(CARRIED)}/first/wheels {INDEX}'"
    said = device.typed(f"{network} sh {CHECKOUT}/deploy/install.sh")
    assert f"from {CHECKOUT}" in said
    version = device.link("venv")
    assert version not in VERSIONS.values()
    device.serves(version)
    assert "as published" in device.typed(f"{HOME}/venv/bin/emotion-edge models verify")
    device.install("first", "--rollback")


def test_what_apt_has_for_cameras_loads_beside_what_the_program_brings(device: Device, show: Show) -> None:
    device.has_first()
    modules = "/usr/lib/python3/dist-packages"
    device.machine.write(f"{modules}/picamera2/__init__.py", "import bottleneck\n")
    try:
        assert "picamera2 does not load" not in device.install("first")
        said = device.machine.text(PYTHON, "-c", LOAD)
        assert f" {HOME}/venv/" in said, "apt's numpy is used, which apt may remove"
        apts = device.machine.text("/usr/bin/python3", "-c", "import numpy; print(numpy.__version__)")
        show(f"{device.name}: apt's numpy {apts}, ours {said}")
        assert said.partition(".")[0] == apts.partition(".")[0]
        device.serves(VERSIONS["first"])
        assert "DeviceAllow=char-media" in device.typed(f"systemctl cat {UNIT}")
    finally:
        device.machine.run("rm", "-r", f"{modules}/picamera2")
    device.install("first")
    assert "DeviceAllow=char-media" not in device.typed(f"systemctl cat {UNIT}")


def test_removed_it_leaves_configuration_and_token_and_purged_nothing(device: Device) -> None:
    device.has_first()
    config, token = device.file(CONFIG), device.file(TOKEN_FILE)
    device.install("first", "--uninstall")
    assert device.typed(f"systemctl is-active {UNIT} || :") == "inactive\n"
    assert device.typed("ls -d /opt/* /usr/local/bin/* /etc/systemd/system/emotion-edge* 2>/dev/null || :") == ""
    assert (device.file(CONFIG), device.file(TOKEN_FILE)) == (config, token)
    device.install("first", "--uninstall", "--purge")
    left = device.typed("find / -xdev -path /media -prune -o -path /proc -prune -o -name '*emotion*edge*' -print")
    assert left == ""
    assert device.typed("getent passwd emotion-edge || echo gone") == "gone\n"
