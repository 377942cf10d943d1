"""What a person can ask of the source while the program runs."""

from collections.abc import Callable
from typing import Final, Literal, get_args

import msgspec

Action = Literal["pause", "resume", "stop", "start"]
ACTIONS: Final[tuple[Action, ...]] = get_args(Action)


class ControlStatus(msgspec.Struct, frozen=True):
    """What was asked for last. What has come of it so far is told by the source's state.

    Attributes:
        paused: no frames are taken; a camera stays open, a file keeps its place.
        stopped: the source is closed.
    """

    paused: bool = False
    stopped: bool = False


Ask = Callable[[Action], ControlStatus]
"""Asks for one action.

Raises:
    PermanentError: this source cannot do that.
"""


def asked(before: ControlStatus, action: Action) -> ControlStatus:
    """What is asked for after one more action. Each may be repeated.

    A stopped source cannot be paused, nor does it remember that it was: whoever starts it wants to see it.
    """
    match action:
        case "stop":
            return ControlStatus(stopped=True)
        case "start":
            return msgspec.structs.replace(before, stopped=False)
        case "pause":
            return msgspec.structs.replace(before, paused=not before.stopped)
        case "resume":
            return msgspec.structs.replace(before, paused=False)
