"""What the table of codes is made of."""

import msgspec

from edge.doctor.findings import Severity


class Entry(msgspec.Struct, frozen=True):
    """A code. Texts may hold `{slots}`, which are filled with what was found where.

    Attributes:
        code: lower-case words with hyphens; never given another meaning.
        severity: of each finding with it.
        area: what it is about; a heading of the manual.
        title: what it means, without its full stop.
        expected: what should have been found.
        fix: what to do, in words.
        command: the same to be typed, where a command does it.
    """

    code: str
    severity: Severity
    area: str
    title: str
    expected: str = ""
    fix: str = ""
    command: str = ""
