"""The Debian package from its making to its purging, on each suite: a booted Debian with nothing but its own packages.

There is no network in it, so whatever is not inside the package is missed at once.
"""

import json
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.debian.__main__ import MAINTAINER, architecture_here
from deploy.debian.package import Built, build, pack
from deploy.debian.suites import SUITES, Suite
from tests.e2e.throwaway_systemd import Machine
from tests.elsewhere import ROOT, Place, built_wheel, cache_folder, require_root
from tests.service import CONFIG, DROP_INS, HOME, STATE, TOKEN_FILE, UNIT, Service
from tests.stages.arm64_root import LAUNCHER, arm64_root, as_processor
from tests.stages.debian_root import booted, debian_root
from tests.tools import require_tool

pytestmark = [pytest.mark.slow, pytest.mark.systemd, pytest.mark.timeout(1500)]

EPOCH_S = 1_767_225_600
NEWER = "9.0.0"
FAST = 1
"""Level of compression: the smallest package is not what these tests are about."""
ADDED = "\n# the administrator's own\n[stream]\nquality = 70\n"
CRASHES = "[Service]\nExecStart=\nExecStart=/bin/false\nRestartSec=0.1\n"
LASTING = re.compile(
    r"/(var/log|var/cache|var/lib/dpkg|var/lib/systemd)(/|$)|/etc/(passwd|group|shadow|gshadow|sub[ug]id)-"
)
"""What Debian keeps of any package that was ever there, and the copies that useradd makes."""

ENVIRONMENT = """
import importlib.metadata, json, sys
names = [each.name for each in importlib.metadata.distributions()]
print(json.dumps({
    "python": sys.version_info[1], "path": sys.path, "prefix": sys.prefix,
    "numpy": importlib.metadata.version("numpy"), "opencv": [name for name in names if name.startswith("opencv")],
}))
"""

Show = Callable[[str], None]


@pytest.fixture(scope="module")
def cache(pytestconfig: pytest.Config) -> Path:
    """Where systems are kept."""
    require_root("a Debian is made and booted")
    require_tool("dpkg-deb", "Debian and its kin have it")
    return cache_folder(pytestconfig)


@pytest.fixture(scope="module", params=list(SUITES))
def suite(request: pytest.FixtureRequest) -> Suite:
    """Of Debian."""
    return SUITES[request.param]


