"""What the doctor says: findings, and the report they make."""

from collections.abc import Iterable
from typing import Final, Literal

import msgspec

from edge.errors import EXIT_CLEAN, EXIT_CONFIG, EXIT_FAULT

Severity = Literal["ok", "note", "warning", "fault"]
"""`fault`: it does not work. `warning`: it works, but badly or not for long. `note`: good to know."""

SEVERITIES: Final[tuple[Severity, ...]] = ("ok", "note", "warning", "fault")
SCHEMA: Final = 1
"""Of the report. Fields are added without a new number; one that goes, or changes its meaning, needs one."""
REFUSED: Final = frozenset(("config-invalid", "config-missing", "config-unreadable"))
"""Codes that end in 78 what starts with that configuration, the doctor included."""


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at.

    Attributes:
        code: stable, one of `edge.doctor.codes.TABLE`.
        severity: how bad it is.
        area: what it is about.
        title: what the code means, whatever was found.
        found: here and now.
        expected: instead; empty where all is well.
        fix: what to do, in words; empty likewise.
        command: the same to be typed; empty where no command does it.
    """

    code: str
    severity: Severity
    area: str
    title: str
    found: str
    expected: str = ""
    fix: str = ""
    command: str = ""


class Report(msgspec.Struct, frozen=True):
    """All of it.

    Attributes:
        schema: version of this layout.
        version: of the program.
        user: for whom the answers hold: permissions are a user's own.
        program: the environment that was looked at.
        config: the file with the settings; empty: none, all are the defaults.
        findings: in the order of the checks.
        counts: how many there are of each severity.
        exit: what the command returns.
    """

    schema: int
    version: str
    user: str
    program: str
    config: str
    findings: tuple[Finding, ...]
    counts: dict[Severity, int]
    exit: int


def counted(findings: Iterable[Finding]) -> dict[Severity, int]:
    """How many there are of each severity, the worst last."""
    found = [finding.severity for finding in findings]
    return {severity: found.count(severity) for severity in SEVERITIES}


def exit_of(findings: Iterable[Finding]) -> int:
    """78 where the configuration is refused, else 1 where there is a fault, else 0."""
    faults = {finding.code for finding in findings if finding.severity == "fault"}
    if faults & REFUSED:
        return EXIT_CONFIG
    return EXIT_FAULT if faults else EXIT_CLEAN
