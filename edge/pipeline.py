"""The core: one frame in, one scene out. No threads; its only clock is the one that times the stages."""

from collections.abc import Sequence

import numpy as np
from msgspec.structs import replace

from edge import smoothing, tracker
from edge.attention import Attention
from edge.contract.chip import chip_square, cut_chip
from edge.policy import Policy, Since
from edge.ports import Classifier, Clock, FaceDetector
from edge.smoothing import ExpressionRule
from edge.tracker import TrackerSettings, Tracks
from edge.types import Frame, Pixels, Scene, Track


class Pipeline:
    """Detector, tracker and classifier, in step. Owned by one thread; deterministic for a given run of frames."""

    def __init__(
        self,
        detector: FaceDetector,
        classifier: Classifier,
        clock: Clock,
        *,
        policy: Policy | None = None,
        tracking: TrackerSettings | None = None,
        rule: ExpressionRule | None = None,
        attention: Attention | None = None,
    ) -> None:
        self._detector = detector
        self._classifier = classifier
        self._clock = clock
        self._policy = policy or Policy()
        self._tracking = tracking or TrackerSettings()
        self._rule = rule or ExpressionRule()
        self._attention = attention or Attention()
        self._tracks = Tracks()
        self._since: Since | None = None
        self._followed: int | None = None

    def step(self, frame: Frame) -> Scene:
        """Analyse one frame. Frames must come in the order of their time."""
        watch = Stopwatch(self._clock)
        decision = self._policy.decide(frame, self._tracks.items, self._since)
        faces = None
        if decision.detect:
            watch.start()
            faces = self._detector.detect(frame)
            watch.lap("detect")
            self._since = Since(0, frame.t_ns)
        elif self._since:
            self._since = Since(self._since.frames + 1, self._since.t_ns)
        watch.start()
        self._tracks = tracker.advance(self._tracks, frame, faces, self._tracking)
        watch.lap("track")
        shown = self._attention.shown(self._tracks.items, self._followed)
        due = self._attention.due(shown, frame.t_ns)
        if due:
            read = self._read(due, frame, watch)
            items = tuple(read.get(track.id, track) for track in self._tracks.items)
            self._tracks = replace(self._tracks, items=items)
            shown = self._attention.shown(items, self._followed)
        self._followed = shown[0].id if shown else None
        return Scene(frame, shown, self._classifier.labels, decision, watch.laps_ns)

    def _read(self, due: Sequence[Track], frame: Frame, watch: "Stopwatch") -> dict[int, Track]:
        """By id, as many of the faces as may be read on one frame, named anew."""
        most = self._attention.max_faces or len(due)
        seen, cut = [], []
        for track in due:
            chips = self._cut(frame, track)
            if chips:
                seen.append(track)
                cut.append(chips)
                if len(seen) == most:
                    break
        watch.lap("chip")
        if not seen:
            return {}
        scores = self._classifier.classify(*[np.array(chips) for chips in zip(*cut, strict=True)])
        watch.lap("classify")
        return {track.id: self._named(track, now, frame) for track, now in zip(seen, scores, strict=True)}

    def _cut(self, frame: Frame, track: Track) -> tuple[Pixels, ...]:
        """The face's chip for each of the classifier's views; none if one would show nothing of the frame."""
        framing, width, height = self._detector.framing, frame.width, frame.height
        chips = []
        for view in self._classifier.views:
            square = chip_square(track.box, width, height, framing, view.margin)
            if square.x >= width or square.y >= height or square.x + square.w <= 0 or square.y + square.h <= 0:
                return ()
            # a grey chip from a BGR frame: convert the crop, not the frame
            has_luma = frame.pixels.ndim == 2 and view.channels == 1
            chips.append(cut_chip(frame.luma if has_luma else frame.bgr, square, view))
        return tuple(chips)

    def _named(self, track: Track, now: np.ndarray, frame: Frame) -> Track:
        dt_s = 0.0 if track.scored_ns is None else (frame.t_ns - track.scored_ns) / 1e9
        scores = smoothing.smooth(track.scores, now, dt_s, self._rule.time_constant_s)
        label, confidence, led_ns = smoothing.name(track, scores, frame.t_ns, self._classifier.labels, self._rule)
        return replace(
            track,
            scores=scores,
            scored_seq=frame.seq,
            scored_ns=frame.t_ns,
            label=label,
            confidence=confidence,
            led_ns=led_ns,
        )


class Stopwatch:
    """Times the stages of one frame.

    Attributes:
        laps_ns: nanoseconds of each stage so far.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._from_ns = 0
        self.laps_ns: dict[str, int] = {}

    def start(self) -> None:
        """A stage begins."""
        self._from_ns = self._clock()

    def lap(self, stage: str) -> None:
        """It ends here, and the next begins."""
        now_ns = self._clock()
        self.laps_ns[stage] = now_ns - self._from_ns
        self._from_ns = now_ns
