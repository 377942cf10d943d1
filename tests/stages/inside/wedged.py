"""`emotion-edge`, with parts that fail once they are told to: what the product itself has no means for.

    python -m tests.stages.inside.wedged run

A file in the state directory tells which: `wedge-infer`, `wedge-capture`, `wedge-present` and `wedge-loop` let that
part wait for ever, `wedge-crash` raises in the analysis what nobody expects, `wedge-hoard` takes memory without end,
`wedge-hoarding-child` has another process do so. The file is removed first, so that the next start is sound. SILENT_S
shortens how long a worker may be silent.
"""

import functools
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from edge import startup

CHUNK = 8 << 20
CHILD = """
from pathlib import Path
from tests.stages.inside.wedged import hoard
Path("/proc/self/oom_score_adj").write_text("1000")
hoard()
"""
"""As the processes do that read what was sent: they are to be the first to go."""


def forever() -> None:
    """Wait for what never comes."""
    threading.Event().wait()


def crash() -> None:
    """What no worker reckons with."""
    raise ZeroDivisionError("this is a test")


def hoard() -> None:
    """Take memory, and use it, until somebody ends this."""
    held = []
    while True:
        held.append(os.urandom(4096) * (CHUNK // 4096))


def hoard_in_child() -> None:
    """Have another process take memory until somebody ends it."""
    subprocess.Popen([sys.executable, "-c", CHILD])


def fail_when_told(owner: type, method: str, what: dict[str, Callable[[], None]]) -> None:
    """Look, before each call of a method, whether a file tells it to fail."""
    original = getattr(owner, method)
    folder = Path(os.environ["STATE_DIRECTORY"])

    @functools.wraps(original)
    def failing(*arguments: Any, **named: Any) -> Any:
        for name, fault in what.items():
            told = folder / f"wedge-{name}"
            if told.exists():
                told.unlink()
                fault()
        return original(*arguments, **named)

    setattr(owner, method, failing)


def main() -> int:
    """Exit status."""
    startup.spare_threads()
    from edge import cli, supervisor
    from edge.pipeline import Pipeline
    from edge.press import Press
    from edge.sources.demo import DemoSource

    fail_when_told(
        Pipeline, "step", {"infer": forever, "crash": crash, "hoard": hoard, "hoarding-child": hoard_in_child}
    )
    fail_when_told(DemoSource, "read", {"capture": forever})
    fail_when_told(Press, "print_scene", {"present": forever})
    fail_when_told(supervisor.Supervisor, "alive", {"loop": forever})
    if "SILENT_S" in os.environ:
        supervisor.SILENT_S = float(os.environ["SILENT_S"])
    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
