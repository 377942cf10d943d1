"""The slot: newest wins, nobody waits for ever."""

import threading

from edge.slot import LatestSlot


def test_a_reader_gets_the_newest_item_only():
    slot: LatestSlot[str] = LatestSlot()
    for item in "abc":
        slot.put(item)
    assert slot.wait_newer(0, 0) == (3, "c")


def test_what_was_read_is_not_given_again():
    slot: LatestSlot[str] = LatestSlot()
    slot.put("a")
    seq, _ = slot.wait_newer(0, 0) or (0, "")
    assert slot.wait_newer(seq, 0.01) is None
    assert slot.newer(seq) is None


def test_each_reader_has_its_own_place():
    slot: LatestSlot[str] = LatestSlot()
    slot.put("a")
    assert slot.newer(0) == (1, "a")
    assert slot.newer(0) == (1, "a")


def test_a_gap_in_the_numbers_tells_what_a_reader_missed():
    slot: LatestSlot[int] = LatestSlot()
    slot.put(1)
    first, _ = slot.newer(0) or (0, 0)
    for item in (2, 3, 4):
        slot.put(item)
    second, _ = slot.newer(first) or (0, 0)
    assert second - first - 1 == 2


def test_a_waiting_reader_is_woken_by_a_put():
    slot: LatestSlot[str] = LatestSlot()
    got: list[tuple[int, str] | None] = []
    reader = threading.Thread(target=lambda: got.append(slot.wait_newer(0, 10)))
    reader.start()
    slot.put("a")
    reader.join(5)
    assert got == [(1, "a")]


def test_closing_wakes_a_waiting_reader_with_nothing():
    slot: LatestSlot[str] = LatestSlot()
    got: list[tuple[int, str] | None] = []
    reader = threading.Thread(target=lambda: got.append(slot.wait_newer(0, 10)))
    reader.start()
    slot.close()
    reader.join(5)
    assert got == [None]
    assert slot.closed


def test_the_last_item_can_still_be_read_after_closing():
    slot: LatestSlot[str] = LatestSlot()
    slot.put("last")
    slot.close()
    assert slot.wait_newer(0, 0) == (1, "last")


def test_a_listener_is_told_until_it_unsubscribes():
    slot: LatestSlot[str] = LatestSlot()
    calls: list[int] = []
    unsubscribe = slot.subscribe(lambda: calls.append(1))
    slot.put("a")
    unsubscribe()
    unsubscribe()
    slot.put("b")
    assert calls == [1]
