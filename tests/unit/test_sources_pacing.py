import pytest

from edge.errors import NotDue
from edge.sources.pacing import Pacer
from tests.world import World


def test_pictures_come_at_their_rate() -> None:
    world = World()
    pacer = Pacer(25.0, world.clock, world.sleep)
    start_ns = world.now_ns
    times_s = []
    for index in range(50):
        assert pacer.wait(1.0) == index
        times_s.append((world.now_ns - start_ns) / 1e9)
    assert times_s == pytest.approx([index / 25 for index in range(50)])


def test_the_first_picture_is_due_at_once_however_late_it_is_asked_for() -> None:
    world = World()
    pacer = Pacer(25.0, world.clock, world.sleep)
    world.pass_by(100)
    assert pacer.wait(1.0) == 0
    assert world.slept_s == []


def test_who_comes_late_skips_what_has_passed() -> None:
    world = World()
    pacer = Pacer(25.0, world.clock, world.sleep)
    pacer.wait(1.0)
    world.pass_by(0.21)  # pictures 1 to 5 have been due meanwhile
    assert pacer.wait(1.0) == 5
    assert pacer.wait(1.0) == 6
    assert world.now_ns == 1_000_000_000 + 240_000_000


def test_who_is_hopelessly_late_goes_on_from_where_it_was() -> None:
    world = World()
    pacer = Pacer(25.0, world.clock, world.sleep)
    pacer.wait(1.0)
    world.pass_by(3600)  # the lid was closed
    assert pacer.wait(1.0) == 1
    assert pacer.wait(1.0) == 2
    assert world.slept_s == pytest.approx([0.04])


def test_a_device_that_is_too_slow_still_gets_pictures() -> None:
    world = World()
    pacer = Pacer(30.0, world.clock, world.sleep)
    shown = 0
    while shown < 100:
        previous = shown
        index = pacer.wait(1.0)
        shown += 1
        # each picture, skipped or shown, takes longer to decode than it lasts
        world.pass_by(0.05 * min(index + 1 - previous, 31))
    assert shown == 100


def test_no_wait_is_longer_than_allowed() -> None:
    world = World()
    pacer = Pacer(0.5, world.clock, world.sleep)
    pacer.wait(0.1)
    with pytest.raises(NotDue, match="no picture is due within"):
        pacer.wait(0.5)
    assert world.slept_s == [0.5]
    assert pacer.wait(1.6) == 1
