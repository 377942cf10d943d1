"""deploy/install.sh, and places for it that are no systems: folders that look like one, programs that do nothing."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.elsewhere import ROOT

DEPLOY = ROOT / "deploy"
PARTS = ("steps", "system", "program", "settings", "release", "service", "removal")

PI_OS = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\n'
TRIXIE = 'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nID=debian\nVERSION_ID="13"\nVERSION_CODENAME=trixie\n'
UBUNTU = 'PRETTY_NAME="Ubuntu 24.04.2 LTS"\nID=ubuntu\nID_LIKE=debian\nVERSION_ID="24.04"\nVERSION_CODENAME=noble\n'

CHANGES = (
    "apt-get",
    "chown",
    "flock",
    "groupadd",
    "install",
    "ln",
    "mv",
    "rm",
    "rmdir",
    "runuser",
    "useradd",
    "userdel",
    "usermod",
)
"""Programs that change a system."""

_RECORD = 'echo "${0##*/} $*" >>"${0%/*}/called"'
_WITHOUT_PICAMERA2 = f'case $* in *find_spec*picamera2*) exit 1 ;; esac\nexec {sys.executable} "$@"'


class Place:
    """A folder that looks like a system's root, and programs that are found before the real ones.

    Attributes:
        root: the folder.
        scripts: where install.sh lies that is tried here.
    """

    def __init__(self, folder: Path, os_release: str = PI_OS, architecture: str = "arm64") -> None:
        self.root, self.scripts = folder / "root", DEPLOY
        self._programs, self._recorded = folder / "programs", folder / "recorded"
        self.write("etc/os-release", os_release)
        (self.root / "run" / "systemd" / "system").mkdir(parents=True)
        self._python = self.program("python", _WITHOUT_PICAMERA2)
        self.program("dpkg", f"echo {architecture}")
        self.program("dpkg-query", "exit 1")
        self.program("getent", "exit 2")
        self.program("id", '[ "$1" = -u ] && echo 0')
        # asking is allowed, all else is written down
        _write_program(self._recorded / "systemctl", f"case $1 in is-* | show) exit 1 ;; esac\n{_RECORD}")
        for name in CHANGES:
            _write_program(self._recorded / name, _RECORD)

    def write(self, path: str, text: str = "") -> Path:
        """Write a file in the root, with its folders."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def program(self, name: str, script: str) -> Path:
        """Put a program there, in sh."""
        return _write_program(self._programs / name, script)

    @property
    def called(self) -> str:
        """What `install` has called of what changes a system, a line each."""
        record = self._recorded / "called"
        return record.read_text() if record.exists() else ""

    def install(self, *arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run the script; of what changes a system nothing is within its reach."""
        return self._run(("sh", str(self.scripts / "install.sh"), *map(str, arguments)), environment, self._recorded)

    def dry_run(self, *arguments: str | Path, **environment: str) -> str:
        """What the script would do to the root; it has to end well."""
        done = self.install("--dry-run", "--root", self.root, *arguments, **environment)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def refusal(self, *arguments: str | Path, **environment: str) -> str:
        """With what words it refuses."""
        done = self.install("--dry-run", "--root", self.root, *arguments, **environment)
        assert done.returncode == 1, done.stdout + done.stderr
        assert self.called == ""
        return done.stderr

    def steps(self, script: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """Run some lines with the script's own functions, on the root and for real; it belongs to whoever tests.

        Args:
            script: in sh.
            settings: of the script, besides those it begins with.
        """
        self.program("chown", "exit 0")
        home = self.root / "opt" / "emotion-edge"
        known: dict[str, object] = {
            "here": DEPLOY,
            "root": self.root,
            "home": home,
            **{name: home / name for name in ("releases", "venv", "previous", "switching")},
            **{name: self.root / "etc" / "emotion-edge" / name for name in ("config.toml", "token")},
            "state": self.root / "var" / "lib" / "emotion-edge",
            "unit": self.root / "etc" / "systemd" / "system" / "emotion-edge.service",
            "python": self._python,
            **dict.fromkeys(("dry_run", "lan", "offline", "picamera2", "want_picamera2"), "no"),
            **dict.fromkeys(("wheelhouse", "camera", "offline_hint", "making", "trying", "work"), ""),
            "start": "yes",
            **settings,
        }
        known["config"] = known.pop("config.toml")
        given = "".join(f"{name}='{value}'\n" for name, value in known.items())
        parts = "".join(f". {DEPLOY}/lib/{part}.sh\n" for part in PARTS)
        return self._run(("sh", "-c", f"set -eu\n{given}{parts}{script}", "steps"), {})

    def _run(
        self, command: tuple[str, ...], environment: Mapping[str, str], *before: Path
    ) -> subprocess.CompletedProcess[str]:
        own = ("PIP_", "PYTHON", "EMOTION_EDGE_")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(own)}
        path = ":".join(map(str, (self._programs, *before, os.environ["PATH"])))
        return subprocess.run(
            command,
            env={**inherited, "PYTHON": str(self._python), **environment, "PATH": path},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


def _write_program(path: Path, script: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path
