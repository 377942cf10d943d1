"""All settings, declared once, and the check of what is given for them. A change is a new snapshot."""

import difflib
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec
from msgspec import Meta

from edge.contract.terms import GivenContract, Output
from edge.errors import ConfigError
from edge.server.settings import ServerSettings
from edge.sinks.mqtt_settings import MqttSettings

ENVIRONMENT_PREFIX = "EMOTION_EDGE_"
NEVER_QUOTED = ("token", "password")
"""Keys whose values are in no message."""

Share = Annotated[float, Meta(ge=0.0, le=1.0)]
Models = str | Annotated[tuple[str, ...], Meta(min_length=1)]
"""Paths of model files that answer together; in the environment joined as those of $PATH are."""


class _Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Settings that belong together."""


class SourceConfig(_Section, frozen=True):
    """Where frames come from.

    Attributes:
        uri: `auto`, `demo`, a file, a folder, `fifo:…`, `v4l2:…`, `picamera2`, `http://…`, `rtsp://…`, `push:`.
        rotate: degrees by which the picture is turned, clockwise: for a camera that hangs sideways or upside down.
        mirror: whether left and right are swapped, once it is turned.
        max_fps: frames beyond this rate are not analysed; 0: no limit.
        read_timeout_s: a live source that gives nothing for this long is opened again.
        frozen_s: a network stream whose picture has not changed by a bit for this long is opened again; 0: never.
    """

    uri: str = "auto"
    rotate: Literal[0, 90, 180, 270] = 0
    mirror: bool = False
    max_fps: Annotated[float, Meta(ge=0.0, le=1000.0)] = 0.0
    read_timeout_s: Annotated[float, Meta(gt=0.0, le=60.0)] = 5.0
    frozen_s: Annotated[float, Meta(ge=0.0, le=3600.0)] = 30.0


class DetectorConfig(_Section, frozen=True):
    """How faces are found.

    Attributes:
        name: which detector; `auto`: the best one whose file is there.
        interval: search the whole frame on every such frame if anything moved, use the cached ROIs between; 1: on each.
        max_roi_age_ms: a face is looked for again after this; after up to half as long again where little may be spent
            or many small faces are followed.
        max_new_face_delay_ms: the whole frame is searched at least so often, even if nothing seems to move.
        tiles: also search parts of the frame, one at a time, for faces that are too small to be found in all of it.
        tile_interval: search a part on every such frame, if it changed.
        min_score: confidence a face needs; without it, the detector's own.
        min_face_px: narrower faces are ignored; in pixels of the frame. The size of the parts follows from it.
    """

    name: Literal["auto", "blazeface-full", "blazeface-sparse", "blazeface-short", "haar", "mediapipe"] = "auto"
    interval: Annotated[int, Meta(ge=1, le=300)] = 10
    max_roi_age_ms: Annotated[float, Meta(gt=0.0, le=10_000.0)] = 400.0
    max_new_face_delay_ms: Annotated[float, Meta(gt=0.0, le=60_000.0)] = 1000.0
    tiles: bool = True
    tile_interval: Annotated[int, Meta(ge=1, le=300)] = 6
    min_score: Share | None = None
    min_face_px: Annotated[int, Meta(ge=0, le=4096)] = 24


class ExpressionConfig(_Section, frozen=True):
    """How a face is named.

    Attributes:
        model: path of a .tflite, or several whose answers are averaged; `shipped` or empty: the one that comes with
            the program.
        still_model: the same for pictures (`images:` sources); empty: `model`.
        flip: average the answers to each face and to its mirror image; costs twice the time.
        contract: what models without a card take and give; several name the file each is for.
        threshold: below this confidence a face is `uncertain`.
        smoothing_s: time constant of the average over time; 0: none.
        hysteresis: probability by which another class must lead, or the label's own fall below the threshold, for the
            label to change at once; 0: it always does.
        min_hold_s: a lead that is smaller counts once it has lasted so long.
        interval_ms: a face is read again once its scores are so old; 0: on every frame.
        max_faces: faces read on one frame at most, the largest and the others in turn; 0: all.
        faces: whom to show and read: all, or only the largest face.
        quality_gate: leave faces unread, and `uncertain`, that are too small, too blurred or turned too far away.
        min_read_px: smaller faces are not read; side of what is cut, in pixels of the frame.
    """

    model: Models = ""
    still_model: Models = ""
    flip: bool = False
    contract: GivenContract | tuple[GivenContract, ...] | None = None
    threshold: Share = 0.45
    smoothing_s: Annotated[float, Meta(ge=0.0, le=10.0)] = 0.25
    hysteresis: Share = 0.08
    min_hold_s: Annotated[float, Meta(ge=0.0, le=60.0)] = 0.5
    interval_ms: Annotated[float, Meta(ge=0.0, le=10_000.0)] = 60.0
    max_faces: Annotated[int, Meta(ge=0, le=1000)] = 2
    faces: Literal["all", "largest"] = "all"
    quality_gate: bool = True
    min_read_px: Annotated[int, Meta(ge=0, le=4096)] = 12


class BudgetConfig(_Section, frozen=True):
    """What the analysis may spend; beyond it, searching, reading and in the end the frame rate are lowered.

    Attributes:
        adapt: whether to keep to it; files taken frame by frame (`realtime=0`) never adapt.
        target_fps: frames per second to analyse; 0: all the source gives.
        unwatched_fps: frames per second to analyse while nobody watches or listens and nothing is recorded; less than 2
            counts as 2, as nobody can be followed with fewer; 0: as ever.
        max_latency_ms: from a frame's grab to its scene, for 95 of 100 frames; 0: no limit.
        cpu_budget: processor time of the whole program, as a share of one core; 0: no limit.
        max_temperature_c: of the processor, in °C; 0: no limit.
        sysfs: where temperature and throttling are read.
    """

    adapt: bool = True
    target_fps: Annotated[float, Meta(ge=0.0, le=1000.0)] = 0.0
    unwatched_fps: Annotated[float, Meta(ge=0.0, le=1000.0)] = 10.0
    max_latency_ms: Annotated[float, Meta(ge=0.0, le=60_000.0)] = 250.0
    cpu_budget: Annotated[float, Meta(ge=0.0, le=1000.0)] = 0.0
    max_temperature_c: Annotated[float, Meta(ge=0.0, le=150.0)] = 80.0
    sysfs: str = "/sys"


class StreamConfig(_Section, frozen=True):
    """What the picture looks like.

    Attributes:
        quality: of the JPEGs, 1..100.
        max_variants: how many kinds of picture (size, quality, with or without boxes) are encoded at once; who asks for
            one more is told to come back.
    """

    quality: Annotated[int, Meta(ge=1, le=100)] = 80
    max_variants: Annotated[int, Meta(ge=1, le=16)] = 4


Extent = Annotated[float, Meta(gt=0.0, le=1.0)]
Region = tuple[Share, Share, Extent, Extent]
"""x, y, width, height as shares of the picture, top left origin; one without an area would hide nothing."""


class PrivacyConfig(_Section, frozen=True):
    """What leaves the program.

    Attributes:
        video: `full`: the picture; `blurred`: nobody can be recognised in it; `boxes`: boxes on an empty ground;
            `none`: no picture at all, numbers only.
        masks: regions that are blacked out before anything else sees the frame, the analysis included.
        events: `faces`: a record per scene; `aggregate`: only how many faces showed what over a period.
        aggregate_s: that period.
    """

    video: Literal["full", "blurred", "boxes", "none"] = "full"
    masks: Annotated[tuple[Region, ...], Meta(max_length=32)] = ()
    events: Literal["faces", "aggregate"] = "faces"
    aggregate_s: Annotated[float, Meta(ge=1.0, le=86_400.0)] = 60.0


class UploadsConfig(_Section, frozen=True):
    """Pictures and videos that clients send to be analysed.

    Attributes:
        enabled: whether they may.
        max_mb: of one file.
        max_megapixels: of one picture, or one frame.
        max_minutes: of one video.
        max_waiting: videos that wait for their turn; one at a time is analysed.
        keep_minutes: results of a video are deleted so long after they were last asked for.
        folder: where a video and its results lie meanwhile; empty: the system's folder for temporary files.
    """

    enabled: bool = True
    max_mb: Annotated[float, Meta(gt=0.0, le=10_000.0)] = 200.0
    max_megapixels: Annotated[float, Meta(gt=0.0, le=1000.0)] = 40.0
    max_minutes: Annotated[float, Meta(gt=0.0, le=1440.0)] = 10.0
    max_waiting: Annotated[int, Meta(ge=0, le=100)] = 4
    keep_minutes: Annotated[float, Meta(gt=0.0, le=10_080.0)] = 30.0
    folder: str = ""


class EventsConfig(_Section, frozen=True):
    """The event log.

    Attributes:
        path: of the JSON Lines file; empty: none is written.
        max_mb: the file is rotated when it reaches this size.
        keep: how many rotated files are kept.
        keep_days: lines older than this are deleted, at the start and once a day; 0: never.
        flush_s: lines are held back up to this long, to spare SD cards.
    """

    path: str = ""
    max_mb: Annotated[float, Meta(gt=0.0, le=100_000.0)] = 20.0
    keep: Annotated[int, Meta(ge=0, le=1000)] = 5
    keep_days: Annotated[float, Meta(ge=0.0, le=36_500.0)] = 0.0
    flush_s: Annotated[float, Meta(ge=0.0, le=600.0)] = 5.0


class LogConfig(_Section, frozen=True):
    """The program's own log on stderr.

    Attributes:
        level: least severity shown.
        format: `text` is for people, `json` for machines; `auto`: entries with fields where systemd's journal reads
            it, else text.
    """

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "text", "json"] = "auto"


class Config(_Section, frozen=True):
    """One snapshot of all settings."""

    source: SourceConfig = SourceConfig()
    detector: DetectorConfig = DetectorConfig()
    expression: ExpressionConfig = ExpressionConfig()
    budget: BudgetConfig = BudgetConfig()
    stream: StreamConfig = StreamConfig()
    privacy: PrivacyConfig = PrivacyConfig()
    uploads: UploadsConfig = UploadsConfig()
    server: ServerSettings = ServerSettings()
    events: EventsConfig = EventsConfig()
    mqtt: MqttSettings = MqttSettings()
    log: LogConfig = LogConfig()


Layer = dict[str, dict[str, Any]]


def converted(merged: Layer, origin: str) -> Config:
    """A snapshot of settings as files have them.

    Args:
        merged: section → key → value.
        origin: of what was merged last, for the message.

    Raises:
        ConfigError: a value has the wrong type or is out of range.
    """
    try:
        return msgspec.convert(merged, Config)
    except msgspec.ValidationError as error:
        raise ConfigError(f"bad setting in {origin}: {_explained(error)}") from error


def settings() -> Iterator[tuple[str, str, Any]]:
    """Section, key and type of every setting."""
    for section in msgspec.structs.fields(Config):
        for key in msgspec.structs.fields(section.type):
            yield section.name, key.name, key.type


def _explained(error: msgspec.ValidationError) -> str:
    """What is wrong, with the values to choose from where there is a choice."""
    text = str(error).replace("`$.", "`")
    for section, key, kind in settings():
        if f"`{section}.{key}`" in text and choices(kind):
            return text + choices(kind)
    if "`expression.contract" in text:
        keys = [field.name for field in msgspec.structs.fields(GivenContract)]
        return f"{text}; a contract has {', '.join(keys)}; its output is {' or '.join(get_args(Output))}"
    return text


def choices(kind: Any) -> str:
    """What there is to choose from, or what is expected, for a message's end; empty where nothing is left to say."""
    if get_origin(kind) is Literal:
        return f"; allowed: {', '.join(map(str, get_args(kind)))}"
    said = [meta.description for meta in getattr(kind, "__metadata__", ()) if getattr(meta, "description", None)]
    return f"; that is, {said[0]}" if said else ""


def refuse_unknown(layer: Mapping[str, Any], origin: str) -> None:
    """Refuse what is no setting.

    Raises:
        ConfigError: a section or a key is unknown; with the nearest known one.
    """
    sections = {section.name: section.type for section in msgspec.structs.fields(Config)}
    for section, values in layer.items():
        if section not in sections:
            raise ConfigError(unknown("section", section, list(sections), origin))
        if not isinstance(values, Mapping):
            raise ConfigError(f"{origin}: [{section}] is a section of settings, found the value {str(values)[:100]!r}")
        keys = [key.name for key in msgspec.structs.fields(sections[section])]
        for key in values:
            if key not in keys:
                raise ConfigError(unknown("key", f"{section}.{key}", [f"{section}.{name}" for name in keys], origin))


def unknown(what: str, found: str, allowed: list[str], origin: str) -> str:
    """The message for what there is none of, with the nearest of what there is."""
    close = difflib.get_close_matches(found, allowed, 1)
    hint = f"did you mean `{close[0]}`? " if close else ""
    return f"unknown {what} `{found[:100]}` in {origin}; {hint}allowed: {', '.join(allowed)}"
