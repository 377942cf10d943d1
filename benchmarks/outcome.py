"""How a benchmark that is called by hand ends."""

import sys
from collections.abc import Callable

from edge.errors import EdgeError, exit_code


def outcome(body: Callable[[], None]) -> int:
    """0 done; 78 or 1 what was asked for cannot be done as asked, and stderr says why."""
    try:
        body()
    except EdgeError as error:
        print(f"error: {error}", file=sys.stderr)
        return exit_code(error)
    return 0
