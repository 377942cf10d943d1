"""Has all groups of checks made, and tells what they find in their order, as soon as it is known."""

import os
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Final

from msgspec.structs import replace

from edge import __version__
from edge.doctor.asking import Reply, ask
from edge.doctor.findings import SCHEMA, Finding, Report, counted, exit_of
from edge.doctor.groups import FIRST, GROUPS, Group
from edge.doctor.world import Settings, World

AT_ONCE: Final = 2
"""Processes; each may take 100 MB, and a Pi Zero 2 has 512."""

Ask = Callable[[Group, World], Reply]


class Examination:
    """One visit.

    Attributes:
        world: what is looked at; what was learnt first is in it.
    """

    def __init__(self, world: World, environment: Mapping[str, str] = os.environ, ask: Ask | None = None) -> None:
        """Learn the configuration and the state of the service.

        Args:
            world: what to look at.
            environment: of the processes.
            ask: has a group of checks made.
        """
        self._ask = ask or ask_in(environment)
        self.world = world
        for name in FIRST:
            self._known = self._ask(GROUPS[name], self.world)
            self.world = self._known.world
        hung = [finding for finding in self._known.findings if finding.code == GROUPS[FIRST[-1]].hung]
        if hung:  # who asks for the file once more waits as long again
            settings = Settings(file=world.config, problem=hung[0].found, refused=hung[0].code)
            self.world = replace(self.world, settings=settings)

    def findings(self) -> Iterator[Finding]:
        """All of them, in the order of the groups."""
        faulty = False
        with closing(_two_at_once(self._reply, GROUPS.values())) as replies:
            for finding in (finding for reply in replies for finding in reply.findings):
                # no fault stands above that it could be the consequence of: it is one itself
                alone = finding.code == "check-failed" and not faulty
                told = replace(finding, severity="fault") if alone else finding
                faulty = faulty or told.severity == "fault"
                yield told

    def _reply(self, group: Group) -> Reply:
        return self._known if group.name == FIRST[-1] else self._ask(group, self.world)


def _two_at_once(ask: Callable[[Group], Reply], groups: Iterable[Group]) -> Generator[Reply, None, None]:
    """The replies in order; one after the other where no thread can be had. Who stops half-way waits for none."""
    pool = ThreadPoolExecutor(AT_ONCE)
    try:
        try:
            replies = pool.map(ask, groups)
        except RuntimeError:
            pool.shutdown(wait=False, cancel_futures=True)
            replies = map(ask, groups)
        yield from replies
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def ask_in(environment: Mapping[str, str]) -> Ask:
    """Asks in processes with that environment."""
    return lambda group, world: ask(group, world, environment)


def report(world: World, findings: tuple[Finding, ...]) -> Report:
    """What was found, counted and judged."""
    return Report(
        SCHEMA,
        __version__,
        world.user.name,
        world.python.prefix,
        world.settings.file,
        findings,
        counted(findings),
        exit_of(findings),
    )
