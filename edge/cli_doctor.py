"""`emotion-edge doctor`: what is wrong with this machine or this installation, and what to do about it."""

import argparse
from pathlib import Path

import msgspec

ABOUT = """\
Looks at Python, packages, TFLite runtime, models, configuration, cameras, permissions, network, disk, clock, heat and
the service, and says of each thing that is wrong what to do. It changes nothing and needs no root. What it says holds
for the user who asks; for the service: sudo -u emotion-edge /opt/emotion-edge/venv/bin/emotion-edge doctor

Exit status: 0 no fault, 1 a fault, 78 the configuration is refused.
"""


def add_doctor(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.description = ABOUT
    parser.add_argument("--json", action="store_true", help="print the report as JSON, for programs")
    parser.add_argument("--config", metavar="FILE", type=Path, help="TOML file with settings, as for `run`")
    parser.set_defaults(command=_doctor)


def _doctor(arguments: argparse.Namespace) -> int:
    from edge.cli import token_path  # noqa: PLC0415
    from edge.doctor import text  # noqa: PLC0415
    from edge.doctor.findings import counted, exit_of  # noqa: PLC0415
    from edge.doctor.here import here  # noqa: PLC0415
    from edge.doctor.runner import Examination, report  # noqa: PLC0415

    config = "" if arguments.config is None else str(arguments.config.absolute())
    visit = Examination(here(config, token_path().parent))
    if arguments.json:
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
