"""What a package tells of itself: its control file, its man page, whose work it holds."""

import re
from collections.abc import Sequence
from importlib.metadata import PathDistribution
from pathlib import Path

from deploy.debian.environment import MODELS
from deploy.debian.suites import Suite

_COMMAND = re.compile(r"^    (\w+) {2,}(\S.*)$", re.MULTILINE)
_WIDE = 48
"""Longest text of a licence field that is a name; some packages put the whole licence there."""


def control(template: str, suite: Suite, architecture: str, version: str, maintainer: str, size_kib: int) -> str:
    """The control file; `size_kib` is what the package takes when installed."""
    return template.format(
        version=version,
        architecture=architecture,
        maintainer=maintainer,
        size_kib=size_kib,
        glibc=suite.glibc,
        python=suite.python,
        next_python=suite.python + 1,
    )


def man_page(template: str, version: str, help_text: str) -> str:
    """The man page; `help_text` is what `emotion-edge --help` says, a line for each command."""
    commands = [f".TP\n.B {_escaped(name)}\n{_escaped(about)}" for name, about in _COMMAND.findall(help_text)]
    return template.format(version=version, commands="\n".join(commands))


def copyright_notice(template: str, site: str, packages: Sequence[PathDistribution]) -> str:
    """Debian's copyright file, with a line for each package of Python inside; `site` is where they lie."""
    rows = [(each.name, each.version, licence_of(each)) for each in packages if each.name != "emotion-edge"]
    bundled = "\n".join(f"  {name} {version}: {licence}" for name, version, licence in sorted(rows))
    return template.format(models=MODELS, site=site, bundled=bundled)


def packages_in(site: Path) -> list[PathDistribution]:
    """The packages of Python in a folder."""
    return [PathDistribution(folder) for folder in sorted(site.glob("*.dist-info"))]


def licence_of(package: PathDistribution) -> str:
    """Its licence's name as its makers give it, one way or another."""
    said = package.metadata
    for field in ("License-Expression", "License"):
        name = str(said[field] or "").strip()
        if name and "\n" not in name and len(name) <= _WIDE:
            return name
    classifiers = [text for text in said.get_all("Classifier") or () if text.startswith("License ::")]
    return " and ".join(text.rpartition(" :: ")[2] for text in classifiers) or "see its folder"


def _escaped(text: str) -> str:
    """For troff."""
    return text.replace("\\", "\\e").replace("-", "\\-")
