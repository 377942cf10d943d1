"""Secrets that the service manager hands over: files in a folder that only this service can read (systemd.exec(5))."""

import os
from collections.abc import Mapping
from pathlib import Path

from edge.errors import ConfigError

FOLDER_VARIABLE = "CREDENTIALS_DIRECTORY"
"""Set by systemd where the unit has `LoadCredential=` or `SetCredential=`."""


def credential(name: str, environment: Mapping[str, str] = os.environ) -> str | None:
    """A secret by its name in the unit; None where the service manager hands none of that name over.

    Args:
        name: `token`, `mqtt-password`.
        environment: where systemd says in which folder they lie.

    Returns:
        The text of the file, without white space around it.

    Raises:
        ConfigError: there is one, and it is empty or cannot be read.
    """
    folder = environment.get(FOLDER_VARIABLE)
    if not folder:
        return None
    path = Path(folder) / name
    try:
        secret = path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(
            f"cannot read the credential {path}: {error.strerror}; see LoadCredential in the unit"
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"the credential {name} is no text in UTF-8; expected one line, as `cat` shows it") from error
    if not secret:  # the unit's `SetCredential=` stands in for a file that is not there
        raise ConfigError(
            f"the credential {name} is empty: the file that LoadCredential={name}:… names in the unit is missing or "
            f"empty; write it (`systemctl cat emotion-edge` tells its path), readable by root only, and restart"
        )
    return secret
