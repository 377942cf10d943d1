"""Which states a running program went through, and when."""

import threading
import time
from dataclasses import dataclass
from typing import Any

from tests.e2e.program import Program

EVERY_S = 0.1


@dataclass(frozen=True, slots=True)
class Moment:
    """A change.

    Attributes:
        at_s: on the monotonic clock.
        state: of the source.
        reason: for it.
    """

    at_s: float
    state: str
    reason: str


class History:
    """Asks for `/state` again and again, on a thread of its own, and notes each change of the source's state."""

    def __init__(self, program: Program, url: str) -> None:
        self._program = program
        self._url = url
        self._moments: list[Moment] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def since(self, at_s: float) -> list[Moment]:
        """All changes from then on, after the state that lasted then."""
        before = [moment for moment in self._moments if moment.at_s <= at_s][-1:]
        return before + [moment for moment in self._moments if moment.at_s > at_s]

    def wait(self, state: str, after_s: float, within_s: float = 60.0, reason: str = "") -> Moment:
        """The first change to `state` after a time, with `reason` in its reason.

        Raises:
            AssertionError: it does not come in time.
        """
        end_s = time.monotonic() + within_s
        while time.monotonic() < end_s:
            for moment in list(self._moments):
                if moment.at_s > after_s and moment.state == state and reason in moment.reason:
                    return moment
            time.sleep(EVERY_S / 2)
        seen = [f"{moment.state} ({moment.reason})" for moment in self.since(after_s)]
        raise AssertionError(f"no '{state}' with '{reason}' within {within_s:.0f} s, but {seen}")

    def words(self, after_s: float) -> str:
        """For people: `online → reconnecting → online`."""
        states = [moment.state for moment in self.since(after_s)]
        return " → ".join(state for number, state in enumerate(states) if number == 0 or state != states[number - 1])

    def close(self) -> None:
        """Ask no more."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        last: tuple[str, str] | None = None
        while not self._stop.wait(EVERY_S):
            try:
                source: dict[str, Any] = self._program.state(self._url)["source"]
            except OSError:  # it is stopping
                continue
            if (source["state"], source["reason"]) != last:
                last = source["state"], source["reason"]
                self._moments.append(Moment(time.monotonic(), *last))
