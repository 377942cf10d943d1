"""Userlands of a Raspberry Pi: Debian's arm64 packages and the wheels for them, emulated as one of a Pi's processors.

Nothing of them runs while they are made: Debian's packages are only unpacked, and pip chooses wheels for a machine that
is not its own. They are kept, and made anew when other packages are asked for; the program is always the checkout's.
"""

import hashlib
import importlib.metadata
import shutil
import sys
import tomllib
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.elsewhere import ROOT, Place, call, made, require_root
from tests.stages.roots import GLIBC, MERGED_USR, PYTHON, device_requirements
from tests.tools import require_tool

EMULATOR = "qemu-aarch64-static"
SUITES = ("bookworm", "trixie")
"""Of Debian, and of Raspberry Pi OS 12 and 13."""
PARTS = {"cortex-a53": "0xd03", "cortex-a72": "0xd08", "cortex-a76": "0xd0b"}
"""Processors of the Pi Zero 2 and 3, of the Pi 4, of the Pi 5, and the number by which cpuinfo tells them apart."""
CORES = 4
DEVICE, LEGACY = "/opt/device", "/opt/legacy"
"""Where the wheels lie inside: those of the device; those of the extra `legacy-tflite`, for Python 3.11 only."""
PROGRAM, MODELS = "/opt/program", "/opt/models"
LAUNCHER = "/usr/local/bin/python3"
"""What `sys.executable` names inside. The kernel knows this machine's programs only, the emulator being one of them: so
it is a script of the emulated Python, which has the emulator start Python once more, with the arguments."""
LAUNCH = f"""\
#!/usr/bin/{EMULATOR} /usr/bin/python3
import os, sys
os.execv("/usr/bin/{EMULATOR}", ["{EMULATOR}", "-0", "{LAUNCHER}", "/usr/bin/python3", *sys.argv[1:]])
"""
# The mounts are gone with the process that made them.
ENTER = """
mount -t proc proc "$1/proc" && mount --bind "$2" "$1/proc/cpuinfo" && mount --rbind /dev "$1/dev" &&
root=$1 && shift 2 && exec chroot "$root" "$@"
"""


def arm64_root(cache: Path, wheel: Path, suite: str) -> Path:
    """The folder of a userland with the program of `wheel`; made unless it is there.

    Args:
        cache: where it is kept.
        wheel: of the checkout.
        suite: one of `SUITES`.
    """
    require_root("another userland is entered with chroot")
    for tool, package in (("mmdebstrap", "mmdebstrap"), (EMULATOR, "qemu-user-static")):
        require_tool(tool, f"apt-get install -y --no-install-recommends {package}")
    folder = cache / f"arm64-{suite}-{_key(suite)}"
    with made(folder) as missing:
        if missing:
            packages = "--include=base-files,base-passwd,python3,libgomp1,libstdc++6"
            options = ("--quiet", "--arch=arm64", "--variant=extract", MERGED_USR, packages)
            call("mmdebstrap", *options, suite, str(folder))
            _install(folder, DEVICE, suite, str(wheel))
            if suite == "bookworm":
                _install(folder, LEGACY, suite, f"{wheel}[legacy-tflite]")
                shutil.rmtree(_inside(folder, LEGACY) / "ai_edge_litert")
            _furnish(folder)
    program = _inside(folder, PROGRAM)
    shutil.rmtree(program, ignore_errors=True)
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(program)
    return folder


def as_processor(root: Path, processor: str, packages: str = DEVICE) -> Place:
    """The userland on one of `PARTS`.

    XNNPACK reads what the kernel says of the processor. With this machine's own words the interpreter crashes, with
    none it does without XNNPACK.

    Args:
        root: made by `arm64_root`.
        processor: emulated: an instruction that it lacks ends the program.
        packages: where the wheels lie inside.
    """
    lines = ("Features\t: fp asimd evtstrm crc32 cpuid", "CPU implementer\t: 0x41", "CPU architecture: 8")
    part = ("CPU variant\t: 0x0", f"CPU part\t: {PARTS[processor]}", "CPU revision\t: 3")
    cores = ("\n".join((f"processor\t: {core}", "BogoMIPS\t: 108.00", *lines, *part)) for core in range(CORES))
    return with_cpuinfo(root, processor, "\n\n".join(cores) + "\n", packages)


