"""Debian systems that boot: what a device has on the day it is set up, without network and without the program.

They take a minute each to make and are kept. A boot writes to memory only: nothing written inside survives it.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.throwaway_systemd import Machine, boot
from tests.elsewhere import call, made, require_root
from tests.stages.roots import MERGED_USR, key
from tests.tools import require_tool

DEBIAN = ("adduser", "libstdc++6", "python3", "python3-venv", "systemd", "systemd-sysv")
"""Besides what is on every Debian."""
MACHINE_ID = "65d6f1ed6e0a4b0c9d1c1f2a7b3e5d90"
"""Without one systemd takes the boot for a first one, and asks at the console for names and passwords."""


def debian_root(cache: Path, suite: str, packages: Sequence[str] = ()) -> Path:
    """The folder of a system that boots; made unless it is there.

    Args:
        cache: where it is kept.
        suite: of Debian, "bookworm" or "trixie".
        packages: more of Debian's that are to be installed.
    """
    require_root("another userland is made and booted")
    require_tool("mmdebstrap", "apt-get install -y --no-install-recommends mmdebstrap")
    wanted = sorted({*DEBIAN, *packages})
    folder = cache / f"{suite}-{key(suite, *wanted, Path(__file__).read_text())}"
    with made(folder) as missing:
        if missing:
            options = ("--quiet", "--variant=minbase", MERGED_USR, f"--include={','.join(wanted)}")
            call("mmdebstrap", *options, suite, str(folder))
            (folder / "etc" / "machine-id").write_text(f"{MACHINE_ID}\n")
    return folder


@contextmanager
def booted(root: Path, binds: Mapping[Path, str] | None = None) -> Iterator[Machine]:
    """Boot it, up to basic.target and without network, and throw away at the end what was written.

    Args:
        root: made by `debian_root`; it stays as it is, so that it can be booted twice at a time.
        binds: folders of this machine → where they are seen inside, read-only. Inside, /tmp is empty.

    Raises:
        RuntimeError: it does not come up; the message holds its log.
    """
    require_tool("systemd-nspawn", "apt-get install -y --no-install-recommends systemd-container")
    with boot(binds or {}, root) as machine:
        yield machine
