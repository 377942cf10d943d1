"""The command line: which command it is, and how it ends. Only this and the commands print."""

import argparse
import errno
import logging
import os
import sys
from collections.abc import Sequence
from typing import Final, NoReturn

from edge import startup
from edge.errors import EXIT_CONFIG, EXIT_FAULT, EdgeError, exit_code
from edge.output import discard_output

_FULL: Final = (errno.ENOSPC, errno.EDQUOT)
"""What writing ends with where there is no room, or none for this user."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Returns:
        0 clean, 1 fault (a restart may help), 78 configuration (it does not).
    """
    startup.spare_threads()
    arguments = _parser().parse_args(argv)
    try:
        code: int = arguments.command(arguments)
        if sys.stdout is not None:
            sys.stdout.flush()
    except EdgeError as error:
        if not _told_systemd(error):
            print(f"emotion-edge: {error}", file=sys.stderr)
        return exit_code(error)
    except KeyboardInterrupt:
        return 0
    except BrokenPipeError:
        discard_output()  # the reader (`| head`) has what it wanted
        return 0
    except OSError as error:
        if error.errno not in _FULL or error.filename is not None:
            raise
        discard_output()
        print(f"emotion-edge: what it has to say cannot be written: {error.strerror}; make room", file=sys.stderr)
        return EXIT_FAULT
    return code


def _told_systemd(error: EdgeError) -> bool:
    """Say why the program ends where a service's owner looks, `systemctl status` and the journal; whether it was there.

    Most starts have nothing to do with systemd, and need not load what speaks with it.
    """
    if "NOTIFY_SOCKET" in os.environ:
        from edge.notify import Notifier  # noqa: PLC0415

        Notifier().status(str(error))
    if "JOURNAL_STREAM" not in os.environ:
        return False
    from edge import journal, logs  # noqa: PLC0415

    if not journal.is_journal(journal.STDERR):
        return False
    logs.setup("info", "auto")
    logs.event(logging.getLogger("edge"), logging.ERROR, "run.refused", str(error), exit=exit_code(error))
    return True


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="emotion-edge",
        description="Watches a camera, finds faces, names each face's apparent expression and shows it live.",
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show versions and exit")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    from edge.cli_run import add_run  # noqa: PLC0415  # what they load must come after `startup.spare_threads`

    add_run(commands.add_parser("run", help="watch a camera or a file and show it live"))
    from edge.cli_analyze import add_analyze  # noqa: PLC0415

    add_analyze(commands.add_parser("analyze", help="read the faces on pictures and videos"))
    from edge.cli_models import add_models  # noqa: PLC0415

    add_models(commands.add_parser("models", help="list, fetch, verify and inspect model files"))
    from edge.cli_sources import add_sources  # noqa: PLC0415

    add_sources(commands.add_parser("sources", help="list the cameras that are there, and the URI of each"))
    from edge.cli_config import add_config  # noqa: PLC0415

    add_config(commands.add_parser("config", help="check, show and explain the configuration"))
    from edge.cli_bench import add_bench  # noqa: PLC0415

    add_bench(commands.add_parser("bench", help="measure this device"))
    from edge.cli_doctor import add_doctor  # noqa: PLC0415

    add_doctor(commands.add_parser("doctor", help="say what is wrong with this machine, and what to do about it"))
    return parser


class _Parser(argparse.ArgumentParser):
    """A mistyped argument is a configuration error like any other: a service must not be restarted for it."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(EXIT_CONFIG, f"{self.prog}: {message}\n")


class _Version(argparse.Action):
    """Looks versions up only when asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object, **__: object) -> None:
        from edge.versions import version_text  # noqa: PLC0415

        print(version_text())
        parser.exit()