def with_cpuinfo(root: Path, processor: str, text: str, packages: str = DEVICE) -> Place:
    """The same with other words in /proc/cpuinfo."""
    cpuinfo = root / "opt" / f"cpuinfo-{processor}-{len(text)}"
    cpuinfo.write_text(text)
    enter = ("nice", "unshare", "--mount", "--propagation", "private", "sh", "-c", ENTER, "enter")
    emulated = (f"/usr/bin/{EMULATOR}", "-0", LAUNCHER, "/usr/bin/python3")
    return Place(
        (*enter, str(root), str(cpuinfo), *emulated),
        {
            "QEMU_CPU": processor,
            "PYTHONPATH": f"{PROGRAM}:{packages}",
            "PATH": "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "EMOTION_EDGE_MODELS": MODELS,
        },
    )


def add_models(root: Path, files: Sequence[Path]) -> None:
    """Put face detectors where `as_processor` has the program look for them."""
    folder = _inside(root, MODELS)
    folder.mkdir(exist_ok=True)
    for file in files:
        shutil.copy2(file, folder / file.name)


def unmet(root: Path, suite: str) -> list[str]:
    """What the program and its packages require there and have not got; pip takes markers for this machine's."""
    python = PYTHON[suite]
    machine = {"platform_machine": "aarch64", "platform_system": "Linux", "sys_platform": "linux", "os_name": "posix"}
    version = {"python_version": python, "python_full_version": f"{python}.0"}
    environment = {**default_environment(), **machine, **version, "extra": ""}
    found = []
    present = installed(root)
    for name, distribution in present.items():
        for requirement in map(Requirement, distribution.requires or ()):
            if requirement.marker is not None and not requirement.marker.evaluate(environment):
                continue
            other = present.get(canonicalize_name(requirement.name))
            version_there = "nothing" if other is None else other.version
            if other is None or not requirement.specifier.contains(other.version, prereleases=True):
                found.append(f"{name} requires {requirement}, found {version_there}")
    return found


def installed(root: Path) -> dict[str, importlib.metadata.Distribution]:
    """The program and the packages of the device, by name."""
    folders = [str(_inside(root, folder)) for folder in (DEVICE, PROGRAM)]
    return {canonicalize_name(each.name): each for each in importlib.metadata.distributions(path=folders)}


def _install(root: Path, where: str, suite: str, requirement: str) -> None:
    """Have pip choose and unpack the wheels for the suite's Python, as the installer constrains them."""
    platforms = [option for name in _platforms(suite) for option in ("--platform", name)]
    constraints = _constraints(suite)
    options = ["--quiet", "--disable-pip-version-check", "--python-version", PYTHON[suite], "--only-binary=:all:"]
    if constraints.exists():
        options += ["--constraint", str(constraints)]
    target = _inside(root, where)
    call(sys.executable, "-m", "pip", "install", *options, *platforms, "--target", str(target), requirement)
    # the program is unpacked anew each time, elsewhere
    for mine in (target / "edge", *target.glob("emotion_edge-*")):
        shutil.rmtree(mine)


def _furnish(root: Path) -> None:
    """What Debian's scripts, and the kernel of a Pi, would put there."""
    for name in ("passwd", "group"):
        shutil.copy2(root / "usr" / "share" / "base-passwd" / f"{name}.master", root / "etc" / name)
    shutil.copy2(str(shutil.which(EMULATOR)), root / "usr" / "bin" / EMULATOR)
    launcher = _inside(root, LAUNCHER)
    launcher.parent.mkdir(parents=True, exist_ok=True)
    launcher.write_text(LAUNCH)
    launcher.chmod(0o755)
    for name, text in _sysfs():
        file = root / "sys" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{text}\n")


def _sysfs() -> Iterator[tuple[str, str]]:
    for name in ("possible", "present", "online"):
        yield f"devices/system/cpu/{name}", f"0-{CORES - 1}"
    yield "class/thermal/thermal_zone0/type", "cpu-thermal"
    yield "class/thermal/thermal_zone0/temp", "48312"


def _platforms(suite: str) -> list[str]:
    """Wheels for these run on the suite's C library."""
    return [*(f"manylinux_2_{minor}_aarch64" for minor in range(GLIBC[suite], 16, -1)), "manylinux2014_aarch64"]


def _constraints(suite: str) -> Path:
    return ROOT / "deploy" / "constraints" / f"{suite}.txt"


def _inside(root: Path, path: str) -> Path:
    return root / path.lstrip("/")


def _key(suite: str) -> str:
    """Names what is asked for: other packages, another place to keep them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    constraints = _constraints(suite)
    asked = (
        *device_requirements(),
        *project["optional-dependencies"]["legacy-tflite"],
        constraints.read_text(encoding="utf-8") if constraints.exists() else "",
        *_platforms(suite),
        LAUNCH,
        *map(str, _sysfs()),
    )
    return hashlib.sha256("\n".join(asked).encode()).hexdigest()[:12]
