"""What the Debian package's own scripts do, in a folder that stands in for the system, with programs that stand in."""

import subprocess
import sys
from pathlib import Path

import pytest

from deploy.debian.package import SCRIPTS
from tests.tools import require_tool

DEBIAN = Path(__file__).parents[2] / "deploy" / "debian"
AFTER_A_REMOVAL = ("install", "0.1.0+deb12")
"""As dpkg calls preinst where the settings of that version are left."""
CALLED = (
    "deb-systemd-helper",
    "deb-systemd-invoke",
    "groupadd",
    "groupdel",
    "systemctl",
    "useradd",
    "userdel",
    "usermod",
)
"""Programs that change a system."""
RECORD = 'echo "${0##*/} $*" >>"${0%/*}/called"'
AS_ANYBODY = """
for word; do
  shift
  case $word in -[og]) left=yes ;; *) [ -n "$left" ] || set -- "$@" "$word"; left= ;; esac
done
exec /usr/bin/install "$@"
"""
"""install, without an owner and a group."""


class System:
    """A folder that stands in for a system.

    Attributes:
        root: the folder.
    """

    def __init__(self, folder: Path) -> None:
        self.root, self._programs = folder / "root", folder / "programs"
        (self.root / "run" / "systemd" / "system").mkdir(parents=True)
        self.write("usr/share/emotion-edge/config.toml", "# the template\n")
        self.program("getent", "exit 2")
        self.program("install", AS_ANYBODY)
        self.program("python3", f'exec {sys.executable} "$@"')
        # a fault in a script is not to reach this machine
        self.program(
            "rm", f'for word; do case $word in -*|"{self.root}/"*) ;; *) exit 1 ;; esac; done\nexec /bin/rm "$@"'
        )
        for name in CALLED:
            self.program(name, RECORD)

    def script(self, name: str, *arguments: str) -> tuple[int, str]:
        """How one of the scripts ends, and what it says."""
        done = subprocess.run(
            ["sh", str(DEBIAN / name), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            check=False,
            env={"DPKG_ROOT": str(self.root), "PATH": f"{self._programs}:/usr/bin:/bin"},
        )
        return done.returncode, done.stdout

    @property
    def called(self) -> list[str]:
        """What was called of what changes a system, with its arguments."""
        record = self._programs / "called"
        return record.read_text().splitlines() if record.exists() else []

    def write(self, path: str, text: str) -> Path:
        """Write a file in the root, with its folders."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def use_install_sh(self) -> None:
        """Have a release of install.sh in use."""
        self.write("opt/emotion-edge/releases/0.1.0/.complete", "")
        (self.root / "opt" / "emotion-edge" / "venv").symlink_to("releases/0.1.0")

    def program(self, name: str, script: str) -> None:
        """Put a program there, in sh."""
        self._programs.mkdir(exist_ok=True)
        (self._programs / name).write_text(f"#!/bin/sh\n{script}\n")
        (self._programs / name).chmod(0o755)


@pytest.fixture
def system(tmp_path: Path) -> System:
    """One without the package."""
    return System(tmp_path)


@pytest.mark.parametrize("name", SCRIPTS)
def test_shellcheck_has_nothing_to_say_about_a_maintainers_script(name: str):
    shellcheck = require_tool("shellcheck", "apt-get install -y --no-install-recommends shellcheck")
    done = subprocess.run([shellcheck, DEBIAN / name], capture_output=True, text=True, check=False)
    assert done.stdout == ""


@pytest.mark.parametrize("arguments", [("install",), AFTER_A_REMOVAL])
def test_an_installation_meets_nothing(system: System, arguments: tuple[str, ...]):
    assert system.script("preinst", *arguments) == (0, "")


@pytest.mark.parametrize("arguments", [("install",), AFTER_A_REMOVAL])
def test_it_does_not_unpack_over_install_sh(system: System, arguments: tuple[str, ...]):
    system.use_install_sh()
    status, said = system.script("preinst", *arguments)
    assert status == 1
    assert "install.sh --uninstall" in said
    assert "apt-get remove" not in said


def test_an_upgrade_does_not_unpack_over_install_sh_either(system: System):
    system.use_install_sh()
    status, said = system.script("preinst", "upgrade", "0.1.0+deb12")
    assert status == 1
    # install.sh refuses to do anything while there is a package
    assert 0 < said.index("apt-get remove") < said.index("install.sh --uninstall")
    assert system.script("preinst", "abort-upgrade", "0.1.0+deb12") == (0, "")


def test_it_does_not_unpack_over_an_environment_made_by_hand(system: System):
    (system.root / "opt" / "emotion-edge" / "venv").mkdir(parents=True)
    status, said = system.script("preinst", "install")
    assert status == 1
    assert "sudo rm -r /opt/emotion-edge/venv" in said


@pytest.mark.parametrize("arguments", [("install",), AFTER_A_REMOVAL])
def test_it_does_not_let_another_unit_hide_its_own(system: System, arguments: tuple[str, ...]):
    system.write("etc/systemd/system/emotion-edge.service", "[Service]\n")
    status, said = system.script("preinst", *arguments)
    assert status == 1
    assert "sudo rm /etc/systemd/system/emotion-edge.service" in said


@pytest.mark.parametrize("arguments", [("upgrade", "0.1.0+deb12"), AFTER_A_REMOVAL])
def test_what_the_package_itself_brought_is_met_again(system: System, arguments: tuple[str, ...]):
    system.write("opt/emotion-edge/venv/left", "")
    assert system.script("preinst", *arguments) == (0, "")


def test_settings_are_made_once_and_kept(system: System):
    assert system.script("postinst", "configure")[0] == 0
    folder = system.root / "etc" / "emotion-edge"
    assert sorted(path.name for path in folder.iterdir()) == ["config.toml", "token"]
    assert (folder / "config.toml").read_text() == "# the template\n"
    token = (folder / "token").read_text()
    assert len(token) == 44
    assert (folder / "token").stat().st_mode & 0o777 == 0o600
    (folder / "config.toml").write_text("# the administrator's\n")
    folder.chmod(0o700)
    system.script("postinst", "configure", "0.1.0+deb12")
    assert (folder / "config.toml").read_text() == "# the administrator's\n"
    assert (folder / "token").read_text() == token
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_token_that_was_cut_off_is_made_anew(system: System):
    token = system.write("etc/emotion-edge/token", "")
    system.script("postinst", "configure", "0.1.0+deb12")
    assert len(token.read_text()) == 44


def test_settings_are_on_the_disk_before_they_have_their_names(system: System):
    for name in ("mv", "sync"):
        system.program(name, f'{RECORD}\nexec /usr/bin/{name} "$@"')
    system.script("postinst", "configure")
    files = [call.split()[1].rpartition("/")[2] for call in system.called if call.startswith(("mv ", "sync "))]
    assert files == [".config.toml.new"] * 2 + [".token.new"] * 2


def test_what_had_crashed_until_its_start_limit_is_started_with_the_new_version(system: System):
    system.script("postinst", "configure", "0.1.0+deb12")
    calls = system.called
    begun = calls.index("deb-systemd-invoke restart emotion-edge.service")
    assert "systemctl --system reset-failed emotion-edge.service" in calls[:begun]


REMEMBERED = (
    "var/lib/systemd/deb-systemd-helper-enabled/emotion-edge.service.dsh-also",
    "var/lib/systemd/deb-systemd-helper-enabled/multi-user.target.wants/emotion-edge.service",
)


def test_purged_after_install_sh_has_taken_over_what_both_use_stays(system: System):
    system.use_install_sh()
    kept = [system.write(f"{path}/token", "a") for path in ("etc/emotion-edge", "var/lib/emotion-edge")]
    forgotten = [system.write(path, "") for path in REMEMBERED]
    status, said = system.script("postrm", "purge")
    assert (status, said.count("install.sh's installation uses them")) == (0, 1)
    assert [path.read_text() for path in kept] == ["a", "a"]
    # deb-systemd-helper would take the link by which install.sh's unit is enabled
    assert system.called == []
    assert [path for path in forgotten if path.parent.exists()] == []


def test_purged_otherwise_nothing_stays(system: System):
    gone = [system.write(f"{path}/token", "a") for path in ("etc/emotion-edge", "var/lib/emotion-edge")]
    assert system.script("postrm", "purge") == (0, "")
    assert [path for path in gone if path.parent.exists()] == []
    assert system.called == ["deb-systemd-helper purge emotion-edge.service", "userdel emotion-edge"]
