"""A Ray cluster on this machine: each node is a few processes, with an address of its own on the loopback."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psutil

from edge.batch.ray_node import Order, perform
from edge.batch.shares import Share

START_S = 60.0
DEADLY_S = 20.0
"""The segment that begins there kills whoever takes it: see `dying`."""
# a node that is gone is noticed within two seconds, not half a minute
QUICK = '{"health_check_initial_delay_ms":1000,"health_check_period_ms":500,"health_check_failure_threshold":3}'


class Node:
    """One machine of it, as far as Ray can tell; with one processor core."""

    def __init__(self, address: str, head: str | None, folder: Path) -> None:
        """`head`: whose node it is; None: it is the head."""
        self.address = address
        command = [sys.executable, "-m", "ray.scripts.scripts", "start", "--block", "--num-cpus=1", "--num-gpus=0"]
        command += [f"--node-ip-address={address.partition(':')[0]}", f"--temp-dir={folder}", "--disable-usage-stats"]
        command += ["--object-store-memory=80000000", "--min-worker-port=0", "--max-worker-port=0"]
        if head is None:
            port = address.partition(":")[2]
            command += ["--head", f"--port={port}", "--include-dashboard=false", f"--system-config={QUICK}"]
        else:
            command += [f"--address={head}"]
        self._log = folder / f"{address.partition(':')[0]}.log"
        with self._log.open("wb") as log:
            # its own session: a Ctrl-C for the tests is not one for the cluster
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, env=environment()
            )

    def processes(self) -> list[psutil.Process]:
        """All that belong to it."""
        try:
            own = psutil.Process(self._process.pid)
            return [own, *own.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def at_work(self) -> bool:
        """Whether one of its processes has a share."""
        for process in self.processes():
            try:
                # what Ray calls a process while that is what it does
                if any(word.startswith("ray::perform") for word in process.cmdline()):
                    return True
            except psutil.Error:
                continue
        return False

    def kill(self) -> None:
        """Pull the plug."""
        found = self.processes()
        for process in found:
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue
        psutil.wait_procs(found, timeout=START_S)
        self._process.wait(START_S)

    def told(self) -> str:
        """What it wrote."""
        return self._log.read_text(errors="replace")


class Cluster:
    """Two nodes; a driver on this machine belongs to the first, which is the head."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder = folder
        self._stack = stack
        self._count = 1
        with socket.create_server(("127.0.0.2", 0)) as server:
            self.address = f"127.0.0.2:{server.getsockname()[1]}"
        self.head = Node(self.address, None, folder)
        stack.callback(self.head.kill)
        self._wait(self.head, lambda: _answers(self.address))
        self.other = self.add()

    def add(self) -> Node:
        """One more node, in place of `other`."""
        self._count += 1
        self.other = Node(f"127.0.0.{self._count + 1}", self.address, self._folder)
        self._stack.callback(self.other.kill)
        self._wait(self.other, lambda: "Ray runtime started" in self.other.told())
        return self.other

    def _wait(self, node: Node, ready: Callable[[], bool]) -> None:
        end_s = time.monotonic() + START_S
        while not ready():
            assert node.processes(), node.told()
            assert time.monotonic() < end_s, node.told()
            time.sleep(0.05)


@contextmanager
def cluster() -> Iterator[Cluster]:
    """It is there for as long as the context lasts."""
    # the paths of Ray's sockets are below it, and may have 107 bytes
    folder = Path(tempfile.mkdtemp(prefix="ray-", dir="/tmp"))
    try:
        with ExitStack() as stack:
            yield Cluster(folder, stack)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def environment() -> dict[str, str]:
    """Without what would lead to another cluster; nothing is reported to anybody."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    return {**kept, "RAY_USAGE_STATS_ENABLED": "0", "PYTHONPATH": str(Path(__file__).parents[1])}


def dying(order: Order, share: Share, size_b: int | None) -> Any:
    """In place of `perform`: one segment brings its process down, whenever it is tried."""
    if share.segment.begin_s == DEADLY_S:
        os._exit(1)
    return perform(order, share, size_b)


def _answers(address: str) -> bool:
    host, _, port = address.partition(":")
    try:
        socket.create_connection((host, int(port)), 1.0).close()
    except OSError:
        return False
    return True
