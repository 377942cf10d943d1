"""What is asked for after each action."""

import itertools

import pytest

from edge.control import ACTIONS, Action, ControlStatus, asked

RUNNING, PAUSED, STOPPED = ControlStatus(), ControlStatus(paused=True), ControlStatus(stopped=True)


@pytest.mark.parametrize(
    ("before", "action", "after"),
    [
        (RUNNING, "pause", PAUSED),
        (PAUSED, "resume", RUNNING),
        (RUNNING, "stop", STOPPED),
        (STOPPED, "start", RUNNING),
        (PAUSED, "stop", STOPPED),
        (PAUSED, "start", PAUSED),
        (STOPPED, "pause", STOPPED),
        (STOPPED, "resume", STOPPED),
        (RUNNING, "resume", RUNNING),
        (RUNNING, "start", RUNNING),
    ],
)
def test_each_action_does_what_its_name_says(before: ControlStatus, action: Action, after: ControlStatus) -> None:
    assert asked(before, action) == after


def test_each_action_may_be_repeated() -> None:
    for before, action in itertools.product((RUNNING, PAUSED, STOPPED), ACTIONS):
        once = asked(before, action)
        assert asked(once, action) == once
