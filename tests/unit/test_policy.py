"""When a detector runs, and where it looks."""

import numpy as np
import pytest

from edge.geometry import inside
from edge.paths import Path
from edge.policy import Lookout, Policy
from edge.tracker import TrackerSettings, Tracks, advance
from edge.types import Box, Decision, Face, Frame, Search, Track

MS = 1_000_000
POLICY = Policy(interval_frames=10, max_age_ms=400, tile_frames=6, max_new_face_ms=1000, min_face_px=24)
WIDTH, HEIGHT = 640, 480
FACE = Box(0.4, 0.4, 0.2, 0.3)


def frame(seq: int, *, ms: float | None = None, lit: Box | None = None, level: int = 200) -> Frame:
    """Of a film of 30 frames a second: grey, but for what is lit."""
    pixels = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    if lit:
        place = lit.to_pixels(WIDTH, HEIGHT)
        pixels[place.y : place.y + place.h, place.x : place.x + place.w] = level
    return Frame(seq, int((seq * 1000 / 30 if ms is None else ms) * MS), pixels)


def flickering(seq: int, place: Box = FACE) -> Frame:
    """Another picture each time in one place."""
    return frame(seq, lit=place, level=120 + 60 * (seq % 3))


def followed(
    box: Box = FACE, *, misses: int = 0, near: bool = False, seen: int = 1, doubtful: tuple[Box, ...] = ()
) -> Tracks:
    t_ns = int(seen * 1000 / 30 * MS)
    track = Track(1, box, 0.9, None, 1, misses, seen, t_ns)
    return Tracks((track,), 2, {1: Path(box, t_ns, near=near)}, doubtful=doubtful)


def watched(lookout: Lookout, frames: int, tracks: Tracks | None = None, picture=frame) -> list[Decision]:
    """The decisions on so many frames, from the first."""
    return [lookout.decide(picture(seq), tracks or Tracks()) for seq in range(1, frames + 1)]


def reasons(decisions: list[Decision]) -> dict[str, int]:
    found: dict[str, int] = {}
    for decision in decisions:
        found[decision.reason] = found.get(decision.reason, 0) + 1
    return found


def test_the_first_frame_is_searched_whole():
    decision = Lookout(POLICY, parts=True).decide(frame(1), Tracks())
    assert (decision.detect, decision.reason) == (True, "first")
    assert decision.search is not None
    assert decision.search.region is None


def test_an_interval_of_one_searches_every_frame_whole():
    decisions = watched(Lookout(Policy(1), parts=True), 5)
    assert [decision.reason for decision in decisions] == ["first"] + ["interval"] * 4


def test_an_empty_room_at_rest_is_hardly_searched():
    decisions = watched(Lookout(POLICY, parts=False), 300)
    assert reasons(decisions) == {"first": 1, "watch": 9, "idle": 290}


def test_of_a_room_at_rest_each_part_is_searched_once_and_then_seldom():
    decisions = watched(Lookout(POLICY, parts=True), 600)
    tiles = [decision.search.region for decision in decisions if decision.reason == "tile" and decision.search]
    first = [each for at, each in enumerate(tiles) if each not in tiles[:at]]
    assert tiles[: len(first)] == first, "none twice before each was searched"
    assert len(first) >= 6
    assert len(tiles) <= len(first) * 6, "in 20 s"


def test_the_parts_together_are_the_whole_frame():
    decisions = watched(Lookout(POLICY, parts=True), 100)
    covered = np.zeros((48, 64), bool)
    for decision in decisions:
        if decision.reason == "tile" and decision.search and decision.search.region:
            place = decision.search.region.to_pixels(64, 48)
            covered[place.y : place.y + place.h, place.x : place.x + place.w] = True
    assert covered.all()


def test_what_moves_has_the_whole_frame_searched_at_the_interval():
    corner = Box(0, 0, 0.1, 0.1)
    decisions = watched(Lookout(POLICY, parts=False), 31, picture=lambda seq: flickering(seq, corner))
    assert [at for at, decision in enumerate(decisions) if decision.reason == "interval"] == [10, 20, 30]


