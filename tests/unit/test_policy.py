"""When the detector runs."""

import numpy as np
import pytest

from edge.policy import Policy, Since
from edge.types import Box, Frame, Track

MS = 1_000_000


def frame(seq: int, ms: float) -> Frame:
    return Frame(seq, int(ms * MS), np.zeros((2, 2, 3), np.uint8))


def track(misses: int = 0) -> Track:
    return Track(1, Box(0, 0, 1, 1), 0.9, None, 1, misses, 1, 0)


POLICY = Policy(interval_frames=5, max_age_ms=400)


def test_the_first_frame_is_searched():
    decision = POLICY.decide(frame(1, 0), (), None)
    assert (decision.detect, decision.reason) == (True, "first")


@pytest.mark.parametrize(("frames", "detect"), [(0, False), (3, False), (4, True), (9, True)])
def test_every_fifth_frame_is_searched(frames: int, detect: bool):
    assert POLICY.decide(frame(2, 10), (track(),), Since(frames, 0)).detect is detect


def test_an_interval_of_one_searches_every_frame():
    assert Policy(interval_frames=1).decide(frame(2, 1), (track(),), Since(0, 0)).reason == "interval"


def test_at_a_low_frame_rate_time_bounds_the_age_of_a_roi():
    assert POLICY.decide(frame(2, 400), (track(),), Since(0, 0)).reason == "age"
    assert not POLICY.decide(frame(2, 399), (track(),), Since(0, 0)).detect


def test_a_face_that_was_missed_is_looked_for_at_once():
    assert POLICY.decide(frame(2, 33), (track(misses=1),), Since(0, 0)).reason == "missed"


def test_it_says_why_it_did_not_search():
    assert POLICY.decide(frame(2, 33), (track(),), Since(0, 0)).reason == "roi"
    assert POLICY.decide(frame(2, 33), (), Since(0, 0)).reason == "idle"
