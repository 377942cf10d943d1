"""The virtual machine that boots the installed service, with systemd as process 1, and goes through checks of it."""

from pathlib import Path

from tests.elsewhere import ROOT
from tests.service import CONFIG, EVENTS, HOME, PYTHON, TOKEN, TOKEN_FILE, UNIT, UNIT_FILE
from tests.stages.emulated import SecondDisk, run
from tests.stages.roots import PACKAGES, PROGRAM
from tests.stages.roots import PYTHON as VERSIONS
from tests.stages.vivid_machine import SERVICE_ID, SUITE

WATCH_CAMERA = f"""
[source]
uri = "v4l2:/dev/video0?size=640x480&fps=15"
max_fps = 4
[privacy]
events = "aggregate"
aggregate_s = 1
[events]
path = "{EVENTS}"
flush_s = 0.2
"""
SYSTEM = "/etc/systemd/system"
STAGE = "/opt/stage"

_STAGE = f"""#!/bin/bash
exec >/dev/ttyS0 2>&1 </dev/null
export HOME=/root PYTHONDONTWRITEBYTECODE=1 PYTHONPATH={PROGRAM}:{PACKAGES}
cd /; python3 -u -m tests.stages.inside.service_checks
echo "ended with $?"
busybox poweroff -f
"""
_STAGE_SERVICE = f"""[Unit]
After=multi-user.target
[Service]
Type=oneshot
ExecStart={STAGE}
"""
_STAGE_TARGET = """[Unit]
Requires=multi-user.target
Wants=stage.service
AllowIsolate=yes
"""


def check_service(machine: Path, scratch: Path) -> tuple[int, str]:
    """Boot, go through the checks, and switch off; returns their exit status and what was printed.

    Args:
        machine: made by `vivid_machine`.
        scratch: an empty folder.
    """
    second = SecondDisk(scratch / "second.tar")
    _install(second)
    second.add(STAGE, _STAGE, mode=0o755)
    second.add(f"{SYSTEM}/stage.service", _STAGE_SERVICE)
    second.add(f"{SYSTEM}/stage.target", _STAGE_TARGET)
    second.link(f"{SYSTEM}/getty.target", "/dev/null")
    options = "systemd.unit=stage.target systemd.condition_needs_update=no systemd.show_status=no"
    return run(machine, second, "/lib/systemd/systemd", options)


def _install(second: SecondDisk) -> None:
    """The service as an installer leaves it, enabled; its camera is named and not there."""
    version = VERSIONS[SUITE]
    second.add(
        f"{HOME}/venv/pyvenv.cfg", f"home = /usr/bin\ninclude-system-site-packages = false\nversion = {version}\n"
    )
    second.add(f"{HOME}/venv/lib/python{version}/site-packages/parts.pth", f"{PROGRAM}\n{PACKAGES}\n")
    second.link(PYTHON, f"/usr/bin/python{version}")
    program = f"#!{PYTHON}\nimport sys\nfrom edge.cli import main\nsys.exit(main())\n"
    second.add(f"{HOME}/venv/bin/emotion-edge", program, mode=0o755)
    second.add(TOKEN_FILE, f"{TOKEN}\n", mode=0o600)
    second.add(CONFIG, WATCH_CAMERA, mode=0o640, group=SERVICE_ID)
    second.add(UNIT_FILE, (ROOT / "deploy" / UNIT).read_text())
    second.link(f"{SYSTEM}/multi-user.target.wants/{UNIT}", UNIT_FILE)
