"""The report for people: what is well in one line each, what is not with what to do."""

import textwrap
from collections.abc import Iterator, Mapping
from typing import Final

from edge import __version__
from edge.doctor.findings import SEVERITIES, Finding, Severity
from edge.doctor.world import World

WIDTH: Final = 100
"""In columns; commands are not wrapped, so that they can be copied."""
_INDENT: Final = " " * 9
MANUAL: Final = "docs/troubleshooting.md explains every code."


def heading(world: World) -> str:
    """Who is spoken for, and where."""
    machine = world.board or world.python.machine
    about = f"emotion-edge {__version__} on {machine}, for the user {world.user.name}, in {world.python.prefix}"
    return f"{_printable(about)}\n"


def lines(finding: Finding) -> Iterator[str]:
    """One finding."""
    if finding.severity == "ok":
        yield from _wrapped("ok", finding.found)
        return
    yield f"{finding.severity:<9}{finding.code}"
    yield from _wrapped("", f"{finding.title}.")
    yield from _wrapped("", f"found: {finding.found}")
    if finding.expected:
        yield from _wrapped("", f"expected: {finding.expected}")
    if finding.fix:
        yield from _wrapped("", finding.fix)
    if finding.command:
        yield f"{_INDENT}  {_printable(finding.command)}"


def summary(counts: Mapping[Severity, int]) -> str:
    """How many there are of each, the worst first."""
    worst_first = (name for name in reversed(SEVERITIES) if name != "ok" and counts[name])
    told = [f"{counts[name]} {name}{'' if counts[name] == 1 else 's'}" for name in worst_first]
    if not told:
        return "\nAll is well."
    return f"\n{', '.join(told)}. {MANUAL}"


def _printable(text: str) -> str:
    """Names of programs and files may hold what moves a terminal's cursor, or worse."""
    return "".join(character if character.isprintable() else "?" for character in text)


def _wrapped(mark: str, text: str) -> list[str]:
    return textwrap.wrap(
        _printable(" ".join(text.split())),
        WIDTH,
        initial_indent=mark.ljust(len(_INDENT)),
        subsequent_indent=_INDENT,
        break_on_hyphens=False,
        break_long_words=False,
    )