def test_where_something_moves_that_part_is_searched_first():
    lookout = Lookout(POLICY, parts=True)
    corner = Box(0.9, 0.9, 0.08, 0.08)
    watched(lookout, 120)
    decisions = [lookout.decide(flickering(seq, corner), Tracks()) for seq in range(121, 151)]
    tiles = [decision.search.region for decision in decisions if decision.reason == "tile" and decision.search]
    assert tiles
    assert all(tile is not None and inside(corner, tile) > 0.5 for tile in tiles)


def test_a_face_that_moves_is_looked_for_sooner_than_one_at_rest():
    moving = watched(Lookout(POLICY, parts=False), 60, followed(), flickering)
    resting = watched(Lookout(POLICY, parts=False), 60, followed())
    assert reasons(moving)["moved"] >= 12
    assert "moved" not in reasons(resting)
    assert sum(decision.detect for decision in resting) <= 7


def test_a_face_at_rest_is_looked_for_before_its_roi_is_too_old():
    decisions = watched(Lookout(POLICY, parts=True), 40, followed())
    searched = [at for at, each in enumerate(decisions) if each.search and each.search.region is None]
    gaps_ms = np.diff(searched) * 1000 / 30
    assert gaps_ms.max() <= 400 + 1000 / 30


def test_at_a_low_frame_rate_time_bounds_the_age_of_a_roi():
    lookout = Lookout(POLICY, parts=True)
    lookout.decide(frame(1, ms=0), Tracks())
    assert not lookout.decide(frame(2, ms=399), followed()).detect
    assert lookout.decide(frame(3, ms=400), followed()).reason == "age"


def test_a_new_face_is_found_in_time_even_if_nothing_seems_to_move():
    lookout = Lookout(POLICY, parts=False)
    lookout.decide(frame(1, ms=0), Tracks())
    assert lookout.decide(frame(2, ms=999), Tracks()).reason == "idle"
    assert lookout.decide(frame(3, ms=1000), Tracks()).reason == "watch"


@pytest.mark.parametrize(("parts", "reason"), [(True, "missed"), (False, "missed")])
def test_a_face_that_was_missed_is_looked_for_at_once(parts: bool, reason: str):
    lookout = Lookout(POLICY, parts=parts)
    watched(lookout, 4, followed())
    decision = lookout.decide(frame(5), followed(misses=1))
    assert (decision.detect, decision.reason) == (True, reason)
    assert decision.search is not None
    if parts:
        assert decision.search.track == 1
        assert decision.search.region is not None
        assert inside(FACE, decision.search.region) == pytest.approx(1)
        assert decision.search.region.w < 1


def test_whom_only_parts_show_is_followed_in_its_own_neighbourhood():
    small = Box(0.1, 0.1, 0.04, 0.06)
    decisions = watched(
        Lookout(POLICY, parts=True), 60, followed(small, near=True, seen=0), lambda seq: flickering(seq, small)
    )
    follows = [decision.search for decision in decisions if decision.reason == "follow"]
    assert len(follows) >= 10
    for search in follows:
        assert search is not None
        assert search.track == 1
        assert search.region is not None
        assert search.region.w < 0.2
    assert "age" not in reasons(decisions), "the whole frame would not show it"


def test_what_may_be_a_face_is_looked_at_closely_once():
    lookout = Lookout(POLICY, parts=True)
    maybe = Box(0.7, 0.2, 0.05, 0.07)
    watched(lookout, 3)
    doubtful = Tracks(doubtful=(maybe,))
    decisions = [lookout.decide(frame(4), doubtful)]
    decisions += [lookout.decide(frame(seq), Tracks() if seq % 10 else doubtful) for seq in range(5, 60)]
    checks = [decision.search for decision in decisions if decision.reason == "check"]
    assert len(checks) == 1
    assert checks[0] is not None
    assert checks[0].region is not None
    assert inside(maybe, checks[0].region) == pytest.approx(1)


