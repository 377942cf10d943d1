"""The core: one frame in, one scene out. No threads; its only clock is the one that times the stages."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from msgspec.structs import replace

from edge import smoothing, tracker
from edge.attention import Attention
from edge.contract.native import cut_frame
from edge.contract.placement import placed, roll_to_undo_deg
from edge.effort import FULL
from edge.policy import Lookout, Policy
from edge.ports import Classifier, Clock, FaceDetector
from edge.quality import Doubt, Gate, unread
from edge.searching import Searcher
from edge.smoothing import ExpressionRule
from edge.tracker import WHOLE_FRAME, TrackerSettings, Tracks
from edge.types import Frame, Pixels, Scene, Track


@dataclass(frozen=True, slots=True)
class Tuning:
    """What of the core may be changed from one frame to the next.

    Attributes:
        policy: when to search.
        tracking: who is who.
        rule: what to call them.
        attention: whom to read.
        gate: what a face needs to be read; None: nothing.
    """

    policy: Policy
    tracking: TrackerSettings
    rule: ExpressionRule
    attention: Attention
    gate: Gate | None


class Pipeline:
    """Detector, tracker and classifier, in step. Owned by one thread; deterministic for a given run of frames.

    Attributes:
        effort: what it may spend; may be changed from one frame to the next.
    """

    def __init__(
        self,
        detector: FaceDetector,
        classifier: Classifier,
        clock: Clock,
        *,
        near: FaceDetector | None = None,
        policy: Policy | None = None,
        tracking: TrackerSettings | None = None,
        rule: ExpressionRule | None = None,
        attention: Attention | None = None,
        gate: Gate | None = None,
    ) -> None:
        """All parts are owned from now on.

        Args:
            detector: finds faces in the whole frame.
            classifier: names them.
            clock: times the stages.
            near: finds faces in parts of the frame, outlined as `detector` outlines them; None: parts are not searched.
            policy: when to search.
            tracking: who is who.
            rule: what to call them.
            attention: whom to read.
            gate: what a face needs to be read; None: nothing.
        """
        self.effort = FULL
        self._searcher = Searcher(detector, near)
        self._framing = detector.framing
        self._classifier = classifier
        self._clock = clock
        self._lookout = Lookout(policy or Policy(), parts=near is not None)
        self._tracking = tracking or TrackerSettings()
        self._rule = rule or ExpressionRule()
        self._attention = attention or Attention()
        self._gate = gate
        self._tracks = Tracks()
        self._followed: int | None = None

    def retune(self, tuning: Tuning) -> None:
        """Go on with other settings; faces keep their ids and what is known of them."""
        self._lookout.retune(tuning.policy)
        self._tracking = tuning.tracking
        self._rule = tuning.rule
        self._attention = tuning.attention
        self._gate = tuning.gate

    def step(self, frame: Frame) -> Scene:
        """Analyse one frame. Frames must come in the order of their time."""
        watch = Stopwatch(self._clock)
        watch.start()
        decision = self._lookout.decide(frame, self._tracks, self.effort.search_every)
        watch.lap("decide")
        faces, search = None, decision.search or WHOLE_FRAME
        if decision.detect:
            faces = self._searcher.find(frame, search.region)
            watch.lap("detect")
        self._tracks = tracker.advance(self._tracks, frame, faces, self._tracking, search)
        watch.lap("track")
        shown = self._attention.shown(self._tracks.items, self._followed)
        due = self._attention.due(shown, frame.t_ns, self.effort.read_every)
        if due:
            read = self._read(due, frame, watch)
            items = tuple(read.get(track.id, track) for track in self._tracks.items)
            self._tracks = replace(self._tracks, items=items)
            shown = self._attention.shown(items, self._followed)
        self._followed = shown[0].id if shown else None
        return Scene(frame, shown, self._classifier.labels, decision, watch.laps_ns)

    def chips_of(self, scene: Scene) -> dict[int, tuple[Pixels, ...]]:
        """By id, what the classifier saw of the faces it read on the scene's frame: a chip for each of its views.

        Args:
            scene: made by a pipeline with the same parts.
        """
        read = (track for track in scene.tracks if track.scored_seq == scene.frame.seq)
        return {track.id: self._cut(scene.frame, track) for track in read}

    def _read(self, due: Sequence[Track], frame: Frame, watch: "Stopwatch") -> dict[int, Track]:
        """By id, as many faces as may be read on one frame, named anew; who cannot be read takes nobody's turn."""
        most = self._attention.max_faces or len(due)
        looked: dict[int, Track] = {}
        seen, cut = [], []
        for track in due:
            chips = self._cut(frame, track)
            doubt = self._doubt(chips[0], track, frame) if chips else None
            if doubt:
                looked[track.id] = unread(track, doubt, frame.t_ns, self._rule.min_hold_s)
            elif chips:
                seen.append(track)
                cut.append(chips)
                if len(seen) == most:
                    break
        watch.lap("chip")
        if not seen:
            return looked
        scores = self._classifier.classify(*[_together(chips) for chips in zip(*cut, strict=True)])
        watch.lap("classify")
        return looked | {track.id: self._named(track, now, frame) for track, now in zip(seen, scores, strict=True)}

    def _doubt(self, chip: Pixels, track: Track, frame: Frame) -> Doubt | None:
        if self._gate is None:
            return None
        side_px = track.box.w * frame.width * self._framing.scale
        return self._gate.doubt(chip, side_px, track.keypoints, (frame.width, frame.height))

    def _cut(self, frame: Frame, track: Track) -> tuple[Pixels, ...]:
        """The face's chip for each of the classifier's views; none if one would show nothing of the frame."""
        width, height = frame.width, frame.height
        roll_deg = roll_to_undo_deg(track.keypoints, width, height)
        chips = []
        for view in self._classifier.views:
            place = placed(track.box, width, height, self._framing, view.margin, roll_deg)
            around = place.around()
            if around.x >= width or around.y >= height or around.x + around.w <= 0 or around.y + around.h <= 0:
                return ()
            chips.append(cut_frame(frame, place, view))
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
            doubt=None,
            looked_ns=frame.t_ns,
        )


def _together(chips: tuple[Pixels, ...]) -> Pixels:
    """Chips (S, S, C) as one array (N, S, S, C); a single one, as there mostly is, stays where it is."""
    return chips[0][np.newaxis] if len(chips) == 1 else np.array(chips)


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
