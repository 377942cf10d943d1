"""How many frames a second are wanted: the analysis decides, and sources ask, who need not make the others."""

LONGEST_NS = 10**15
"""Between two frames: a rate next to nothing is taken as one in eleven days."""


class Demand:
    """Holds a rate on average, whatever the camera's. One thread sets and takes; any thread may ask what is wanted."""

    def __init__(self, max_fps: float = 0.0) -> None:
        """`max_fps`: as for `limit`."""
        self.limit(max_fps)

    def limit(self, max_fps: float) -> None:
        """Hold another rate from now on; 0: all frames are wanted."""
        self._period_ns = round(min(1e9 / max_fps, LONGEST_NS)) if max_fps else 0
        # when the next one is due, less a tenth of slack: a 30 fps camera's jitter must not halve a limit of 30
        self._open_ns: int | None = None

    def wants(self, t_ns: int) -> bool:
        """Whether a frame grabbed at that time may be taken."""
        open_ns = self._open_ns
        return open_ns is None or t_ns >= open_ns

    def takes(self, t_ns: int) -> bool:
        """Whether the frame of that time is taken: it is, if it is wanted."""
        if not self.wants(t_ns):
            return False
        slack_ns = self._period_ns // 10
        due_ns = None if self._open_ns is None else self._open_ns + slack_ns
        if due_ns is None or t_ns >= due_ns + self._period_ns:
            due_ns = t_ns  # the first, or after a pause
        self._open_ns = due_ns + self._period_ns - slack_ns
        return True


def every(_: int) -> bool:
    """Wants every frame."""
    return True
