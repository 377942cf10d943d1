"""When a detector has to run. Between two runs the faces' cached ROIs are used."""

from dataclasses import dataclass

import msgspec

from edge.types import Decision, Frame, Track


@dataclass(frozen=True, slots=True)
class Policy:
    """Fixed cadence, bounded in frames and in time.

    Attributes:
        interval_frames: detect on every such frame that is analysed; 1: on each.
        max_age_ms: a ROI is never used longer than this, however few frames that are.
    """

    interval_frames: int = 5
    max_age_ms: float = 400.0

    def decide(self, frame: Frame, tracks: tuple[Track, ...], since: "Since | None") -> Decision:
        """Whether to detect on this frame, and why (not).

        Args:
            frame: the frame at hand.
            tracks: the faces followed so far.
            since: the last detector run, None before the first.
        """
        if since is None:
            return Decision(True, "first")
        if since.frames + 1 >= self.interval_frames:
            return Decision(True, "interval")
        if (frame.t_ns - since.t_ns) / 1e6 >= self.max_age_ms:
            return Decision(True, "age")
        if any(track.misses for track in tracks):
            return Decision(True, "missed")
        return Decision(False, "roi" if tracks else "idle")


class Since(msgspec.Struct, frozen=True):
    """The last detector run.

    Attributes:
        frames: frames analysed after it.
        t_ns: time of its frame.
    """

    frames: int
    t_ns: int
