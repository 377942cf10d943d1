"""Whether the virtual environment is one in which cameras on ribbon cables can work."""

from collections.abc import Iterator

from edge.doctor import apt_packages
from edge.doctor.findings import Finding
from edge.doctor.world import World


def check(world: World) -> Iterator[Finding]:
    """Its flags, and what it sees of apt's packages."""
    python = world.python
    wrong = False
    if python.prefix == python.base_prefix:
        wrong = True
        yield world.finding("environment-shared", f"the program runs in {python.prefix} itself")
    for finding in _ribbon_cable(world):
        wrong = True
        yield finding
    if not wrong:
        sees = "sees" if apt_packages.system_packages(world) else "does not see"
        yield world.finding("environment-ok", f"{python.prefix}, which {sees} apt's packages")


def _ribbon_cable(world: World) -> Iterator[Finding]:
    """Why picamera2 would not work; the first reason only, as the next one may be its consequence."""
    if not apt_packages.has_picamera2(world):
        if apt_packages.visible(world, "picamera2"):
            if not apt_packages.visible(world, "libcamera"):
                yield world.finding("libcamera-missing", "picamera2 of pip's, and no module libcamera")
        elif world.board.startswith("Raspberry Pi"):
            yield world.finding("picamera2-missing", f"{world.board} without python3-picamera2")
        return
    settings = f"{world.python.prefix}/pyvenv.cfg"
    built_for = apt_packages.libcamera_python(world)
    if not apt_packages.has_libcamera(world):
        yield world.finding("libcamera-missing", "apt's python3-picamera2 without python3-libcamera")
    elif not apt_packages.system_packages(world):
        found = f"python3-picamera2 in {apt_packages.FOLDER}, and {settings} keeps it out"
        yield world.finding("venv-without-system-packages", found, path=settings)
    elif built_for and built_for != world.python.version[:2]:
        found = "apt's libcamera is built for Python {}.{}, this is {}.{}".format(*built_for, *world.python.version[:2])
        yield world.finding("venv-other-python", found)
    elif not apt_packages.visible(world, "libcamera"):
        yield world.finding("libcamera-missing", f"it is in {apt_packages.FOLDER}, where this Python does not look")
