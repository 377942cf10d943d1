"""The service, installed on a throw-away systemd: this environment's program where the unit expects it."""

import re
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.throwaway_systemd import Machine, boot
from tests.elsewhere import ROOT, require_root
from tests.service import HOME, MAKE_USER, TOKEN, TOKEN_FILE, UNIT, UNIT_FILE, Service
from tests.tools import require_tool

DEPLOY = ROOT / "deploy"
CHECKOUT = f"{HOME}/checkout"
PROGRAM = f"{HOME}/program"
"""A link to `CHECKOUT`, or to what replaces it."""


@contextmanager
def installed() -> Iterator[Machine]:
    """A booted systemd with unit, user, token and program; without a configuration, and not started."""
    require_tool("systemd-nspawn", "apt-get install -y systemd-container")
    require_root("a systemd of its own takes namespaces and mounts")
    with boot(program_folders()) as machine:
        install_program(machine)
        machine.run("sh", "-c", MAKE_USER)
        machine.write(TOKEN_FILE, f"{TOKEN}\n")
        machine.run("chmod", "600", TOKEN_FILE)
        machine.write(UNIT_FILE, (DEPLOY / UNIT).read_text())
        machine.run("systemctl", "daemon-reload")
        yield machine


@contextmanager
def service_on(machine: Machine) -> Iterator[Service]:
    """The service there, not started; at the end it is stopped and what it did is forgotten."""
    service = Service(machine)
    service.configure()
    try:
        yield service
    finally:
        service.clear()


def program_folders() -> dict[Path, str]:
    """This environment's folders → where the service can read them: not under /root, /home or /tmp."""
    folders = {ROOT: CHECKOUT, Path(sysconfig.get_path("purelib")): f"{HOME}/packages"}
    if sys.base_prefix != "/usr":
        folders[Path(sys.base_prefix)] = f"{HOME}/python"
    models = Path(sys.prefix) / "share" / "emotion-edge"
    if models.is_dir():
        folders[models] = f"{HOME}/venv/share/emotion-edge"
    return folders


def install_program(machine: Machine) -> None:
    """Put an environment at /opt/emotion-edge/venv that is made of this one's parts, with the program of `PROGRAM`."""
    venv = f"{HOME}/venv"
    python = "python{}.{}".format(*sys.version_info)
    base = "/usr" if sys.base_prefix == "/usr" else f"{HOME}/python"
    settings = (Path(sys.prefix) / "pyvenv.cfg").read_text()
    machine.write(f"{venv}/pyvenv.cfg", re.sub(r"(?m)^home = .*", f"home = {base}/bin", settings))
    machine.write(f"{venv}/lib/{python}/site-packages/parts.pth", f"{PROGRAM}\n{HOME}/packages\n")
    machine.run("ln", "-s", CHECKOUT, PROGRAM)
    machine.run("mkdir", "-p", f"{venv}/bin")
    machine.run("ln", "-s", f"{base}/bin/{python}", f"{venv}/bin/python")
    machine.write(
        f"{venv}/bin/emotion-edge",
        f"#!{venv}/bin/python\nimport sys\nfrom edge.cli import main\nsys.exit(main())\n",
    )
    machine.run("chmod", "+x", f"{venv}/bin/emotion-edge")
    if sysconfig.get_config_var("Py_ENABLE_SHARED"):  # libpython is looked for where Python was built for
        machine.write("/etc/ld.so.conf.d/python.conf", f"{base}/lib\n")
        machine.run("ldconfig")
