"""A world whose time passes only when somebody sleeps."""


class World:
    """Clock and sleep in one.

    Attributes:
        now_ns: the time.
        slept_s: every sleep so far.
    """

    def __init__(self, now_ns: int = 1_000_000_000) -> None:
        self.now_ns = now_ns
        self.slept_s: list[float] = []

    def clock(self) -> int:
        return self.now_ns

    def sleep(self, seconds: float) -> None:
        self.slept_s.append(seconds)
        self.pass_by(seconds)

    def pass_by(self, seconds: float) -> None:
        self.now_ns += round(seconds * 1e9)
