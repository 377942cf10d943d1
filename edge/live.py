"""The settings of the running program: one immutable snapshot at a time, swapped whole."""

from edge.config import Config


class LiveSettings:
    """Where the parts read the newest snapshot; any thread may, without a lock.

    Attributes:
        current: the newest snapshot. What may be changed while the program runs is read from here each time.
    """

    def __init__(self, config: Config) -> None:
        self.current = config
