"""Debian's changelog, made of the newest version in the project's own."""

import re
import textwrap
from datetime import UTC, datetime
from email.utils import format_datetime

from edge.errors import ConfigError

WIDTH = 78

_VERSION = re.compile(r"^## \[(\d[^\]]*)\].*\n", re.MULTILINE)


def debian_changelog(text: str, version: str, packaged: str, suite: str, maintainer: str, epoch_s: int) -> str:
    """One entry.

    Args:
        text: of CHANGELOG.md.
        version: of the program; the newest in `text` has to be the same.
        packaged: that version as Debian writes it.
        suite: Debian's.
        maintainer: name and address.
        epoch_s: when the package is said to be made, in seconds since 1970.

    Raises:
        ConfigError: the newest version in `text` is another.
    """
    headings = list(_VERSION.finditer(text))
    if not headings or headings[0][1] != version:
        found = headings[0][1] if headings else "none"
        raise ConfigError(
            f"the newest version in CHANGELOG.md is {found}, the program's is {version}; they have to agree"
        )
    end = headings[1].start() if len(headings) > 1 else len(text)
    lines = _lines(text[headings[0].end() : end])
    date = format_datetime(datetime.fromtimestamp(epoch_s, UTC))
    body = "\n".join(lines or ["  * No change that a user notices."])
    return f"emotion-edge ({packaged}) {suite}; urgency=medium\n\n{body}\n\n -- {maintainer}  {date}\n"


def _lines(section: str) -> list[str]:
    """Headings in brackets, points with stars."""
    lines: list[str] = []
    for block in re.split(r"\n(?=- |### )", f"\n{section}"):
        joined = " ".join(block.split())
        if joined.startswith("### "):
            lines += ["", f"  [ {joined[4:]} ]"] if lines else [f"  [ {joined[4:]} ]"]
        elif joined.startswith("- "):
            lines += textwrap.wrap(
                joined[2:],
                WIDTH,
                initial_indent="  * ",
                subsequent_indent="    ",
                break_long_words=False,
                break_on_hyphens=False,
            )
    return lines
