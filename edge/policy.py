"""When a detector has to run, and where it looks. Between two searches the faces' cached ROIs are used."""

from collections.abc import Sequence
from dataclasses import dataclass

from edge.geometry import around
from edge.motion import Motion
from edge.searching import CHECK
from edge.tiles import tiles
from edge.tracker import Tracks
from edge.types import Decision, Frame, Search, Track
from edge.visits import Doubts, Tiles, Visit

FOLLOW = 3.0
"""Side of the part searched for a known face, in sides of its box."""

SPARE_FRAMES = 4
"""From one search of the whole frame to the next, whatever moves."""

PART_FRAMES = 3
"""From one search of a part to the next, however many faces wait for theirs."""

MOVED = 0.25
"""Share of a box that has changed from which the face in it has moved. On clips a box that was eight frames old had an
IoU of 0.96 with the true one where less than a tenth of it had changed, 0.93 up to a quarter, 0.85 up to a half, 0.74
beyond."""

REST = 4
"""Parts of a picture at rest are searched this many times more seldom than the whole of it."""

LATE = 1.5
"""A ROI may be so many times older than it should be where too little may be spent or too many faces wait; from then on
its face is looked for before all else, as the tracker is about to let it go."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Fixed cadence, bounded in frames and in time.

    Attributes:
        interval_frames: search the whole frame on every such frame that is analysed, if it changed (sooner if a face
            has moved); 1: on each.
        max_age_ms: a ROI is looked for again after this, however few frames that are; after up to `LATE` times as long
            if the intervals are stretched, or if parts of the frame are searched for too many faces.
        tile_frames: search a part of the frame on every such frame.
        max_new_face_ms: the whole frame is searched at least so often, even if nothing seems to move.
        min_face_px: width of the smallest face wanted, in pixels of the frame.
    """

    interval_frames: int = 10
    max_age_ms: float = 400.0
    tile_frames: int = 6
    max_new_face_ms: float = 1000.0
    min_face_px: int = 24


