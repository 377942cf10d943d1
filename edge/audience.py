"""Who is watching what. The encoder sleeps while nobody does."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from edge.slot import LatestSlot
from edge.types import JpegPacket
from edge.variants import DEFAULT, Variant


class TooManyVariants(Exception):
    """One more kind of picture than may be encoded at once was asked for."""

    def __init__(self, limit: int, in_use: tuple[Variant, ...]) -> None:
        """`limit`: the default picture's place included; `in_use`: what the other places are taken by."""
        super().__init__(f"{limit} kinds of picture at once are allowed")
        self.limit = limit
        self.in_use = in_use


class Showing:
    """One kind of picture while somebody watches it.

    Attributes:
        variant: which.
        jpegs: its newest picture; closed when it will not be shown any more.
        viewers: how many watch it.
        interval_ns: of the fastest viewer: it need not be encoded more often; 0: each scene.
        open_ns: when it may be encoded again; the presenter's own.
    """

    def __init__(self, variant: Variant) -> None:
        self.variant = variant
        self.jpegs: LatestSlot[JpegPacket] = LatestSlot()
        self.viewers = 0
        self.interval_ns = 0
        self.open_ns = 0
        self._intervals_ns: list[int] = []

    def enter(self, interval_ns: int) -> None:
        """One more watches."""
        self._intervals_ns.append(interval_ns)
        self._count()

    def leave(self, interval_ns: int) -> None:
        """One who came with that interval has gone."""
        self._intervals_ns.remove(interval_ns)
        self._count()

    def _count(self) -> None:
        self.viewers = len(self._intervals_ns)
        self.interval_ns = min(self._intervals_ns, default=0)


class Audience:
    """Counts the viewers of each kind of picture; the presenter waits for the first one.

    Attributes:
        default: the default picture, watched or not.
        showings: what is watched now, the default picture first; replaced as a whole.
        readers: how many of the viewers want the result with the picture.
        arrivals: viewers so far, those who have gone included.
    """

    def __init__(self, max_variants: Callable[[], int] = lambda: 4) -> None:
        """`max_variants`: kinds of picture at once, asked anew each time; one place is the default picture's."""
        self._max_variants = max_variants
        self._changed = threading.Condition()
        self._count = 0
        self.default = Showing(DEFAULT)
        self.showings: tuple[Showing, ...] = ()
        self.readers = 0
        self.arrivals = 0

    @contextmanager
    def watching(
        self, variant: Variant = DEFAULT, interval_s: float = 0.0, *, results: bool = False
    ) -> Iterator[Showing]:
        """Be a viewer for as long as the context lasts.

        Args:
            variant: of what.
            interval_s: a picture so often is enough; 0: of each scene.
            results: whether the result is wanted with the picture.

        Raises:
            TooManyVariants: all places are taken by others.
        """
        interval_ns = round(interval_s * 1e9)
        with self._changed:
            showing = self._showing(variant)
            showing.enter(interval_ns)
            self._count += 1
            self.arrivals += 1
            self.readers += results
            self._changed.notify_all()
        try:
            yield showing
        finally:
            with self._changed:
                showing.leave(interval_ns)
                self._count -= 1
                self.readers -= results
                if not showing.viewers:
                    self.showings = tuple(one for one in self.showings if one is not showing)

    def _showing(self, variant: Variant) -> Showing:
        for showing in self.showings:
            if showing.variant == variant:
                return showing
        if variant == DEFAULT:
            self.showings = (self.default, *self.showings)
            return self.default
        others = tuple(showing.variant for showing in self.showings if showing.variant != DEFAULT)
        limit = self._max_variants()
        if len(others) >= limit - 1:
            raise TooManyVariants(limit, others)
        showing = Showing(variant)
        self.showings = (*self.showings, showing)
        return showing

    def dismiss(self) -> None:
        """No more pictures for those who watch now: what they wait for is closed. Who comes later begins anew."""
        with self._changed:
            dismissed, self.showings = (self.default, *self.showings), ()
            self.default = Showing(DEFAULT)
        for showing in dismissed:
            showing.jpegs.close()

    @property
    def count(self) -> int:
        """Viewers at this moment."""
        return self._count

    def wait(self, timeout_s: float) -> bool:
        """Whether anybody watches, after waiting up to `timeout_s` for the first."""
        if self._count:
            return True
        with self._changed:
            return self._changed.wait_for(lambda: self._count > 0, timeout_s)
