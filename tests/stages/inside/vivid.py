"""Plugs the kernel's test camera in and out, and makes it misbehave."""

import subprocess
import time
from pathlib import Path

WEBCAM = ("n_devs=1", "node_types=0x1", "num_inputs=1", "input_types=0x0")
"""One device, which has one node for capture and one input: a webcam."""
DRIVER = Path("/sys/bus/platform/drivers/vivid")
PATIENCE_S = 20.0


def plug_in(number: int = 0) -> None:
    """The camera appears as /dev/videoNUMBER."""
    call("modprobe", "vivid", *WEBCAM, f"vid_cap_nr={number}")
    call("udevadm", "settle")


def pull_out() -> None:
    """The camera is gone at once, whoever was reading it; its driver too, as soon as nobody holds it."""
    (DRIVER / "unbind").write_text("vivid.0")
    end_s = time.monotonic() + PATIENCE_S
    while subprocess.run(["modprobe", "-r", "vivid"], capture_output=True, check=False).returncode:
        assert time.monotonic() < end_s, f"somebody held the camera for {PATIENCE_S:.0f} s after it was pulled out"
        time.sleep(0.1)
    call("udevadm", "settle")


def set_control(name: str, value: int = 1, device: str = "/dev/video0") -> None:
    """Set one of `v4l2-ctl --list-ctrls`; a button is pressed."""
    call("v4l2-ctl", "--device", device, f"--set-ctrl={name}={value}")


def formats(device: str = "/dev/video0") -> list[str]:
    """Four letters each."""
    lines = call("v4l2-ctl", "--device", device, "--list-formats").splitlines()
    return [line.split("'")[1] for line in lines if "'" in line]


def call(*command: str) -> str:
    """What a command prints.

    Raises:
        AssertionError: it fails; the message holds what it printed.
    """
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)} ended with {done.returncode}: {done.stdout}{done.stderr}"
    return done.stdout