@pytest.fixture(scope="module")
def built(cache: Path, suite: Suite, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The package of this checkout."""
    return build(ROOT, tmp_path_factory.mktemp("deb"), suite, architecture_here(), MAINTAINER, EPOCH_S, FAST)


@pytest.fixture(scope="module")
def newer(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with a higher version, and another configuration to begin with."""
    tree = tmp_path_factory.mktemp("newer") / "tree"
    subprocess.run(["dpkg-deb", "--raw-extract", built.path, tree], check=True)
    change(tree / "DEBIAN" / "control", r"(?m)^Version: [\d.]+", f"Version: {NEWER}")
    (program,) = tree.glob("opt/emotion-edge/venv/lib/python3.*/site-packages/edge/__init__.py")
    change(program, r'__version__ = ".*"', f'__version__ = "{NEWER}"')
    change(tree / "usr" / "share" / "emotion-edge" / "config.toml", r"\Z", "# newer\n")
    path = built.path.with_name("newer.deb")
    pack(tree, path, EPOCH_S, level=0)
    return path


@pytest.fixture
def machine(cache: Path, suite: Suite, built: Built) -> Iterator[Machine]:
    """A Debian fresh from its installer, with the packages at hand."""
    with booted(debian_root(cache, suite.name), {built.path.parent: "/packages"}) as machine:
        yield machine


@pytest.fixture
def service(machine: Machine, built: Built) -> Service:
    """The package, installed."""
    install(machine, built.path)
    return Service(machine)


def change(path: Path, pattern: str, text: str) -> None:
    changed, count = re.subn(pattern, text, path.read_text())
    assert count == 1, path
    path.write_text(changed)


def install(machine: Machine, package: Path) -> str:
    """What dpkg says."""
    return machine.run("dpkg", "--install", f"/packages/{package.name}", timeout_s=280).stdout.decode()


def token_of(machine: Machine) -> str:
    return machine.path(TOKEN_FILE).read_text().strip()


def version_of(service: Service) -> str:
    """Of the program that runs, by itself."""
    answer = service.ask("/api/v1/openapi.json", token=token_of(service.machine))
    return str(answer.json["info"]["version"])


def files(machine: Machine) -> set[str]:
    """All files and folders of the system, but what lies in memory and what lasts."""
    listed = machine.text("find", "/", "-xdev", "-print").splitlines()
    return {path for path in listed if not LASTING.match(path)}


def pictures(service: Service, token: str) -> int:
    """How many pictures the first part of the stream holds."""
    with service.connect() as connection:
        connection.sendall(
            f"GET /stream.mjpg HTTP/1.0\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
        )
        received = b""
        while len(received) < 300_000:
            part = connection.recv(65_536)
            if not part:
                break
            received += part
    return received.count(b"\xff\xd8\xff")


def test_lintian_finds_nothing(cache: Path, suite: Suite, built: Built):
    with booted(debian_root(cache, suite.name, ("lintian",)), {built.path.parent: "/packages"}) as machine:
        options = ("--allow-root", "--fail-on", "error,warning")
        done = machine.run("lintian", *options, f"/packages/{built.path.name}", check=False, timeout_s=400)
    said = [line for line in done.stdout.decode().splitlines() if not line.startswith("N:")]
    assert (done.returncode, said) == (0, []), done.stderr


def test_two_builds_make_the_same_package(cache: Path, tmp_path: Path):
    suite = SUITES["bookworm"]
    first, second = (
        build(ROOT, tmp_path / name, suite, architecture_here(), MAINTAINER, EPOCH_S, FAST).path.read_bytes()
        for name in ("first", "second")
    )
    assert first == second


@pytest.fixture(scope="module")
def for_a_pi(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package for a Raspberry Pi with trixie, unpacked."""
    folder = tmp_path_factory.mktemp("arm64")
    path = build(ROOT, folder, SUITES["trixie"], "arm64", MAINTAINER, EPOCH_S, FAST).path
    assert path.name.endswith("+deb13_arm64.deb")
    subprocess.run(["dpkg-deb", "--raw-extract", path, folder / "tree"], check=True)
    return folder / "tree"


def test_a_package_for_a_pi_is_built_on_any_machine(for_a_pi: Path):
    assert {library.read_bytes()[18] for library in for_a_pi.rglob("*.so")} == {0xB7}, "e_machine of elf(5) is AArch64"


def test_what_is_inside_works_on_a_pis_processor(cache: Path, for_a_pi: Path, tmp_path: Path):
    root = arm64_root(cache, built_wheel(tmp_path), "trixie")
    home = root / HOME[1:]
    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(for_a_pi / HOME[1:], home, symlinks=True)
    try:
        python = [
            f"{HOME}/venv/bin/python" if word == LAUNCHER else word for word in as_processor(root, "cortex-a72").python
        ]
        installed = Place(tuple(python), {"QEMU_CPU": "cortex-a72"})
        answers = installed.answers()
        assert (answers.machine, answers.xnnpack, answers.passed) == ("aarch64", True, True)
        assert installed.run("-m", "edge", "models", "verify").count("as published") == 3
    finally:
        shutil.rmtree(home)


def test_installed_without_a_network_it_runs_and_asks_for_its_token(machine: Machine, built: Built, show: Show):
    begun_s = time.monotonic()
    said = install(machine, built.path)
    took_s = time.monotonic() - begun_s
    assert "http://127.0.0.1:8080/" in said
    service = Service(machine)
    found = service.wait_for(ActiveState="active", SubState="running", UnitFileState="enabled")
    ready_s = (int(found["ActiveEnterTimestampMonotonic"]) - int(found["ExecMainStartTimestampMonotonic"])) / 1e6
    show(f"{built.path.name}: installed in {took_s:.1f} s, of these {ready_s:.2f} s from the start to READY")
    token = token_of(machine)
    assert len(token) == 43
    assert service.ask("/state", token=None).status == 401
    assert service.ask("/state", token=token).status == 200
    assert pictures(service, token) > 2


def test_what_it_makes_is_for_those_it_concerns(service: Service):
    owners = service.machine.text("stat", "--format=%U:%G %a", CONFIG, TOKEN_FILE, STATE).splitlines()
    assert owners == ["root:emotion-edge 640", "root:root 600", "emotion-edge:emotion-edge 700"]
    account = service.machine.text("getent", "passwd", "emotion-edge").split(":")
    assert account[5:] == [STATE, "/usr/sbin/nologin"]
    assert "video" in service.machine.text("id", "--name", "--groups", "emotion-edge").split()


def test_the_program_is_whole_and_on_the_path(service: Service):
    machine = service.machine
    assert machine.text("emotion-edge", "--version").startswith("emotion-edge ")
    told = machine.text("emotion-edge", "models", "verify")
    assert told.count("as published") == 3, told
    listed = machine.text("sh", "-c", f"find {HOME} -name '*.so*' -exec ldd {{}} + 2>&1 || true")
    brought = {Path(path).name for path in machine.text("find", HOME, "-name", "*.so*").splitlines()}
    # some wheels' libraries are found by the module alone that loads them
    assert set(re.findall(r"(\S+) => not found", listed)) <= brought


def test_its_environment_goes_with_what_apt_has_for_cameras(service: Service, suite: Suite):
    found = json.loads(service.machine.text(f"{HOME}/venv/bin/python", "-c", ENVIRONMENT))
    assert found["python"] == suite.python
    assert "/usr/lib/python3/dist-packages" in found["path"]
    assert found["numpy"].startswith("1." if suite.name == "bookworm" else "2.")
    assert found["opencv"] == ["opencv-python-headless"]
    assert found["prefix"] == f"{HOME}/venv"


def test_an_upgrade_keeps_what_is_the_administrators(service: Service, built: Built, newer: Path):
    machine = service.machine
    token, before = token_of(machine), service.wait_for(ActiveState="active")
    machine.path(CONFIG).write_text(machine.path(CONFIG).read_text() + ADDED)
    edited = machine.path(CONFIG).read_text()
    install(machine, newer)
    service.restarted(before["MainPID"])
    assert version_of(service) == NEWER
    assert (machine.path(CONFIG).read_text(), token_of(machine)) == (edited, token)

    upgraded = service.wait_for(ActiveState="active")
    install(machine, built.path)
    service.restarted(upgraded["MainPID"])
    assert version_of(service) != NEWER
    assert (machine.path(CONFIG).read_text(), token_of(machine)) == (edited, token)
    assert pictures(service, token) > 2


def test_a_service_that_was_disabled_stays_so_after_an_upgrade(service: Service, newer: Path):
    service.machine.run("systemctl", "disable", "--now", UNIT)
    install(service.machine, newer)
    found = service.properties()
    assert (found["ActiveState"], found["UnitFileState"]) == ("inactive", "disabled")


def test_an_upgrade_starts_what_had_crashed_until_its_start_limit(service: Service, newer: Path):
    machine, drop_in = service.machine, f"{DROP_INS}/crashes.conf"
    machine.write(drop_in, CRASHES)
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "restart", UNIT, check=False)
    service.wait_for(ActiveState="failed")
    machine.run("rm", drop_in)
    install(machine, newer)
    service.wait_for(ActiveState="active", SubState="running")
    assert version_of(service) == NEWER


def test_an_upgrade_that_fails_leaves_the_old_version_at_work(service: Service, newer: Path, tmp_path: Path):
    machine, before = service.machine, service.wait_for(ActiveState="active", SubState="running")
    # it is refused before anything of it is unpacked
    subprocess.run(["dpkg-deb", "--control", newer, tmp_path / "DEBIAN"], check=True)
    change(tmp_path / "DEBIAN" / "preinst", r"(?m)^set -e$", "exit 1")
    failing = newer.with_name("failing.deb")
    pack(tmp_path, failing, EPOCH_S, level=0)
    done = machine.run("dpkg", "--install", f"/packages/{failing.name}", check=False, timeout_s=280)
    assert done.returncode != 0
    assert service.wait_for(ActiveState="active", SubState="running")["MainPID"] == before["MainPID"]
    assert version_of(service) != NEWER
    assert machine.text("dpkg-query", "--show", "--showformat=${db:Status-Abbrev}", "emotion-edge") == "ii"
    # the old version took it away, and has made it again
    assert machine.text("find", f"{HOME}/venv/lib", "-name", "__pycache__", "-print", "-quit") != ""


def test_removed_it_leaves_settings_and_purged_it_leaves_nothing(machine: Machine, built: Built):
    before = files(machine)
    install(machine, built.path)
    service = Service(machine)
    token = token_of(machine)
    machine.run("dpkg", "--remove", "emotion-edge")
    assert service.properties()["ActiveState"] == "inactive"
    assert not machine.path(HOME).exists()
    assert (token_of(machine), machine.path(STATE).is_dir()) == (token, True)

    install(machine, built.path)
    assert service.wait_for(ActiveState="active")["UnitFileState"] == "enabled"
    assert service.ask("/state", token=token).status == 200

    machine.run("dpkg", "--purge", "emotion-edge")
    assert service.properties()["LoadState"] == "not-found"
    assert files(machine) ^ before == set()
    for database in ("passwd", "group"):
        assert machine.run("getent", database, "emotion-edge", check=False).returncode == 2


def test_it_does_not_go_over_an_installation_by_install_sh(machine: Machine, built: Built):
    machine.run("sh", "-c", f"mkdir -p {HOME}/releases/0.1.0 && ln -s releases/0.1.0 {HOME}/venv")
    done = machine.run("dpkg", "--install", f"/packages/{built.path.name}", check=False)
    assert done.returncode != 0
    assert "install.sh --uninstall" in done.stderr.decode()
    assert [path.name for path in machine.path(f"{HOME}/releases/0.1.0").iterdir()] == []


def test_removed_before_install_sh_it_leaves_alone_what_that_uses(service: Service, built: Built):
    machine = service.machine
    token, config = token_of(machine), machine.path(CONFIG).read_text()
    machine.run("dpkg", "--remove", "emotion-edge")
    machine.run("sh", "-c", f"mkdir -p {HOME}/releases/0.1.0 && ln -s releases/0.1.0 {HOME}/venv")
    done = machine.run("dpkg", "--install", f"/packages/{built.path.name}", check=False)
    assert done.returncode != 0
    assert [path.name for path in machine.path(f"{HOME}/releases/0.1.0").iterdir()] == []
    assert "install.sh's installation uses them" in machine.text("dpkg", "--purge", "emotion-edge")
    assert (token_of(machine), machine.path(CONFIG).read_text()) == (token, config)
    assert machine.text("stat", "--format=%U", STATE) == "emotion-edge"
    assert machine.path(f"/etc/systemd/system/multi-user.target.wants/{UNIT}").is_symlink()
    assert machine.run("dpkg-query", "--show", "emotion-edge", check=False).returncode == 1
