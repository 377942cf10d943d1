"""Commands that tests run, with what they printed."""

import subprocess
from pathlib import Path


def ran(*command: str | Path, check: bool, timeout_s: float) -> subprocess.CompletedProcess[bytes]:
    """Run a command to its end; its standard output and standard error are kept.

    Raises:
        AssertionError: `check`, and its exit status is not 0; the message holds what it printed.
    """
    done = subprocess.run(
        [*map(str, command)], stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout_s, check=False, cwd="/"
    )
    assert not check or done.returncode == 0, f"{command} ended with {done.returncode}: {printed(done)}"
    return done


def printed(done: subprocess.CompletedProcess[bytes]) -> str:
    """What a command printed, on both channels."""
    return (done.stdout + done.stderr).decode(errors="replace").strip()
