"""Has shares done by a Ray cluster that is there already: Ray finds nodes, tries again, and carries the results."""

import io
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, redirect_stdout, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import msgspec
from msgspec.structs import replace

from edge.batch.ray_node import Order, Refusal, parts, perform
from edge.batch.settings import BatchSettings
from edge.batch.shares import Piece, Share
from edge.batch.video import Progress
from edge.config import Config
from edge.errors import ConfigError, PermanentError

RETRIES: Final = 3
"""Of a share whose process or node was lost."""
POLL_S: Final = 0.2
"""Between two looks whether to end."""
COUNT_S: Final = 5.0
"""Between two looks how large the cluster is; nodes come and go."""
AHEAD: Final = 4
"""Shares begun for each core: they are finished in order, and one may take longer than others."""
CONNECT_S: Final = 5.0
MOST_DIGITS: Final = 5
"""Of a port."""

log = logging.getLogger(__name__)


class RayEngine:
    """An `Engine`: a cluster, as a context, in which nobody writes to `sys.stdout`. One at a time in a process.

    Attributes:
        notice: how large the cluster is.
    """

    def __init__(self, settings: BatchSettings, address: str | None = None, work: Callable[..., Any] = perform) -> None:
        """Join the cluster.

        Args:
            settings: what to do.
            address: of the cluster's head, HOST:PORT; None: `RAY_ADDRESS`, else the cluster this machine is a node of.
            work: what nodes call for each share, see `perform`.

        Raises:
            ConfigError: Ray is not installed, there is no cluster, it runs other versions, or a model cannot be read.
        """
        address = address or os.environ.get("RAY_ADDRESS") or "auto"
        self._ray = _ray()
        self._order = _order(settings)
        _join(self._ray, address)
        self._work = self._ray.remote(num_cpus=1, max_retries=RETRIES, scheduling_strategy="SPREAD")(work)
        self._begun: dict[Any, Share] = {}
        self._quiet = ExitStack()
        self._cores = 0
        self._counted_s = -COUNT_S
        nodes, cores = sum(bool(node["Alive"]) for node in self._ray.nodes()), self._count()
        self.notice = f"Ray: {nodes} {'node' if nodes == 1 else 'nodes'}, {cores} processor cores."
        if not cores:
            self.notice += " The work waits until there is one."

    def ahead(self) -> int:
        """See `Engine`."""
        return max(AHEAD * self._count(), 2 * AHEAD)

    def begin(self, share: Share) -> object:
        """See `Engine`."""
        try:
            size_b: int | None = Path(share.path).stat().st_size
        except OSError:
            size_b = None
        begun = self._work.remote(self._order, share, size_b)
        self._begun[begun] = share
        return begun

    def result(
        self,
        begun: object,
        progress: Callable[[Progress], None],  # noqa: ARG002  # a share tells when it is done
        cancelled: Callable[[], bool],
    ) -> Piece | Exception | None:
        """See `Engine`.

        Raises:
            ConfigError: a node cannot take part.
        """
        while not self._ray.wait([begun], timeout=POLL_S)[0]:
            if cancelled():
                return None
        share = self._begun.pop(begun)
        try:
            found = self._ray.get(begun)
        except self._ray.exceptions.RayTaskError as error:
            raise ConfigError(
                f"a node of the Ray cluster cannot run emotion-edge: {_last_line(error)}; install the version that is "
                "here in the Python that runs Ray there"
            ) from error
        except (self._ray.exceptions.WorkerCrashedError, self._ray.exceptions.NodeDiedError) as error:
            return PermanentError(
                f"{_which(share)} was given up: the process or node that had it was lost, and in {RETRIES} more tries "
                f"too; at last: {type(error).__name__}: {_first_line(error)}"
            )
        except self._ray.exceptions.RayError as error:
            return PermanentError(
                f"{_which(share)} was given up by Ray, the same command tries again: {type(error).__name__}: "
                f"{_first_line(error)}"
            )
        if isinstance(found, Refusal):
            if found.by_node:
                raise ConfigError(found.reason)
            return PermanentError(found.reason)
        assert isinstance(found, Piece)
        return found

    def drop(self, begun: object) -> None:
        """See `Engine`."""
        if self._begun.pop(begun, None) is not None:
            self._ray.cancel(begun, force=True)

    def close(self) -> None:
        """Call back what is not done, and leave the cluster."""
        try:
            for begun in list(self._begun):
                self.drop(begun)
        finally:
            self._ray.shutdown()

    def __enter__(self) -> Self:
        # among records on standard output it would tell of each process that was lost
        self._quiet.enter_context(redirect_stdout(_Murmur()))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._quiet:
            self.close()

    def _count(self) -> int:
        """Cores of the cluster, as of late."""
        if time.monotonic() - self._counted_s >= COUNT_S:
            self._cores = int(self._ray.cluster_resources().get("CPU", 0))
            self._counted_s = time.monotonic()
        return self._cores


