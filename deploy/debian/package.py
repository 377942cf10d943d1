"""Puts a package together: all files as they will lie on the device, then dpkg-deb."""

import gzip
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec

from deploy.debian.changelog import debian_changelog
from deploy.debian.documents import control, copyright_notice, man_page, packages_in
from deploy.debian.environment import (
    MODELS,
    PROGRAM,
    add_interpreter,
    files_below,
    site_packages,
    size_b,
    strip,
)
from deploy.debian.suites import Suite, machine_named
from deploy.debian.versions import debian_version
from deploy.debian.wheels import build_wheel, install_wheels
from edge import model_store
from edge.errors import ConfigError

HERE = Path(__file__).parent
UNIT = "emotion-edge.service"
SCRIPTS = ("preinst", "postinst", "prerm", "postrm")
DOCUMENTS = "usr/share/doc/emotion-edge"


class Built(msgspec.Struct, frozen=True):
    """A package.

    Attributes:
        path: of the file.
        wheels_b: what the wheels hold, in bytes.
        kept_b: what is left of them.
        installed_b: all files of the package.
    """

    path: Path
    wheels_b: int
    kept_b: int
    installed_b: int


def build(
    source: Path, output: Path, suite: Suite, architecture: str, maintainer: str, epoch_s: int, level: int = 6
) -> Built:
    """Build a package.

    Args:
        source: the checkout.
        output: the folder it goes to.
        suite: of Debian.
        architecture: as Debian names it; none of its programs runs.
        maintainer: name and address.
        epoch_s: the time that all files get, in seconds since 1970.
        level: of the compression, 0 to 9.

    Raises:
        TemporaryError: a download failed.
        ConfigError: the checkout and what is asked for do not make a package.
    """
    machine = machine_named(architecture)
    with tempfile.TemporaryDirectory(prefix="emotion-edge-deb-") as scratch:
        wheel = build_wheel(source, Path(scratch) / "wheel")
        version = wheel.name.split("-")[1]
        packaged = debian_version(version, suite.number)
        root = Path(scratch) / "root"
        site = site_packages(root, suite)
        install_wheels(wheel, site, suite, machine, source / "deploy" / "constraints" / f"{suite.name}.txt")
        wheels_b = size_b(site)
        strip(site)
        kept_b = size_b(site)
        add_interpreter(root, suite)
        model_store.fetch(root / MODELS)
        _add_service(root, source / "deploy", suite)
        history = (source / "CHANGELOG.md").read_text()
        entry = debian_changelog(history, version, packaged, suite.name, maintainer, epoch_s)
        _add_documents(root, entry, _help(source), version, site)
        _refuse_traces(root, scratch)
        installed_b = size_b(root)
        _add_control(root, suite, architecture, packaged, maintainer, installed_b)
        output.mkdir(parents=True, exist_ok=True)
        path = output / f"emotion-edge_{packaged}_{architecture}.deb"
        pack(root, path, epoch_s, level)
    return Built(path, wheels_b, kept_b, installed_b)


def pack(root: Path, path: Path, epoch_s: int, level: int = 6) -> None:
    """Make a package of a folder; the same files give the same bytes, whoever makes them and whenever."""
    for each in sorted(root.rglob("*")):
        if not each.is_symlink():
            inside = each.relative_to(root).as_posix()
            runs = each.is_dir() or inside == PROGRAM or inside in {f"DEBIAN/{name}" for name in SCRIPTS}
            each.chmod(0o755 if runs else 0o644)
        os.utime(each, (epoch_s, epoch_s), follow_symlinks=False)
    root.chmod(0o755)
    os.utime(root, (epoch_s, epoch_s))
    options = ("--root-owner-group", "-Zxz", f"-z{level}", "--build", str(root), str(path))
    done = subprocess.run(
        ["dpkg-deb", *options],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "SOURCE_DATE_EPOCH": str(epoch_s)},
    )
    if done.returncode:
        raise ConfigError(f"dpkg-deb did not make {path.name}: {done.stderr.strip()}")


def _add_service(root: Path, deploy: Path, suite: Suite) -> None:
    """The unit, what it may do besides for ribbon-cable cameras, the configuration to begin with, the command."""
    units = root / suite.units
    _copy(deploy / UNIT, units / UNIT)
    _copy(deploy / "picamera2.conf", units / f"{UNIT}.d" / "picamera2.conf")
    _copy(deploy / "config.toml", root / "usr" / "share" / "emotion-edge" / "config.toml")
    command = root / "usr" / "bin" / "emotion-edge"
    command.parent.mkdir(parents=True)
    command.symlink_to(f"/{PROGRAM}")


def _add_documents(root: Path, changelog: str, help_text: str, version: str, site: Path) -> None:
    packages = packages_in(site)
    notice = copyright_notice(_template("copyright"), site.relative_to(root).as_posix(), packages)
    manual = man_page(_template("emotion-edge.1"), version, help_text)
    _write(root / DOCUMENTS / "copyright", notice.encode())
    _write(root / DOCUMENTS / "README.Debian", _template("README.Debian").encode())
    _write(root / DOCUMENTS / "changelog.gz", gzip.compress(changelog.encode(), 9, mtime=0))
    _write(root / "usr" / "share" / "man" / "man1" / "emotion-edge.1.gz", gzip.compress(manual.encode(), 9, mtime=0))
    _copy(HERE / "lintian-overrides", root / "usr" / "share" / "lintian" / "overrides" / "emotion-edge")


def _add_control(root: Path, suite: Suite, architecture: str, packaged: str, maintainer: str, installed_b: int) -> None:
    sums = [(hashlib.md5(path.read_bytes()), path.relative_to(root)) for path in files_below(root)]
    text = control(_template("control"), suite, architecture, packaged, maintainer, -(-installed_b // 1024))
    _write(root / "DEBIAN" / "control", text.encode())
    _write(root / "DEBIAN" / "md5sums", "".join(f"{sum_.hexdigest()}  {path}\n" for sum_, path in sums).encode())
    for name in SCRIPTS:
        _copy(HERE / name, root / "DEBIAN" / name)


def _help(source: Path) -> str:
    """What `emotion-edge --help` of the checkout says, each command in a line."""
    command = (sys.executable, "-m", "edge", "--help")
    environment = {**os.environ, "COLUMNS": "400"}
    return subprocess.run(command, cwd=source, env=environment, capture_output=True, text=True, check=True).stdout


def _refuse_traces(root: Path, folder: str) -> None:
    """Where it was built is of no use to who installs it, and makes each build differ."""
    for path in files_below(root):
        if folder.encode() in path.read_bytes():
            raise ConfigError(f"/{path.relative_to(root)} holds {folder}, the folder it was built in")


def _template(name: str) -> str:
    return (HERE / name).read_text()


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
