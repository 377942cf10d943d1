"""Has all groups of checks made, and tells what they find in their order, as soon as it is known."""

import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from msgspec.structs import replace

from edge import __version__
from edge.doctor.asking import Reply, ask
from edge.doctor.findings import SCHEMA, Finding, Report, counted, exit_of
from edge.doctor.groups import FIRST, GROUPS, Group
from edge.doctor.world import World

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
        with ThreadPoolExecutor(AT_ONCE) as pool:
            learnt = dict(zip(FIRST, pool.map(lambda name: self._ask(GROUPS[name], world), FIRST), strict=True))
        settings, unit = (learnt[name].world for name in FIRST)
        self.world = replace(world, settings=settings.settings, unit=unit.unit)
        self._known = learnt

    def findings(self) -> Iterator[Finding]:
        """All of them, in the order of the groups."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for reply in pool.map(self._reply, GROUPS.values()):
                yield from reply.findings

    def _reply(self, group: Group) -> Reply:
        known = self._known.get(group.name)
        return known or self._ask(group, self.world)


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
