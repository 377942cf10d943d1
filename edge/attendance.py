"""Whether anybody has use for the results: while nobody has, fewer frames need to be analysed."""

from collections.abc import Callable

from edge.ports import Clock

LINGER_NS = 5_000_000_000
"""After the last one has gone: who asks for a picture now and then is as good as there."""


def grown(count: Callable[[], int]) -> Callable[[], bool]:
    """Says whether a count has grown since it was asked last: for those who are gone before anybody looks."""
    before = count()

    def ask() -> bool:
        nonlocal before
        now = count()
        has_grown, before = now != before, now
        return has_grown

    return ask


class Attendance:
    """Asks all who may have use for the results. Owned by the thread that analyses."""

    def __init__(self, clock: Clock, *interests: Callable[[], bool]) -> None:
        """`interests`: each says whether somebody is there now, at no cost."""
        self._clock = clock
        self._interests = interests
        self._until_ns = clock() + LINGER_NS

    def __call__(self) -> bool:
        """Whether anybody is there, or was a moment ago."""
        now_ns = self._clock()
        # all are asked: some count from one time to the next
        if sum(interest() for interest in self._interests):
            self._until_ns = now_ns + LINGER_NS
        return now_ns < self._until_ns