def test_what_was_no_face_is_looked_at_again_once_it_moves():
    lookout = Lookout(POLICY, parts=True)
    maybe = Box(0.7, 0.2, 0.05, 0.07)
    doubtful = Tracks(doubtful=(maybe,))
    still = [lookout.decide(frame(seq), doubtful) for seq in range(1, 30)]
    assert reasons(still)["check"] == 1
    moving = [lookout.decide(flickering(seq, maybe), doubtful) for seq in range(30, 60)]
    assert reasons(moving)["check"] >= 2


def test_small_faces_that_move_leave_room_for_the_search_for_new_ones():
    small = Box(0.1, 0.1, 0.04, 0.06)
    decisions = watched(Lookout(POLICY, parts=True), 120, followed(small, near=True, seen=0), flickering)
    found = reasons(decisions)
    assert found["tile"] >= 120 / POLICY.tile_frames - 2
    assert found["follow"] >= 15


def test_what_may_be_faces_everywhere_leaves_room_for_known_faces_and_tiles():
    small = Box(0.1, 0.1, 0.04, 0.06)
    random = np.random.default_rng(1)
    lookout = Lookout(POLICY, parts=True)
    decisions = []
    for seq in range(1, 121):
        maybe = tuple(Box(x, y, 0.05, 0.07) for x, y in random.uniform(0, 0.9, (3, 2)).tolist())
        tracks = followed(small, near=True, seen=max(seq - 15, 0), doubtful=maybe)
        decisions.append(lookout.decide(flickering(seq, Box(0, 0, 1, 1)), tracks))
    found = reasons(decisions)
    assert min(found["tile"], found["check"], found["follow"]) >= 8


@pytest.mark.parametrize("stretch", [1.0, 8.0])
@pytest.mark.parametrize("near", [True, False])
@pytest.mark.parametrize("faces", [1, 12])
def test_no_face_at_rest_is_given_up_for_want_of_a_search(stretch: float, near: bool, faces: int):
    settings = TrackerSettings(max_age_ms=1000)
    lookout = Lookout(POLICY, parts=near)
    crowd = [Face(Box(0.02 + 0.16 * (n % 6), 0.1 + 0.5 * (n // 6), 0.03, 0.04), 0.9) for n in range(faces)]
    whole = Search(Box(0, 0, 1, 1)) if near else Search()
    tracks = advance(Tracks(), frame(1), tuple(crowd), settings, whole)
    for seq in range(2, 200):
        now = frame(seq)
        search = lookout.decide(now, tracks, stretch).search
        found = None
        if search:
            region = search.region
            found = tuple(each for each in crowd if region is not None and inside(each.box, region) > 0.99)
            if region is None:
                found = () if near else tuple(crowd)
        tracks = advance(tracks, now, found, settings, search or Search())
        assert [track.id for track in tracks.items] == list(range(1, faces + 1)), f"on frame {seq}"


def test_parts_are_never_searched_without_a_detector_for_them():
    decisions = watched(Lookout(POLICY, parts=False), 60, followed(doubtful=(Box(0.1, 0.1, 0.1, 0.1),)), flickering)
    assert all(decision.search is None or decision.search.region is None for decision in decisions)


def test_less_effort_stretches_all_intervals():
    def searches(stretch: float) -> int:
        lookout = Lookout(POLICY, parts=True)
        return sum(lookout.decide(flickering(seq), followed(), stretch).detect for seq in range(1, 241))

    assert searches(4) <= searches(1) / 3


def test_a_picture_of_another_size_is_a_new_one():
    lookout = Lookout(POLICY, parts=True)
    watched(lookout, 5)
    other = Frame(6, 200 * MS, np.full((240, 320, 3), 90, np.uint8))
    assert lookout.decide(other, Tracks()).reason == "first"


def test_it_says_why_it_did_not_search():
    lookout = Lookout(POLICY, parts=False)
    lookout.decide(frame(1), Tracks())
    assert lookout.decide(frame(2), followed()).reason == "roi"
    assert lookout.decide(frame(3), Tracks()).reason == "idle"
