"""The machine that this runs on, as a `tests.service.Machine`."""

import subprocess
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path


class Here:
    """Run by root in a machine of its own."""

    def run(
        self, *command: str | Path, check: bool = True, timeout_s: float = 60.0
    ) -> subprocess.CompletedProcess[bytes]:
        """See `tests.service.Machine`."""
        done = subprocess.run(
            [*map(str, command)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=timeout_s,
            check=False,
            cwd="/",
        )
        printed = (done.stdout + done.stderr).decode(errors="replace")
        assert not check or done.returncode == 0, f"{command} ended with {done.returncode}: {printed}"
        return done

    def text(self, *command: str | Path, check: bool = True) -> str:
        """See `tests.service.Machine`."""
        done = self.run(*command, check=check)
        return (done.stdout + done.stderr).decode().strip()

    def write(self, path: str, text: str) -> None:
        """See `tests.service.Machine`."""
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def network(self) -> AbstractContextManager[None]:
        """See `tests.service.Machine`."""
        return nullcontext()
