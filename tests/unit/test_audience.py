"""Who watches what."""

import pytest

from edge.audience import Audience, TooManyVariants
from edge.types import JpegPacket
from edge.variants import DEFAULT, Variant

SMALL = Variant(320)


def test_those_who_want_the_same_share_a_showing():
    audience = Audience()
    with audience.watching(SMALL) as first, audience.watching(SMALL) as second:
        assert first is second
        assert audience.showings == (first,)
        assert (audience.count, first.viewers) == (2, 2)
    assert audience.count == 0
    assert audience.showings == ()


def test_the_default_picture_is_made_first():
    audience = Audience()
    with audience.watching(SMALL) as small, audience.watching() as default:
        assert audience.showings == (default, small)
        assert default is audience.default


def test_a_showing_is_made_as_often_as_its_fastest_viewer_wants():
    audience = Audience()
    with audience.watching(SMALL, 0.5) as small:
        assert small.interval_ns == 500_000_000
        with audience.watching(SMALL, 0.1):
            assert small.interval_ns == 100_000_000
            with audience.watching(SMALL):
                assert small.interval_ns == 0
        assert small.interval_ns == 500_000_000


def test_only_so_many_kinds_are_shown_and_the_default_one_always_has_its_place():
    audience = Audience(lambda: 3)
    with audience.watching(SMALL), audience.watching(Variant(raw=True)):
        with pytest.raises(TooManyVariants) as caught, audience.watching(Variant(quality=10)):
            pass
        assert caught.value.limit == 3
        assert caught.value.in_use == (SMALL, Variant(raw=True))
        with audience.watching(SMALL), audience.watching(DEFAULT):
            assert audience.count == 4
    with audience.watching(Variant(quality=10)):
        assert audience.count == 1


def test_readers_of_results_are_counted():
    audience = Audience()
    with audience.watching(results=True), audience.watching():
        assert audience.readers == 1
    assert audience.readers == 0


def test_those_who_are_dismissed_get_nothing_more_and_who_comes_later_does():
    audience = Audience()
    with audience.watching() as default, audience.watching(SMALL) as small:
        default.jpegs.put(JpegPacket(1, 1, b"seen", 64, 48))
        audience.dismiss()
        assert default.jpegs.closed
        assert small.jpegs.closed
        assert audience.showings == ()
        with audience.watching() as later:
            assert later is not default
            assert later.jpegs.newer(0) is None
            assert audience.showings == (later,)
        assert audience.count == 2
    assert audience.count == 0
