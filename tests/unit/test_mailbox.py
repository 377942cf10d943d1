"""Where pictures from outside wait."""

import pytest

from edge.jpeg_header import BadPicture
from edge.mailbox import Limits, Mailbox
from tests.senders import jpegs

PICTURES = jpegs(3, "160x120")


def test_the_newest_wins_and_no_two_have_the_same_time() -> None:
    mailbox = Mailbox(Limits())
    names = [mailbox.post(picture, 1000) for picture in PICTURES]
    assert names == [1000, 1001, 1002]
    assert mailbox.post(PICTURES[0], 5000) == 5000
    newest = mailbox.pictures.newer(0)
    assert newest is not None
    assert (newest[0], newest[1].t_ns, newest[1].jpeg) == (4, 5000, PICTURES[0])


def test_what_is_refused_takes_nobodys_place() -> None:
    mailbox = Mailbox(Limits(width=160, height=100))
    with pytest.raises(BadPicture, match=r"160×120 px, expected 160×100 at most.*push:\?size=160x120"):
        mailbox.post(PICTURES[0], 1000)
    assert mailbox.pictures.newer(0) is None


def test_there_is_one_sender_at_a_time() -> None:
    mailbox = Mailbox(Limits())
    with mailbox.sending("a phone") as first:
        assert first
        with mailbox.sending("another") as second:
            assert not second
        assert mailbox.sender == "a phone"
    assert mailbox.sender == ""
