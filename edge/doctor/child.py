"""The process that makes one group of checks: told on standard input, answers on standard output, and ends."""

import importlib
import os
import signal
import sys
from contextlib import suppress
from typing import NoReturn

import msgspec

from edge.doctor.asking import Order, Reply
from edge.doctor.groups import GROUPS


def main() -> NoReturn:
    """Make them."""
    answer = os.dup(1)
    os.dup2(2, 1)  # native libraries print where they like
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=Order)
    _bound(order.limit_s)
    with suppress(OSError):  # it may be closed to this user
        os.chdir(order.world.folder or os.curdir)
    module = importlib.import_module(f"edge.doctor.{GROUPS[order.group].module}")
    world = module.learn(order.world) if hasattr(module, "learn") else order.world
    reply = Reply(tuple(module.check(world)), world)
    with os.fdopen(answer, "wb") as out:
        out.write(msgspec.json.encode(reply))
    # at once: what native libraries do at their end is no finding, and a camera's thread may never come back
    os._exit(0)


def _bound(limit_s: float) -> None:
    """End by itself, should the doctor be gone; and leave no core, which might hold a picture."""
    if not hasattr(signal, "alarm"):
        return
    import resource  # noqa: PLC0415 (POSIX only)

    signal.alarm(int(limit_s) + 5)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    main()
