"""What the tests of failing sources share: limits, and the rows of the table that they print."""

import socket

from tests.rig import Held, Rig

SILENCE_S = 1.6
"""After this a silent stream is given up: later than it is called stalled."""
GROWTH_MB = 24
"""The most that one failure may leave behind."""
HEADING = f"{'fault':<34}{'states':<64}{'noticed':>9}{'back':>8}{'RSS':>10}"


def row(name: str, rig: Rig, noticed_s: float | None, back_s: float | None, before: Held) -> str:
    """One fault: the states it led through, seconds until it was noticed and until it was over, and what it cost."""
    times = "".join(f"{'–' if s is None else f'{s:.2f} s':>9}" for s in (noticed_s, back_s))
    return f"{name:<34}{' → '.join(rig.capture.states):<64}{times}{Held().rss_mb - before.rss_mb:>+7.1f} MB"


def free_port() -> int:
    """Of this machine, where nobody listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])
