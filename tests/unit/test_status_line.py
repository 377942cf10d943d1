"""What `systemctl status` shows."""

import pytest
from msgspec.structs import replace

from edge.status import SOURCE_STATES, SourceStatus, in_one_line
from tests.stage import Stage


@pytest.mark.parametrize(
    ("state", "reason", "line"),
    [
        ("online", "It was asked for.", "online, 29.8 fps, 2 faces"),
        ("ended", "the end of the source was reached", "ended, 29.8 fps, 2 faces"),
        ("starting", "there is no /dev/video7", "waiting for the camera v4l2:/dev/video7: there is no /dev/video7"),
        ("starting", "v4l2:/dev/video7: it is busy", "waiting for the camera v4l2:/dev/video7: it is busy"),
        ("waiting", "nobody sends pictures yet", "waiting for pictures: nobody sends pictures yet"),
        ("reconnecting", "no picture comes", "reconnecting: no picture comes"),
        ("stalled", "no picture comes", "stalled: no picture comes"),
        ("paused", "a person paused it", "paused: a person paused it"),
        ("stopped", "a person stopped it", "stopped: a person stopped it"),
        ("failed", "film.mp4 is a text file", "failed: film.mp4 is a text file"),
    ],
)
def test_it_tells_how_fast_it_is_or_why_it_is_not(state: str, reason: str, line: str):
    source = SourceStatus("v4l2:/dev/video7", state, reason)
    assert in_one_line(replace(Stage().status(), source=source)) == line


def test_every_state_has_a_line():
    for state in SOURCE_STATES:
        assert state in in_one_line(replace(Stage().status(), source=SourceStatus("x", state, state)))
