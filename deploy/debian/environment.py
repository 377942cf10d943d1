"""The environment in the package: where it will lie, on the target's own Python, and without what no device needs."""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from deploy.debian.suites import Suite

HOME = "opt/emotion-edge/venv"
PROGRAM = f"{HOME}/bin/emotion-edge"
MODELS = f"{HOME}/share/emotion-edge/models"

NEVER_NEEDED = (
    # made anew at the installation
    "*/__pycache__/*",
    # for who tests, type-checks or compiles against a package
    "*/tests/*",
    # its `_multiarray_tests` is imported with it, these are not
    "numpy/*/_operand_flag_tests.*.so",
    "numpy/*/_struct_ufunc_tests.*.so",
    "*.pyi",
    "*/py.typed",
    "*.pxd",
    "*.pyx",
    "*.h",
    "*.hpp",
    "*.a",
    "numpy/distutils/*",
    "numpy/f2py/*",
    # programs of packages
    "bin/*",
    # compilers for other chips, accelerators that the program never asks for
    "ai_edge_litert/aot/*",
    "ai_edge_litert/tools/*",
    "ai_edge_litert/vendors/*",
    "ai_edge_litert/libLiteRt*Accelerator.so",
    # pip's notes: dpkg has its own, and these hold folders of the machine that built it
    "*.dist-info/RECORD",
    "*.dist-info/REQUESTED",
    "*.dist-info/direct_url.json",
    "*.dist-info/sboms/*",
    # also in its dist-info
    "cv2/LICENSE*",
    "cv2/data/haarcascade_*.xml",
)
NEEDED = ("cv2/data/haarcascade_frontalface_default.xml",)
"""In spite of those."""

_START = f"""#!/{HOME}/bin/python
import sys

from edge.cli import main

sys.exit(main())
"""


def site_packages(root: Path, suite: Suite) -> Path:
    """Where packages lie, in the folder of all that is installed."""
    return root / HOME / "lib" / f"python3.{suite.python}" / "site-packages"


def add_interpreter(root: Path, suite: Suite) -> None:
    """What makes a folder an environment (PEP 405) of the target's Python, with apt's packages in sight."""
    programs = root / HOME / "bin"
    programs.mkdir(parents=True)
    for name, target in (
        ("python3", "/usr/bin/python3"),
        ("python", "python3"),
        (f"python3.{suite.python}", "python3"),
    ):
        (programs / name).symlink_to(target)
    settings = ("home = /usr/bin", "include-system-site-packages = true", f"version = 3.{suite.python}")
    (root / HOME / "pyvenv.cfg").write_text("".join(f"{line}\n" for line in settings))
    (root / PROGRAM).write_text(_START)


def never_needed(path: str) -> bool:
    """Whether a file of site-packages, named from there, is left out."""
    return path not in NEEDED and any(fnmatchcase(path, pattern) for pattern in NEVER_NEEDED)


def strip(site: Path) -> None:
    """Remove what is never needed, and say in each package that dpkg installed it."""
    for path in list(files_below(site)):
        if never_needed(path.relative_to(site).as_posix()):
            path.unlink()
        elif path.name == "INSTALLER":
            path.write_text("dpkg\n")
    for folder in sorted((path for path in site.rglob("*") if path.is_dir()), reverse=True):
        if not any(folder.iterdir()):
            folder.rmdir()


def size_b(folder: Path) -> int:
    """Of all files in a folder."""
    return sum(path.stat().st_size for path in files_below(folder))


def files_below(folder: Path) -> Iterator[Path]:
    """All files, in order; links are none."""
    return (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink())