class _Murmur(io.TextIOBase):
    """Takes what Ray says in passing to the log."""

    def write(self, text: str) -> int:
        """See `io.TextIOBase`."""
        if text.strip():
            log.debug("Ray: %s", text.strip())
        return len(text)


def _ray() -> Any:
    # before Ray is loaded, which reads it then: no telemetry, of a cluster that others started neither
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray  # noqa: PLC0415
        import ray.exceptions  # noqa: PLC0415
    except ImportError as error:
        raise ConfigError(f"--engine ray needs Ray ({error}); pip install 'emotion-edge[ray]'") from error
    logging.getLogger("ray").setLevel(logging.ERROR)
    return ray


def _order(settings: BatchSettings) -> Order:
    config = settings.config
    # the rest has secrets in it
    needed = replace(settings, config=Config(detector=config.detector, expression=config.expression))
    content = msgspec.json.encode(needed)
    try:
        return Order(content, str(Path.cwd()), parts(content))
    except OSError as error:
        raise ConfigError(f"the model {error.filename} cannot be read: {error.strerror}; check the path") from error


def _join(ray: Any, address: str) -> None:
    """Become part of a cluster, and never start one.

    Raises:
        ConfigError: there is none at that address, or it cannot be joined.
    """
    host, _, port = address.rpartition(":")
    no_address = (
        "--address (or RAY_ADDRESS) is HOST:PORT of a Ray cluster's head, such as 10.0.0.1:6379, or auto; found "
        f"{address!r}"
    )
    if address != "auto" and not (host and port.isdecimal() and len(port) <= MOST_DIGITS and "/" not in host):
        raise ConfigError(no_address)
    advice = (
        "start one with `ray start --head`, make other machines its nodes, and this one too, with "
        "`ray start --address=HOST:6379`, or name another with --address"
    )
    if address != "auto":
        try:  # Ray itself would try for minutes
            socket.create_connection((host.strip("[]"), int(port)), CONNECT_S).close()
        except UnicodeError as error:  # of a host that cannot be one
            raise ConfigError(no_address) from error
        except OSError as error:
            raise ConfigError(f"there is no Ray cluster at {address} ({error.strerror or error}); {advice}") from error
    handler = signal.getsignal(signal.SIGTERM)
    try:
        ray.init(address=address, log_to_driver=False, configure_logging=False)
    except (ray.exceptions.RayError, ConnectionError, RuntimeError, TimeoutError, ValueError) as error:
        text = str(error)
        if "Version mismatch" in text:
            raise ConfigError(
                f"the Ray cluster runs other versions than this machine, {sys.executable}: "
                f"{' '.join(text.split())}; install the same Ray and Python on all of them"
            ) from error
        where = "that this machine is a node of" if address == "auto" else f"at {address} that can be joined"
        raise ConfigError(f"there is no Ray cluster {where} ({_first_line(error)}); {advice}") from error
    finally:
        with suppress(ValueError):  # another thread than the first, in which Ray sets none either
            signal.signal(signal.SIGTERM, handler)  # Ray's own would end without keeping what was done


def _which(share: Share) -> str:
    segment = share.segment
    if share.kind == "picture" or (not segment.begin_s and segment.end_s is None):
        return "it"
    end = "its end" if segment.end_s is None else f"{segment.end_s:g} s"
    return f"the segment from {segment.begin_s:g} s to {end}"


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or ["no message"])[0][:300]


def _last_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or ["no message"])[-1][:300]
