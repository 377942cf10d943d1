"""Cameras without hardware: libcamera's virtual one, and the kernel's `vivid` in a VM, which also boots the service.

Each stage makes a system of its own (see `tests/stages`), which takes a network, root and a minute the first time, and
is kept; the program in it is always that of the checkout. What a stage found is printed, one line a check.
"""

import platform
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.elsewhere import cache_folder, require_root
from tests.stages.camera_machine import check_camera
from tests.stages.picamera2_root import inside, picamera2_root
from tests.stages.service_machine import check_service
from tests.stages.vivid_machine import vivid_machine
from tests.tools import require_tool

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]


@pytest.fixture
def cache(pytestconfig: pytest.Config) -> Path:
    """Where systems are kept."""
    if platform.machine() != "x86_64":
        pytest.skip(f"the systems are made for x86_64, this machine is {platform.machine()}")
    require_root("Debian's packages are unpacked with their owners and devices")
    require_tool("mmdebstrap", "apt-get install -y --no-install-recommends mmdebstrap")
    return cache_folder(pytestconfig)


def made_or_skipped(make: Callable[[Path], Path], cache: Path) -> Path:
    """Make a system; skip where that fails for want of a network."""
    try:
        return make(cache)
    except RuntimeError as error:
        mirrors = configured_mirrors()
        if any(reachable(mirror) for mirror in mirrors):
            raise
        pytest.skip(f"needs a network to make a Debian in: none of {', '.join(mirrors)} answers ({error})")


def configured_mirrors() -> list[str]:
    """Where this machine gets its packages."""
    listed = subprocess.run(
        ("apt-get", "indextargets", "--format", "$(REPO_URI)"), capture_output=True, text=True, timeout=60, check=True
    )
    return sorted({uri for uri in listed.stdout.split() if uri.startswith("http")})


def reachable(url: str) -> bool:
    """Whether its host answers, if only to say that there is no page."""
    try:
        with urllib.request.urlopen(url, timeout=10):
            return True
    except urllib.error.HTTPError:
        return True
    except (urllib.error.URLError, TimeoutError):
        return False


def test_picamera2_on_libcameras_virtual_cameras(cache: Path, show: Callable[[str], None]):
    require_tool("unshare", "apt-get install -y util-linux")
    root = made_or_skipped(picamera2_root, cache)
    status, said = inside(root, "python3", "-m", "tests.stages.inside.picamera2_checks")
    show(said)
    assert status == 0, said
    assert ", 0 failed" in said
    assert "FAILED" not in said


@pytest.fixture
def virtual_machine(cache: Path) -> Path:
    """Disk, kernel and initrd of a machine with a camera of the kernel's."""
    require_tool("qemu-system-x86_64", "apt-get install -y --no-install-recommends qemu-system-x86")
    require_tool("mke2fs", "apt-get install -y --no-install-recommends e2fsprogs")
    return made_or_skipped(vivid_machine, cache)


def test_v4l2_on_a_camera_of_the_kernel_in_a_virtual_machine(
    virtual_machine: Path, tmp_path: Path, show: Callable[[str], None]
):
    status, said = check_camera(virtual_machine, tmp_path)
    show(said)
    assert status == 0, said
    assert said.count(", 0 failed") == 2
    assert "FAILED" not in said


def test_the_service_boots_with_a_virtual_machine_and_outlives_what_befalls_it(
    virtual_machine: Path, tmp_path: Path, show: Callable[[str], None]
):
    status, said = check_service(virtual_machine, tmp_path)
    show(said)
    assert status == 0, said
    assert ", 0 failed" in said
    assert "FAILED" not in said
