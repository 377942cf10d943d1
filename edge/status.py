"""What the program says about itself: one snapshot, shown by `/state`, the page and systemd's status line."""

import msgspec


class SourceStatus(msgspec.Struct, frozen=True):
    """The camera or file.

    Attributes:
        name: which one, for people.
        state: `starting`, `online`, `stalled`, `reconnecting` or `ended`.
        reason: why it was chosen, or why it is in this state.
        width: of the newest frame in px, 0 before the first.
        height: of the newest frame in px, 0 before the first.
        frames: grabbed so far, with those the source left out to keep pace: scenes and skipped frames add up to it.
        reconnects: how often it was opened again after it had delivered.
        since: number of the first frame since it came online.
    """

    name: str
    state: str
    reason: str
    width: int = 0
    height: int = 0
    frames: int = 0
    reconnects: int = 0
    since: int = 0


class Percentiles(msgspec.Struct, frozen=True):
    """Over the last few seconds, in milliseconds."""

    p50: float
    p95: float


class Status(msgspec.Struct, frozen=True):
    """A snapshot.

    Attributes:
        version: of emotion-edge.
        uptime_s: since the start.
        source: the camera or file.
        detector: name of the face detector.
        model: name of the expression model.
        runtime: which TFLite interpreter, with its version.
        labels: class names in the order of all scores.
        threshold: below this confidence a face is `uncertain`.
        fps: scenes analysed per second, over the last few seconds.
        faces: in the newest scene.
        latency_ms: age of a frame when its scene is done.
        stages_ms: time per stage.
        skipped: frames not analysed, by reason, since the start.
        decisions: detector decisions by reason, since the start.
        viewers: of the stream, now.
        encoded: JPEGs made since the start.
        events_lost: scenes that could not be written to the event log.
        notices: warnings a person should see, such as a missing detector file.
    """

    version: str
    uptime_s: float
    source: SourceStatus
    detector: str
    model: str
    runtime: str
    labels: tuple[str, ...]
    threshold: float
    fps: float
    faces: int
    latency_ms: Percentiles | None
    stages_ms: dict[str, Percentiles]
    skipped: dict[str, int]
    decisions: dict[str, int]
    viewers: int
    encoded: int
    events_lost: int = 0
    notices: tuple[str, ...] = ()
