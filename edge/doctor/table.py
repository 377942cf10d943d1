"""The manual's page on what can be wrong: `python -m edge.doctor.table >docs/troubleshooting.md` writes it anew."""

import sys
import textwrap
from collections.abc import Iterator
from itertools import groupby
from string import Formatter
from typing import Final

from edge.doctor.codes import ENTRIES
from edge.doctor.entries import Entry

HEADINGS: Final = {
    "python": "Python and processor",
    "environment": "Environment",
    "packages": "Packages",
    "runtime": "TFLite runtime",
    "models": "Models",
    "cameras": "Cameras",
    "access": "Permissions",
    "machine": "Power, heat, disk, clock",
    "configuration": "Configuration",
    "network": "Network",
    "service": "Service",
    "doctor": "The doctor itself",
}
"""Of the areas, in their order."""
SLOTS: Final = {
    "python": "PYTHON",
    "program": "emotion-edge",
    "fetch": "emotion-edge models fetch",
    "remake": "make clean setup",
    "reinstall": "sudo sh deploy/install.sh",
    "as_service": "sudo -u emotion-edge /opt/emotion-edge/venv/bin/emotion-edge",
}
"""What stands in the manual where the doctor fills in what fits the machine; other slots as their name in capitals."""
WIDTH: Final = 118
"""Of the page's text, in columns."""
INTRODUCTION: Final = """\
# Troubleshooting

```
sudo -u emotion-edge emotion-edge doctor     # of the service
emotion-edge doctor                          # of a program you start yourself; in a checkout: .venv/bin/emotion-edge
```

looks at everything the program stands on and says of each thing that is wrong what was found, what was expected and
what to do, with the command to type. It changes nothing, needs no root and no systemd, takes some seconds (up to a
minute where a camera is silent), and never shows a picture, a token or a password.

What it says holds for the user and the environment that it runs in: permissions are a user's own, packages an
environment's. So the service's findings are had by asking as the service, whose configuration no other user may
read. It reads the configuration that `run` would read, or the one given with `--config FILE`. Unless the service runs
and has the camera, it takes one picture from it, looks at nothing in it and keeps nothing. What the unit gives the
program besides, flags in `ExecStart=` and settings in `Environment=`, it does not see.

| exit status | meaning |
| --- | --- |
| 0 | no fault; there may be warnings and notes |
| 1 | a fault |
| 78 | the configuration is refused, as `run` would refuse it; everything else was looked at with the default settings |
| 130 | it was interrupted |

`--json` prints the same for programs: `schema` (of this layout, 1), `version`, `user`, `program`, `config`, `counts`
by severity, `exit`, and `findings`, each with `code`, `severity`, `area`, `title`, `found`, `expected`, `fix` and
`command`. Codes keep their meaning from one version to the next.

Each group of checks runs in a process of its own for a limited time: a library that crashes and a camera that hangs
are findings.

Severities: a *fault* keeps the program from working, with a *warning* it works badly or not for long, a *note* is
good to know. What is well has a code that ends in `-ok` or says so, and is not listed here. In commands `PYTHON` is
the environment's own: `/opt/emotion-edge/venv/bin/python` of the service (with `sudo`), `.venv/bin/python` of a
checkout. `make clean setup` is for a checkout; the service's environment is made anew by `sudo sh deploy/install.sh`,
that of a package by `sudo apt-get install --reinstall ./emotion-edge_….deb`.
"""


def page() -> str:
    """All of it, as Markdown."""
    parts = [INTRODUCTION]
    areas = list(HEADINGS)
    listed = sorted((entry for entry in ENTRIES if entry.severity != "ok"), key=lambda entry: areas.index(entry.area))
    for area, entries in groupby(listed, key=lambda entry: entry.area):
        parts.append(f"\n## {HEADINGS[area]}\n")
        for entry in entries:
            parts += _section(entry)
    return "".join(parts)


def _section(entry: Entry) -> Iterator[str]:
    yield f"\n### {entry.code}\n\n"
    told = f"*{entry.severity.capitalize()}.* {entry.title}. Expected: {entry.expected}. {entry.fix}"
    yield textwrap.fill(filled(told), WIDTH, break_on_hyphens=False, break_long_words=False) + "\n"
    if entry.command:
        yield f"\nTo type: `{filled(entry.command)}`\n"


def filled(text: str) -> str:
    """A text of the table as the manual has it."""
    names = {name for _, name, _, _ in Formatter().parse(text) if name}
    return text.format(**{name: SLOTS.get(name, name.upper()) for name in names})


if __name__ == "__main__":
    sys.stdout.write(page())
