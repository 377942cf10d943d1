"""Pictures out of the mailbox."""

import cv2
import numpy as np
import pytest

from edge.errors import ConfigError, Idle, NotDue, PermanentError
from edge.mailbox import Limits, Mailbox
from edge.sources import open_source
from edge.sources.push import PushSource, limits_of
from edge.sources.specs import PushSpec
from edge.sources.uri import parse
from tests.senders import jpegs
from tests.world import World

PICTURES = jpegs(4, "160x120")


def opened(max_fps: float = 25.0) -> tuple[Mailbox, PushSource, World]:
    mailbox, world = Mailbox(Limits(max_fps=max_fps)), World()
    return mailbox, PushSource(mailbox, world.clock, world.sleep), world


def test_a_picture_keeps_the_time_at_which_it_came() -> None:
    mailbox, source, world = opened()
    mailbox.post(PICTURES[0], world.now_ns - 7)
    frame = source.read(1.0)
    assert (frame.seq, frame.t_ns) == (1, world.now_ns - 7)
    assert frame.bgr.shape == (120, 160, 3)


def test_of_several_the_newest_is_taken_and_the_gap_tells_how_many_were_left_out() -> None:
    mailbox, source, world = opened()
    for picture in PICTURES[:3]:
        mailbox.post(picture, world.now_ns)
    assert source.read(1.0).seq == 3


def test_what_came_before_it_was_opened_is_old() -> None:
    mailbox, _, world = opened()
    mailbox.post(PICTURES[0], world.now_ns)
    source = PushSource(mailbox, world.clock, world.sleep)
    with pytest.raises(Idle):
        source.read(0.0)
    mailbox.post(PICTURES[1], world.now_ns)
    assert source.read(0.0).seq == 1


def test_more_pictures_than_the_rate_allows_are_left_out_on_average() -> None:
    mailbox, source, world = opened(max_fps=10.0)
    taken = 0
    for _ in range(300):  # ten seconds at 30 a second
        mailbox.post(PICTURES[0], world.now_ns)
        try:
            source.read(0.0)
            taken += 1
        except NotDue:
            pass
        world.pass_by(1 / 30)
    assert taken == pytest.approx(100, abs=2)


def test_jitter_does_not_halve_a_rate_that_equals_the_limit() -> None:
    mailbox, source, world = opened(max_fps=25.0)
    start_ns = world.now_ns
    for n in range(100):
        # each second one comes 3 ms early
        due_ns = start_ns + n * 40_000_000 - (n % 2) * 3_000_000
        world.now_ns = max(world.now_ns, due_ns)
        mailbox.post(PICTURES[0], world.now_ns)
        assert source.read(0.01).seq == n + 1


def test_nobody_sending_is_no_fault_and_says_what_to_do() -> None:
    mailbox, source, _ = opened()
    with pytest.raises(Idle, match="nobody sends pictures yet"):
        source.read(0.0)
    with mailbox.sending("a phone"), pytest.raises(Idle, match="a phone is connected and sends no pictures"):
        source.read(0.0)


def test_what_cannot_be_decoded_is_reported_and_the_next_one_is_taken() -> None:
    mailbox, source, world = opened()
    name = mailbox.post(PICTURES[0][: len(PICTURES[0]) // 2], world.now_ns)
    with mailbox.sending("a phone"), pytest.raises(Idle, match="a phone sends cannot be decoded"):
        source.read(0.0)
    refusal = mailbox.refusals.newer(0)
    assert refusal is not None
    assert (refusal[1].t_ns, refusal[1].error.code) == (name, "broken_jpeg")
    mailbox.post(PICTURES[1], world.now_ns)
    assert source.read(0.0).seq == 2, "the broken one counts as left out"


def test_a_flood_of_broken_ones_does_not_hold_up_the_reader() -> None:
    mailbox, source, world = opened()
    broken = PICTURES[0][: len(PICTURES[0]) // 2]
    asked = mailbox.pictures.wait_newer

    def flooded(seq: int, timeout_s: float) -> object:
        mailbox.post(broken, world.now_ns)
        world.pass_by(0.01)
        return asked(seq, timeout_s)

    mailbox.pictures.wait_newer = flooded  # type: ignore[method-assign,assignment]
    with pytest.raises(Idle):
        source.read(0.25)


def test_pictures_of_every_kind_become_three_colours() -> None:
    mailbox, source, world = opened()
    for pixels, options in [
        (np.zeros((48, 64), np.uint8), ()),
        (np.zeros((48, 64, 3), np.uint8), (cv2.IMWRITE_JPEG_PROGRESSIVE, 1)),
    ]:
        mailbox.post(cv2.imencode(".jpg", pixels, options)[1].tobytes(), world.now_ns)
        assert source.read(0.0).bgr.shape == (48, 64, 3)
        world.pass_by(1.0)


def test_the_uri_sets_the_limits() -> None:
    spec = parse("push:?size=640x480&fps=10")
    assert isinstance(spec, PushSpec)
    assert limits_of(spec) == Limits(max_fps=10.0, width=640, height=480)
    assert limits_of(PushSpec()) == Limits()
    with pytest.raises(ConfigError, match="largest picture"):
        parse("push:?size=large")


def test_it_needs_the_server() -> None:
    with pytest.raises(ConfigError, match="emotion-edge run --source push:"):
        open_source("push:")


def test_closed_is_closed() -> None:
    _, source, _ = opened()
    source.close()
    source.close()
    with pytest.raises(PermanentError, match="closed"):
        source.read(0.0)
