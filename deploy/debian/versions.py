"""Versions of Python packages as Debian writes them: dpkg puts them in the order that pip does."""

import re

from edge.errors import ConfigError

_VERSION = re.compile(
    r"(?P<release>\d+(?:\.\d+)*)(?P<stage>(?:a|b|rc)\d+)?(?:\.post(?P<post>\d+))?(?:\.dev(?P<dev>\d+))?"
)


def debian_version(version: str, number: int) -> str:
    """`0.2.0rc1` for Debian 12 → `0.2.0~rc1+deb12`: after 0.2.0~b3, before 0.2.0, and before the same for Debian 13.

    Args:
        version: as PEP 440 writes it.
        number: of Debian's release.

    Raises:
        ConfigError: it has an epoch or a local part, or is no version at all.
    """
    found = _VERSION.fullmatch(version)
    if found is None:
        raise ConfigError(
            f"the version {version!r} has no form for Debian; expected one like 1.2.3, 1.2.3rc1, 1.2.3.dev4"
        )
    text = found["release"]
    text += f"~{found['stage']}" if found["stage"] else ""
    text += f"+post{found['post']}" if found["post"] else ""
    # two tildes: before the first alpha
    text += f"~~dev{found['dev']}" if found["dev"] else ""
    return f"{text}+deb{number}"
