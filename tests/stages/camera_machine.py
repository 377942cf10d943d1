"""The virtual machine that goes through the checks of the V4L2 adapter, with hardly anything else in it."""

from pathlib import Path

from tests.stages.emulated import SecondDisk, run
from tests.stages.roots import PACKAGES, PROGRAM

FIRST = "/opt/stage"

_STAGE = f"""#!/bin/bash
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root PYTHONDONTWRITEBYTECODE=1
export PYTHONPATH={PROGRAM}:{PACKAGES}
mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t devtmpfs devtmpfs /dev; mount -t tmpfs tmpfs /tmp
mount -t tmpfs tmpfs /run; mkdir /dev/shm; mount -t tmpfs tmpfs /dev/shm
busybox ifconfig lo 127.0.0.1 up
/lib/systemd/systemd-udevd --daemon
cd /; python3 -u -m tests.stages.inside.vivid_checks </dev/null
echo "ended with $?"
busybox poweroff -f
"""


def check_camera(machine: Path, scratch: Path) -> tuple[int, str]:
    """Boot, go through the checks, and switch off; returns their exit status and what was printed.

    Args:
        machine: made by `vivid_machine`.
        scratch: an empty folder.
    """
    second = SecondDisk(scratch / "second.tar")
    second.add(FIRST, _STAGE, mode=0o755)
    return run(machine, second, FIRST)