class Lookout:
    """Decides for each frame, and remembers what was searched when. Owned by one thread; deterministic."""

    def __init__(self, policy: Policy, *, parts: bool) -> None:
        """`parts`: whether there is a detector for parts of the frame."""
        self._policy = policy
        self._parts = parts
        self._motion = Motion()
        self._rest_ms = policy.max_new_face_ms * REST
        self._size = (0, 0)
        self._whole: Visit | None = None
        self._tiles = Tiles((), self._motion, self._rest_ms)
        self._doubts = Doubts(self._motion, self._rest_ms)
        self._part_frame = 0
        self._new_frame = 0
        self._checked_last = False
        self._frames = 0

    def retune(self, policy: Policy) -> None:
        """Go by another policy; what was searched until now does not count."""
        if policy != self._policy:
            self._policy = policy
            self._rest_ms = policy.max_new_face_ms * REST
            self._size = (0, 0)

    def decide(self, frame: Frame, tracks: Tracks, stretch: float = 1.0) -> Decision:
        """Whether to search on this frame, where, and why (not).

        Args:
            frame: the frame at hand.
            tracks: the faces followed so far.
            stretch: factor, at least 1, on all intervals.
        """
        self._frames += 1
        if (frame.width, frame.height) != self._size:
            self._begin(frame)
        if self._policy.interval_frames > 1:
            self._motion.look(frame)
        self._doubts.note(frame, tracks.doubtful)
        reason = self._whole_due(frame, tracks, stretch)
        if reason:
            self._whole = Visit(self._frames, frame.seq, frame.t_ns)
            return Decision(True, reason, Search())
        found = self._part_due(frame, tracks, stretch) if self._parts else None
        if found:
            return Decision(True, *found)
        return Decision(False, "roi" if tracks.items else "idle")

    def _begin(self, frame: Frame) -> None:
        """A picture of another size: nothing of it was seen yet."""
        self._size = (frame.width, frame.height)
        found = tiles(*self._size, self._policy.min_face_px) if self._parts else ()
        self._tiles = Tiles(found, self._motion, self._rest_ms)
        self._doubts = Doubts(self._motion, self._rest_ms)
        self._whole = None

    def _whole_due(self, frame: Frame, tracks: Tracks, stretch: float) -> str | None:
        """Why the whole frame has to be searched; None: it has not."""
        last, policy = self._whole, self._policy
        if last is None:
            return "first"
        frames, age_ms = (self._frames - last.frame) / stretch, last.age_ms(frame)
        due = frames >= policy.interval_frames or age_ms / stretch >= policy.max_age_ms
        # whom only parts show is looked for there
        shown = [track for track in tracks.items if not tracks.paths[track.id].near]
        reason: str | None = None
        if shown and age_ms >= policy.max_age_ms * min(stretch, LATE):
            reason = "age"
        elif frames >= SPARE_FRAMES and self._moved(shown, last.seq):
            reason = "moved"
        elif not self._parts and any(track.misses for track in tracks.items):
            reason = "missed"
        elif due and (policy.interval_frames == 1 or self._motion.since(last.seq)):
            reason = "interval"
        elif age_ms / stretch >= policy.max_new_face_ms:
            reason = "watch"
        return reason

    def _moved(self, tracks: Sequence[Track], seq: int) -> bool:
        """Whether one of the faces has moved since frame `seq`."""
        return any(self._motion.share(seq, track.box) >= MOVED for track in tracks)

    def _part_due(self, frame: Frame, tracks: Tracks, stretch: float) -> tuple[str, Search] | None:
        """Which part has to be searched, and why."""
        if (self._frames - self._part_frame) / stretch < PART_FRAMES:
            late = self._late(frame, tracks)
            return _sought(late, frame) if late else None
        found = self._spare(frame, tracks, stretch)
        if found:
            self._part_frame = self._frames
        return found

    def _spare(self, frame: Frame, tracks: Tracks, stretch: float) -> tuple[str, Search] | None:
        """What to do with a search that is to spare: neither known faces nor new ones may take all of them."""
        sought = self._missed(tracks)
        if sought:
            return _sought(sought, frame)
        if (self._frames - self._new_frame) / stretch >= self._policy.tile_frames:
            new = self._new(frame, tracks)
            if new:
                self._new_frame = self._frames
                return new
        sought = self._stalest(frame, tracks, stretch)
        if sought:
            return _sought(sought, frame)
        return self._check(frame, tracks)

    def _new(self, frame: Frame, tracks: Tracks) -> tuple[str, Search] | None:
        """Where to look for a new face: at what may be one and at the next tile, in turn."""
        check = None if self._checked_last else self._check(frame, tracks)
        self._checked_last = check is not None
        tile = None if check else self._tiles.take(frame, self._frames)
        return ("tile", Search(tile)) if tile else check

    def _check(self, frame: Frame, tracks: Tracks) -> tuple[str, Search] | None:
        """A closer look at what may be a face."""
        doubtful = self._doubts.take(frame, self._frames, [track.box for track in tracks.items])
        return ("check", Search(around(doubtful, CHECK, frame.width / frame.height))) if doubtful else None

    def _late(self, frame: Frame, tracks: Tracks) -> Track | None:
        """The face longest not seen of those that are looked for in parts, if it is high time."""
        limit_ns = frame.t_ns - self._policy.max_age_ms * LATE * 1e6
        old = [track for track in tracks.items if track.seen_ns <= limit_ns]
        if not old:  # nearly always
            return None
        late = [track for track in old if track.misses or tracks.paths[track.id].near]
        return min(late, key=lambda track: track.seen_ns) if late else None

    @staticmethod
    def _missed(tracks: Tracks) -> Track | None:
        """The face last seen of those that the newest search for them did not find."""
        missed = [track for track in tracks.items if track.misses]
        return max(missed, key=lambda track: track.seen_ns) if missed else None

    def _stalest(self, frame: Frame, tracks: Tracks, stretch: float) -> Track | None:
        """The face longest not seen of those that only parts show, if its ROI is due."""
        policy = self._policy
        limit_ms = policy.max_age_ms * min(stretch, LATE)
        due = []
        for track in tracks.items:
            if not tracks.paths[track.id].near:
                continue
            frames, age_ms = frame.seq - track.seen_seq, (frame.t_ns - track.seen_ns) / 1e6
            old = frames >= policy.interval_frames * stretch
            changed = self._motion.share(track.seen_seq, track.box)
            if age_ms >= limit_ms or changed >= MOVED or (old and changed):
                due.append(track)
        return min(due, key=lambda track: track.seen_ns) if due else None


def _sought(track: Track, frame: Frame) -> tuple[str, Search]:
    """The search for a known face, around where it is expected, and why."""
    region = around(track.box, FOLLOW, frame.width / frame.height)
    return "missed" if track.misses else "follow", Search(region, track.id)
