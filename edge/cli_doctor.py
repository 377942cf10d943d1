"""`emotion-edge doctor`: what is wrong with this machine or this installation, and what to do about it."""

import argparse
import io
import os
import sys
from contextlib import suppress
from typing import Final

import msgspec

INTERRUPTED: Final = 130
"""Exit status of what Ctrl-C has ended, for shells: 128 and the number of SIGINT."""
ABOUT = """\
Looks at Python, packages, TFLite runtime, models, configuration, cameras, permissions, network, disk, clock, heat and
the service, and says of each thing that is wrong what to do. It changes nothing and needs no root. What it says holds
for the user who asks; for the service: sudo -u emotion-edge emotion-edge doctor

Exit status: 0 no fault, 1 a fault, 78 the configuration is refused, 130 interrupted.
"""


def add_doctor(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.description = ABOUT
    parser.add_argument("--json", action="store_true", help="print the report as JSON, for programs")
    parser.add_argument("--config", metavar="FILE", help="TOML file with settings, as for `run`")
    parser.set_defaults(command=_doctor)


def _doctor(arguments: argparse.Namespace) -> int:
    from edge.doctor.asking import end_children  # noqa: PLC0415

    if isinstance(sys.stdout, io.TextIOWrapper):
        # JSON is UTF-8; a terminal shows what it can, and the rest by its number
        sys.stdout.reconfigure(encoding="utf-8" if arguments.json else None, errors="backslashreplace")
    try:
        return _told(arguments.config or "", arguments.json)
    except KeyboardInterrupt:
        with suppress(OSError):
            sys.stdout.flush()
        end_children()
        os._exit(INTERRUPTED)  # at once: a driver may hold a process that was asked, and a thread waits for that


def _told(config: str, as_json: bool) -> int:
    from edge.doctor import text  # noqa: PLC0415
    from edge.doctor.findings import counted, exit_of  # noqa: PLC0415
    from edge.doctor.here import here, variables_for  # noqa: PLC0415
    from edge.doctor.runner import Examination, report  # noqa: PLC0415
    from edge.server.token import token_path  # noqa: PLC0415

    visit = Examination(here(config, token_path().parent), variables_for(config))
    if as_json:
        told = report(visit.world, tuple(visit.findings()))
        print(msgspec.json.format(msgspec.json.encode(told)).decode())
        return told.exit
    print(text.heading(visit.world), flush=True)
    findings = []
    for finding in visit.findings():
        findings.append(finding)
        print("\n".join(text.lines(finding)), flush=True)
    print(text.summary(counted(findings)))
    return exit_of(findings)
