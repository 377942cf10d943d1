import pytest

from edge.server.lockout import (
    FORGET_S,
    FREE_TRIES,
    LONGEST_WAIT_S,
    REMEMBERED,
    TRIES_FOR_ALL,
    TRIES_FOR_ALL_PER_S,
    Lockout,
    group,
    in_words,
)

HOME = "192.168.1.7"


class Clock:
    """Stands still unless told."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def lockout(clock: Clock) -> Lockout:
    return Lockout(clock)


def test_the_first_mistakes_cost_nothing(lockout: Lockout) -> None:
    for _ in range(FREE_TRIES - 1):
        lockout.wrong(HOME)
        assert lockout.wait_s(HOME) == 0


def test_each_further_mistake_doubles_the_wait_up_to_the_longest(lockout: Lockout, clock: Clock) -> None:
    for _ in range(FREE_TRIES - 1):
        lockout.wrong(HOME)
    waits = []
    for _ in range(12):
        lockout.wrong(HOME)
        waits.append(lockout.wait_s(HOME))
        clock.now_s += waits[-1]
        assert lockout.wait_s(HOME) == 0
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, LONGEST_WAIT_S, LONGEST_WAIT_S, LONGEST_WAIT_S]


def test_the_wait_passes(lockout: Lockout, clock: Clock) -> None:
    for _ in range(FREE_TRIES + 2):
        lockout.wrong(HOME)
    assert lockout.wait_s(HOME) == 4
    clock.now_s += 3.5
    assert lockout.wait_s(HOME) == 0.5


def test_the_right_token_and_an_hour_without_a_wrong_one_forgive(lockout: Lockout, clock: Clock) -> None:
    for _ in range(FREE_TRIES - 1):
        lockout.wrong(HOME)
    lockout.right(HOME)
    assert lockout.wrong(HOME).tries == 1
    for _ in range(FREE_TRIES):
        lockout.wrong(HOME)
    clock.now_s += FORGET_S
    assert lockout.wrong(HOME).tries == 1
    assert lockout.wait_s(HOME) == 0


def test_one_address_does_not_lock_another(lockout: Lockout) -> None:
    for _ in range(FREE_TRIES):
        lockout.wrong(HOME)
    assert lockout.wait_s(HOME) > 0
    assert lockout.wait_s("192.168.1.8") == 0


def test_many_addresses_together_get_no_further_than_the_rate_for_all(lockout: Lockout, clock: Clock) -> None:
    compared = 0
    for second in range(600):
        for number in range(40):
            stranger = f"10.{second >> 8}.{second & 255}.{number}"
            if lockout.wait_s(stranger) == 0:
                lockout.wrong(stranger)
                compared += 1
        clock.now_s += 1
    assert compared <= TRIES_FOR_ALL + 600 * TRIES_FOR_ALL_PER_S + 1
    assert compared >= TRIES_FOR_ALL


def test_who_was_right_before_and_this_machine_are_not_held_up_by_strangers(lockout: Lockout) -> None:
    lockout.right(HOME)
    for number in range(int(TRIES_FOR_ALL)):
        lockout.wrong(f"10.0.0.{number}")
    assert lockout.wait_s("192.168.1.8") == pytest.approx(1 / TRIES_FOR_ALL_PER_S)
    assert lockout.wait_s(HOME) == 0
    assert lockout.wait_s("127.0.0.1") == 0


def test_being_known_is_no_free_pass(lockout: Lockout) -> None:
    lockout.right(HOME)
    for _ in range(FREE_TRIES):
        lockout.wrong(HOME)
    assert lockout.wait_s(HOME) == 1


def test_memory_is_bounded_and_strangers_do_not_push_out_who_was_right(lockout: Lockout) -> None:
    lockout.right(HOME)
    for number in range(3 * REMEMBERED):
        lockout.wrong(f"10.{number >> 16}.{(number >> 8) & 255}.{number & 255}")
    assert len(lockout._wrong) == REMEMBERED
    for number in range(3 * REMEMBERED):
        lockout.right(f"11.{number >> 16}.{(number >> 8) & 255}.{number & 255}")
    assert len(lockout._right) == REMEMBERED


def test_a_thousandth_mistake_is_no_overflow(lockout: Lockout, clock: Clock) -> None:
    for _ in range(3000):
        lockout.wrong(HOME)
    assert lockout.wait_s(HOME) == LONGEST_WAIT_S


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2001:db8::1", "2001:db8::ffff:2"),
        ("fe80::1%eth0", "fe80::2%wlan0"),
        ("::ffff:192.168.1.7", "192.168.1.7"),
        ("127.0.0.1", "127.8.9.1"),
        ("::1", "127.0.0.1"),
        ("::ffff:127.0.0.1", "::1"),
        (None, "no address"),
    ],
)
def test_one_client_under_several_addresses(one: str | None, other: str) -> None:
    assert group(one) == group(other)


def test_neighbours_are_told_apart() -> None:
    addresses = ["192.168.1.7", "192.168.1.8", "2001:db8::1", "2001:db8:0:1::1", "127.0.0.1", None]
    assert len({group(address) for address in addresses}) == len(addresses)


@pytest.mark.parametrize(
    ("wait_s", "words"),
    [
        (0.2, "1 second"),
        (1, "1 second"),
        (1.2, "2 seconds"),
        (64, "64 seconds"),
        (128, "3 minutes"),
        (300, "5 minutes"),
    ],
)
def test_a_wait_in_words(wait_s: float, words: str) -> None:
    assert in_words(wait_s) == words
