"""Users and groups, as /etc has them. A directory service is not asked: it may take long to answer, or never do."""

import getpass
from collections.abc import Collection, Iterator
from pathlib import Path

import msgspec


class Group(msgspec.Struct, frozen=True):
    """A line of /etc/group."""

    name: str
    gid: int
    members: tuple[str, ...]


def groups(etc: Path) -> tuple[Group, ...]:
    """All groups."""
    return tuple(
        Group(fields[0], int(fields[2]), tuple(filter(None, fields[3].split(","))))
        for fields in _rows(etc / "group", 4)
        if fields[2].isdecimal()
    )


def group_names(etc: Path, gids: Collection[int]) -> tuple[str, ...]:
    """Names of the groups with these numbers, as far as they have any."""
    return tuple(group.name for group in groups(etc) if group.gid in gids)


def user_name(etc: Path, uid: int) -> str:
    """Of the user with that number; its number where it has none."""
    found = next((fields[0] for fields in _rows(etc / "passwd", 3) if fields[2] == str(uid)), "")
    if found:
        return found
    return getpass.getuser() if uid < 0 else str(uid)


def has_user(etc: Path, name: str) -> bool:
    """Whether there is a user of that name, or of that number."""
    return any(name in (fields[0], fields[2]) for fields in _rows(etc / "passwd", 3))


def groups_of(etc: Path, name: str) -> tuple[str, ...]:
    """Names of the groups that a user is in after the next login, the own one included."""
    own = {fields[3] for fields in _rows(etc / "passwd", 4) if fields[0] == name}
    return tuple(group.name for group in groups(etc) if name in group.members or str(group.gid) in own)


def _rows(file: Path, least: int) -> Iterator[list[str]]:
    """The fields of each line that has as many."""
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return
    for line in lines:
        fields = line.split(":")
        if len(fields) >= least:
            yield fields
