"""A userland in which the real picamera2 opens cameras of the real libcamera that no hardware is needed for.

Debian's libcamera comes with a virtual camera from trixie on. picamera2 is taken from PyPI: Debian has none.
"""

import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import cv2

from edge.sources import open_source
from tests.elsewhere import made
from tests.stages.roots import PACKAGES, PROGRAM, add_wheels, device_requirements, key, pack_program, unpack_debian

SUITE = "trixie"
DEBIAN = [
    "base-files",
    "base-passwd",
    "bash",
    "coreutils",
    "gcc",
    "libc6-dev",
    "libcamera-ipa",
    "python3",
    "python3-av",
    "python3-dev",
    "python3-libcamera",
    "python3-pil",
    "python3-prctl",
]
WHEELS = ("av", "jsonschema", "libarchive-c", "OpenEXR", "piexif", "pillow", "simplejpeg", "tqdm", "videodev2")
"""What picamera2 needs, but for python-prctl: that is Debian's."""
UNRESOLVED = ("picamera2", "PiDNG")
STAND_INS = f"{PROGRAM}/tests/stages/inside/virtual_camera"
SHIM = "/opt/dma_buffers.so"
PICTURES = "/opt/pictures"
CAMERAS = "usr/share/libcamera/pipeline/virtual/virtual.yaml"
WIDTH, HEIGHT = 640, 480
FILM = 8
"""Pictures that the first camera shows, over and over."""

_CAMERA = f"""
"{{name}}":
  supported_formats:
  - width: {WIDTH}
    height: {HEIGHT}
    frame_rates: [30]
  {{shows}}
  location: "CameraLocationFront"
  model: "Virtual"
"""

# mounted in a namespace of its own, so that nothing stays mounted whatever happens
_ENTER = """
mount -t proc proc "$1/proc" && mount --rbind /sys "$1/sys" && mount --rbind /dev "$1/dev" && exec chroot "$@"
"""


def picamera2_root(cache: Path) -> Path:
    """The folder of that userland, with the checkout's program; the userland is made unless it is there."""
    folder = cache / f"picamera2-{key(Path(__file__).read_text())}"
    with made(folder) as missing:
        if missing:
            unpack_debian(SUITE, DEBIAN, folder)
            add_wheels(SUITE, folder, (*device_requirements(), *WHEELS), UNRESOLVED)
            _add_cameras(folder)
            for name in ("proc", "sys", "dev", "tmp"):
                (folder / name).mkdir(exist_ok=True)
    program = folder / PROGRAM[1:]
    shutil.rmtree(program, ignore_errors=True)
    archive = folder / "program.tar"
    pack_program(archive)
    with tarfile.open(archive) as tar:
        tar.extractall(program, filter="data")
    archive.unlink()
    _draw(folder / PICTURES[1:])
    inside(folder, "gcc", "-shared", "-fPIC", "-o", SHIM, f"{STAND_INS}/dma_buffers.c", "-ldl", preload="")
    return folder


def inside(root: Path, *command: str, preload: str = SHIM, timeout_s: float = 280.0) -> tuple[int, str]:
    """Run a command there; returns its exit status and all it printed."""
    environment = {
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": "/tmp",
        "PYTHONDONTWRITEBYTECODE": "1",
        **({"LD_PRELOAD": preload, "PYTHONPATH": f"{STAND_INS}:{PROGRAM}:{PACKAGES}"} if preload else {}),
    }
    variables = [f"{name}={value}" for name, value in environment.items()]
    enter = ("unshare", "--mount", "--propagation", "private", "sh", "-c", _ENTER, "enter", str(root))
    done = subprocess.run(
        ["nice", *enter, "env", "--ignore-environment", *variables, *command],
        cwd="/",
        env=dict(os.environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=timeout_s,
        check=False,
    )
    return done.returncode, done.stdout.decode(errors="replace")


def _add_cameras(root: Path) -> None:
    """One that shows the film, one that shows bars."""
    shown = {"film": f'frames:\n    path: "{PICTURES}/"', "bars": 'test_pattern: "bars"'}
    cameras = [_CAMERA.format(name=name, shows=shows) for name, shows in shown.items()]
    path = root / CAMERAS
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("%YAML 1.1\n---" + "".join(cameras))


def _draw(folder: Path) -> None:
    """Some pictures of the demo, with one person, as 0.jpg, 1.jpg, …"""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    source = open_source(f"demo:?size={WIDTH}x{HEIGHT}&faces=1&fps=10&realtime=0")
    try:
        # nobody is there yet in the first second
        shown = [source.read(5.0).bgr for _ in range(30 + FILM)][30:]
    finally:
        source.close()
    for number, picture in enumerate(shown):
        cv2.imwrite(str(folder / f"{number}.jpg"), picture, [cv2.IMWRITE_JPEG_QUALITY, 95])
