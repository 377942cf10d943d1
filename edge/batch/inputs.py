"""Which files there are to analyse, and which there are not, and why."""

import errno
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

import msgspec

from edge.named_paths import is_file, is_folder
from edge.sources.file import is_text
from edge.sources.images import natural_order
from edge.sources.uri import PICTURE_SUFFIXES, VIDEO_SUFFIXES

HEAD_B = 512
_NOWHERE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)
"""What links to nothing lead to; files that went meanwhile too."""

NAME_B = 200
"""Of a name that others are made from; file systems take 255."""


class Input(msgspec.Struct, frozen=True):
    """A file to analyse.

    Attributes:
        path: as it was given, or found below what was given.
        kind: what it looks like.
        name: a relative path for what is written about it; no two inputs share one.
    """

    path: Path
    kind: Literal["picture", "video"]
    name: str


class Problem(msgspec.Struct, frozen=True):
    """A file that was not analysed, or not all of it.

    Attributes:
        path: the file.
        reason: why.
    """

    path: str
    reason: str


class Found(msgspec.Struct, frozen=True):
    """What the paths of a command lead to.

    Attributes:
        inputs: to analyse, in natural order.
        skipped: neither pictures nor films.
        missing: what was named and is not there, cannot be looked into, or cannot be written down.
    """

    inputs: tuple[Input, ...]
    skipped: tuple[Problem, ...]
    missing: tuple[Problem, ...]


def find_inputs(paths: Iterable[Path], leave_out: Path | None = None) -> Found:
    """Look into files and folders, and folders in folders; what begins with a dot is passed over, links to folders too.

    Args:
        paths: files, which are taken for films if they look like nothing known, and folders.
        leave_out: a folder not to look into: that of the results.
    """
    given = list(paths)
    inputs: dict[str, Input] = {}
    skipped: list[Problem] = []
    missing: list[Problem] = []
    names: set[str] = set()
    for top in given:
        if not is_folder(top):
            listed = [top]
            if not is_file(top):  # to open a pipe could take for ever
                missing.append(Problem(str(top), _why_nothing(top)))
                continue
        else:
            listed = sorted(_files(top, leave_out, missing), key=natural_order)
        for path in listed:
            key = os.path.abspath(path)  # noqa: PTH100  # links stay links
            if key in inputs:
                continue
            if not _is_text(str(path)):
                missing.append(Problem(_readable(path), "its name is not in UTF-8, as records are; rename it"))
                continue
            kind, reason = kind_of(path)
            if kind is None and path == top:
                kind = "video"  # its reader says best what is wrong with it
            if kind is None:
                skipped.append(Problem(str(path), reason))
                continue
            within = path.name if path == top else path.relative_to(top).as_posix()
            wanted = within if len(given) == 1 or path == top else f"{top.resolve().name}/{within}"
            inputs[key] = Input(path, kind, _unused(wanted, names))
    return Found(tuple(inputs.values()), tuple(skipped), tuple(missing))


def _files(top: Path, leave_out: Path | None, missing: list[Problem]) -> Iterator[Path]:
    """All files below a folder that are not hidden."""
    out = None if leave_out is None else leave_out.resolve()

    def unreadable(error: OSError) -> None:
        missing.append(Problem(_readable(error.filename), f"the folder cannot be read: {error.strerror}"))

    for folder, folders, files in os.walk(top, onerror=unreadable):
        here = Path(folder)
        folders[:] = [name for name in folders if not name.startswith(".") and (here / name).resolve() != out]
        for path in (here / name for name in files if not name.startswith(".")):
            try:
                mode = path.stat().st_mode
            except OSError as error:
                if error.errno not in _NOWHERE:
                    missing.append(Problem(_readable(path), f"it cannot be looked at: {error.strerror}"))
                continue
            if stat.S_ISREG(mode):
                yield path


def _why_nothing(path: Path) -> str:
    """What there is instead of a file or a folder."""
    try:
        path.stat()
    except PermissionError as error:
        return f"it cannot be looked at: {error.strerror}"
    except OSError:
        return "there is no such file or folder"
    return "neither a file nor a folder"


def _is_text(name: str) -> bool:
    """Whether it can be written down: names of files are bytes, and need not be UTF-8."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _readable(path: str | Path) -> str:
    """Something to call it by, whatever it is called."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _unused(wanted: str, names: set[str]) -> str:
    folder, slash, last = wanted.rpartition("/")
    short = folder + slash + last.encode()[:NAME_B].decode(errors="ignore")
    name, number = short, 2
    while name in names:
        name, number = f"{short}-{number}", number + 1
    names.add(name)
    return name


_PICTURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a", b"II*\0", b"MM\0*")
_FILMS = (b"\x1aE\xdf\xa3", b"\0\0\x01\xba", b"\0\0\x01\xb3", b"FLV\x01", b"OggS")
_NO_FILMS = {b"heic": "HEIC", b"heix": "HEIC", b"mif1": "HEIF", b"msf1": "HEIF", b"avif": "AVIF", b"avis": "AVIF"}
_SOUND = (b"M4A ", b"M4B ", b"M4P ")


def kind_of(path: Path) -> tuple[Literal["picture", "video"] | None, str]:
    """What a file is, by its first bytes and, where they leave it open, by the end of its name; else why it is nothing.

    A file without content is what its name says.
    """
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_B)
    except OSError as error:
        # whoever analyses it tells the same as an error
        return _by_name(path) or "picture", error.strerror or str(error)
    kind: Literal["picture", "video"] | None = None
    reason = "neither a picture nor a video"
    if head.startswith(_PICTURES) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP"):
        kind = "picture"
    elif head.startswith(_FILMS) or (head[:4] == b"RIFF" and head[8:12] == b"AVI "):
        kind = "video"
    elif head[4:8] == b"ftyp":
        brand = head[8:12]
        if brand in _NO_FILMS:
            reason = f"a picture in {_NO_FILMS[brand]}, which is not read here; make a JPEG of it"
        elif brand in _SOUND:
            reason = "sound without a picture"
        else:
            kind = "video"
    elif head and is_text(head) and not head.startswith((b"P1", b"P2", b"P3")):
        reason = "a text file"
    else:
        kind = _by_name(path)
    return kind, reason


def _by_name(path: Path) -> Literal["picture", "video"] | None:
    suffix = path.suffix.lower()
    if suffix in PICTURE_SUFFIXES:
        return "picture"
    return "video" if suffix in VIDEO_SUFFIXES else None
