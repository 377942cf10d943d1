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


@pytest.mark.parametrize("pause_s", [0.01, 0.3, 0.9, 30.0])
def test_a_pause_does_not_count(pause_s: float) -> None:
    world = World()
    pacer = Pacer(25.0, world.clock, world.sleep)
    assert [pacer.wait(1.0) for _ in range(10)] == list(range(10))
    for _ in range(3):
        pacer.hold()
        world.pass_by(pause_s)
    start_ns = world.now_ns
    assert [pacer.wait(1.0) for _ in range(3)] == [10, 11, 12]
    assert (world.now_ns - start_ns) / 1e9 == pytest.approx(0.08, abs=1e-6), "the first is due at once"


def test_a_pause_before_the_first_picture_does_not_matter() -> None:
    world = World()
    pacer = Pacer(25.0, world.clock, world.sleep)
    pacer.hold()
    assert [pacer.wait(1.0), pacer.wait(1.0)] == [0, 1]
