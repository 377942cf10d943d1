"""Workers: retried where that helps, ended and told where it does not."""

import threading

import pytest

from edge.errors import PermanentError, TemporaryError
from edge.worker import Backoff, Control, Worker


class Ends:
    """Waits for a worker's end."""

    def __init__(self) -> None:
        self.done = threading.Event()

    def __call__(self, _worker: Worker) -> None:
        self.done.set()


QUICK = Backoff(first_s=0.001, cap_s=0.002)


def test_the_wait_doubles_up_to_its_cap():
    backoff = Backoff(first_s=1, cap_s=5, jitter=0)
    assert [backoff.wait_s(n, 0.5) for n in (1, 2, 3, 4, 50)] == [1, 2, 4, 5, 5]


def test_chance_only_shortens_the_wait():
    backoff = Backoff(first_s=1, cap_s=5, jitter=0.3)
    assert backoff.wait_s(1, 0.0) == 1
    assert 0.7 <= backoff.wait_s(1, 0.999) < 1


def test_a_temporary_error_starts_the_body_again():
    ends, errors, runs = Ends(), [], []

    def body(_control: Control) -> None:
        runs.append(1)
        if len(runs) < 3:
            raise TemporaryError("gone")

    worker = Worker("w", body, on_end=ends, on_retry=lambda error, _: errors.append(str(error)), backoff=QUICK)
    worker.start()
    assert ends.done.wait(5)
    assert len(runs) == 3
    assert errors == ["gone", "gone"]
    assert worker.failure is None


def test_any_other_error_ends_the_worker_and_is_kept():
    ends = Ends()

    def body(_control: Control) -> None:
        raise PermanentError("no")

    worker = Worker("w", body, on_end=ends, backoff=QUICK)
    worker.start()
    assert ends.done.wait(5)
    assert isinstance(worker.failure, PermanentError)


def test_recovering_starts_the_waits_from_the_shortest_again():
    ends, waits = Ends(), []
    runs = []

    def body(control: Control) -> None:
        runs.append(1)
        if len(runs) == 5:
            return
        if len(runs) == 4:
            control.recovered()
        raise TemporaryError("gone")

    backoff = Backoff(first_s=0.001, cap_s=1, jitter=0)
    Worker("w", body, on_end=ends, on_retry=lambda _, wait_s: waits.append(wait_s), backoff=backoff).start()
    assert ends.done.wait(5)
    assert waits == [0.001, 0.002, 0.004, 0.001]


def test_a_stop_cuts_the_wait_short():
    ends = Ends()
    waiting = threading.Event()

    def body(_control: Control) -> None:
        raise TemporaryError("gone")

    worker = Worker(
        "w", body, on_end=ends, on_retry=lambda *_: waiting.set(), backoff=Backoff(first_s=3600, cap_s=3600)
    )
    worker.start()
    assert waiting.wait(5)
    worker.stop()
    assert worker.join(5)


def test_silence_is_measured_from_the_last_beat():
    now = [0]
    ends = Ends()
    worker = Worker("w", lambda control: control.beat(), on_end=ends, clock=lambda: now[0])
    now[0] = 3_000_000_000
    assert worker.silent_s == 3.0
    worker.start()
    assert ends.done.wait(5)
    assert worker.silent_s == 0.0


def test_a_worker_never_started_can_be_joined():
    worker = Worker("w", lambda _: None, on_end=lambda _: None)
    assert worker.join(0.1)


def test_a_wait_can_be_cut_short_to_try_again_at_once():
    ends, waiting, runs = Ends(), threading.Event(), []
    controls: list[Control] = []

    def body(control: Control) -> None:
        controls.append(control)
        runs.append(1)
        if len(runs) == 1:
            raise TemporaryError("gone")

    worker = Worker("w", body, on_end=ends, on_retry=lambda *_: waiting.set(), backoff=Backoff(3600, 3600))
    worker.start()
    assert waiting.wait(5)
    controls[0].hurry()
    assert ends.done.wait(5)
    assert len(runs) == 2


def test_what_was_built_before_the_start_is_no_silence(monkeypatch: pytest.MonkeyPatch):
    now = [0]
    worker = Worker("w", lambda control: None, on_end=lambda _: None, clock=lambda: now[0])
    monkeypatch.setattr(worker._thread, "start", lambda: None)  # it has not got its turn yet
    now[0] = 60_000_000_000
    worker.start()
    assert worker.silent_s == 0.0


def test_what_a_try_takes_and_the_wait_after_it_do_not_add_up_to_one_silence():
    now = [0]
    silences: list[float] = []
    ends = Ends()

    def body(_control: Control) -> None:
        silences.append(worker.silent_s)
        now[0] += 15_000_000_000
        if len(silences) < 6:
            raise TemporaryError("gone")

    def waited(*_: object) -> None:
        silences.append(worker.silent_s)
        now[0] += 10_000_000_000

    worker = Worker("w", body, on_end=ends, on_retry=waited, backoff=QUICK, clock=lambda: now[0])
    worker.start()
    assert ends.done.wait(5)
    assert silences == [0.0] * 7
