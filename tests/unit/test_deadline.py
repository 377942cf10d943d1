"""The end of the program comes in time."""

import threading

import pytest

from edge.deadline import Deadline


def test_a_program_that_has_not_ended_in_time_is_ended_with_the_code_of_the_first_call(
    capfd: pytest.CaptureFixture[str],
):
    left: list[int] = []
    gone = threading.Event()

    def leave(code: int) -> None:
        left.append(code)
        gone.set()

    deadline = Deadline(leave, end_s=0.01)
    deadline.begin(3)
    deadline.begin(0)
    assert gone.wait(5)
    assert left == [3]
    told = capfd.readouterr().err
    assert "has not ended in time" in told
    assert "test_deadline.py" in told, "it says where the threads are"


def test_before_its_end_begins_a_program_may_take_its_time():
    left: list[int] = []
    Deadline(left.append, end_s=0.0)
    assert not threading.Event().wait(0.1)
    assert left == []
