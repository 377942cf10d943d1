"""The errors that cross a port. Whoever calls an adapter needs to tell three cases apart, no more.

Every message says what was found, what was expected and what to do.
"""


class EdgeError(Exception):
    """The root of all errors this project raises on purpose."""


class TemporaryError(EdgeError):
    """Trying again may help: a camera unplugged, a stream stalled, a disk full."""


class NotYet(TemporaryError):
    """No frame within the time asked for; the source is still open and may be asked again."""


class NotDue(NotYet):
    """A source that keeps a pace of its own has nothing to give before its next frame is due: no fault at all."""


class Idle(NotYet):
    """A source that others send to, and nobody does: not live meanwhile, but no fault that opening again would mend."""


class PermanentError(EdgeError):
    """Trying again does not help: a broken model, a file that is no video."""


class ConfigError(PermanentError):
    """What the user asked for cannot be done as asked: an unknown key, no such file, an unsafe bind. Exit code 78."""


class SourceEnded(EdgeError):
    """A file or a set of pictures has been read to its end. Not a fault."""


EXIT_CLEAN = 0
EXIT_FAULT = 1
"""A restart may help."""
EXIT_CONFIG = 78
"""A restart does not help: EX_CONFIG of sysexits(3); the unit file does not restart on it."""


def exit_code(error: Exception) -> int:
    """What a program that ends of this error returns."""
    return EXIT_CONFIG if isinstance(error, PermanentError) else EXIT_FAULT
