"""What the program says about itself: one snapshot, shown by `/state`, the page and systemd's status line."""

from typing import Final

import msgspec

from edge.control import ControlStatus

SOURCE_STATES: Final = (
    "starting",
    "online",
    "stalled",
    "waiting",
    "reconnecting",
    "paused",
    "stopped",
    "failed",
    "ended",
)
"""All that `SourceStatus.state` can be."""


class SourceStatus(msgspec.Struct, frozen=True):
    """The camera or file.

    Attributes:
        name: which one, for people.
        state: `starting` (no picture yet), `online`, `stalled` (open, but silent), `waiting` (for somebody to send
            pictures), `reconnecting` (broken, and opened again), `paused` or `stopped` (by a person), `failed` (beyond
            mending; the program ends) or `ended` (a file is at its end).
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


class BudgetChange(msgspec.Struct, frozen=True):
    """Effort was lowered or raised.

    Attributes:
        time: when, RFC 3339.
        reason: `latency`, `fps`, `cpu`, `temperature`, `throttled` or `recovered`.
        message: the same with figures.
        before: level of effort.
        after: level of effort.
    """

    time: str
    reason: str
    message: str
    before: int
    after: int


class BudgetStatus(msgspec.Struct, frozen=True):
    """What the analysis may spend, and why.

    Attributes:
        level: of effort; 0: all of it.
        search_every: factor on the interval of face detection.
        read_every: factor on the interval at which a face is read.
        max_fps: frames analysed per second; 0: no limit.
        latency_ms: from a frame's grab to its scene, 95th percentile over the last second; None: not known yet.
        cpu_share: processor time of the whole program as a share of one core, over the last second.
        temperature_c: of the processor, in °C; None where unknown.
        throttled: what a Raspberry Pi's firmware says of it now: `under-voltage`, `frequency capped`, `throttled`,
            `soft temperature limit`.
        counts: changes by reason, since the start.
        changes: the last ones, the newest last.
        max_latency_ms: the budget that is kept to, as in the settings; 0: no limit.
        max_cpu_share: the same.
        max_temperature_c: the same.
    """

    level: int
    search_every: float
    read_every: float
    max_fps: float
    latency_ms: float | None
    cpu_share: float | None
    temperature_c: float | None
    throttled: tuple[str, ...]
    counts: dict[str, int]
    changes: tuple[BudgetChange, ...]
    max_latency_ms: float = 0.0
    max_cpu_share: float = 0.0
    max_temperature_c: float = 0.0


class ClientStatus(msgspec.Struct, frozen=True):
    """One client that is served now.

    Attributes:
        kind: `stream` (pictures), `events` (records) or `push` (it sends pictures).
        address: from where.
        since_s: seconds since it came.
        fps: pictures or records a second that it has taken, over the last seconds.
        kbps: kilobits a second that it has taken, over the last seconds.
        skipped: pictures it did not get because it, or the bandwidth it is allowed, was too slow for them.
        options: what it asked for, as in the URL; empty: nothing but the default.
    """

    kind: str
    address: str
    since_s: float
    fps: float
    kbps: float
    skipped: int
    options: str


class PrivacyStatus(msgspec.Struct, frozen=True):
    """What leaves the program.

    Attributes:
        video: `full`, `blurred`, `boxes` or `none`.
        masks: how many regions are blacked out.
        events: `faces`: a record per scene; `aggregate`: only sums over a period.
    """

    video: str = "full"
    masks: int = 0
    events: str = "faces"


class UploadsStatus(msgspec.Struct, frozen=True):
    """What clients may send to be analysed.

    Attributes:
        enabled: whether they may send anything.
        max_mb: of one file.
        max_minutes: of one video.
        running: videos that are being analysed.
        waiting: videos that wait for their turn, or are still arriving.
    """

    enabled: bool
    max_mb: float
    max_minutes: float
    running: int
    waiting: int


class MqttStatus(msgspec.Struct, frozen=True):
    """The MQTT broker.

    Attributes:
        broker: `HOST:PORT`.
        connected: whether it takes what it is told now.
        reason: why not; empty while connected.
        sent: event records that it has said it has, since the start.
        waiting: event records that are kept for it.
        dropped: event records that were lost, since there was no room for more.
    """

    broker: str
    connected: bool
    reason: str
    sent: int
    waiting: int
    dropped: int


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
        delivery_ms: age of a frame when the kernel has taken its picture for a client; None while nobody watches.
        notices: warnings a person should see, such as a missing detector file.
        budget: what the analysis may spend; None where it takes its time, or `budget.adapt` is off.
        clients: who is served now.
        control: what a person asked of the source.
        push: whether the source takes pictures from a browser or a program, at `/api/v1/push`.
        privacy: what is shown and told of people.
        uploads: whether pictures and videos may be sent to be analysed, and how large.
        mqtt: the MQTT broker; None if there is none.
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
    delivery_ms: Percentiles | None = None
    notices: tuple[str, ...] = ()
    budget: BudgetStatus | None = None
    clients: tuple[ClientStatus, ...] = ()
    control: ControlStatus = ControlStatus()
    push: bool = False
    privacy: PrivacyStatus = PrivacyStatus()
    uploads: UploadsStatus | None = None
    mqtt: MqttStatus | None = None


def in_one_line(status: Status) -> str:
    """What it comes to, for `systemctl status`: how fast it is and how many faces it sees, or why it does not."""
    source = status.source
    match source.state:
        case "online" | "ended":
            return f"{source.state}, {status.fps:.1f} fps, {status.faces} faces"
        case "starting":
            return f"waiting for the camera {source.name}: {source.reason.removeprefix(f'{source.name}: ')}"
        case "waiting":
            return f"waiting for pictures: {source.reason}"
        case state:
            return f"{state}: {source.reason}"
