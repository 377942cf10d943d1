"""The machine that this runs on, as a `tests.service.Machine`."""

import subprocess
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from tests.ran import printed, ran


class Here:
    """Run by root in a machine of its own."""

    def run(
        self, *command: str | Path, check: bool = True, timeout_s: float = 60.0
    ) -> subprocess.CompletedProcess[bytes]:
        """See `tests.service.Machine`."""
        return ran(*command, check=check, timeout_s=timeout_s)

    def text(self, *command: str | Path, check: bool = True) -> str:
        """See `tests.service.Machine`."""
        return printed(self.run(*command, check=check))

    def write(self, path: str, text: str) -> None:
        """See `tests.service.Machine`."""
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def network(self) -> AbstractContextManager[None]:
        """See `tests.service.Machine`."""
        return nullcontext()
