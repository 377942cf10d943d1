"""The composition root: the one file that names concrete adapters and plugs them together."""

import logging
import time
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from edge import __version__
from edge.aggregate import Aggregation, Aggregator
from edge.analysis import LiveAnalysis, LockstepAnalysis, Outlet
from edge.attendance import Attendance, grown
from edge.audience import Audience
from edge.capture import Capture
from edge.config import Config
from edge.control import Action, ControlStatus
from edge.demand import Demand
from edge.errors import PermanentError
from edge.events import AggregateEvent, SceneEvent, scene_event
from edge.live import LiveSettings
from edge.logs import event, rfc3339, set_level
from edge.mailbox import Mailbox
from edge.model_store import fingerprints
from edge.parts import DOUBT, build_classifier, build_detector, build_governor, build_pipeline, model_files
from edge.pipeline import Pipeline
from edge.ports import Clock, FrameSource, Wanted
from edge.present import Present
from edge.press import Press
from edge.privacy import shows_pictures
from edge.server.bind import is_loopback
from edge.server.clients import Clients
from edge.server.token import lan_urls
from edge.server.view import Backstage, epoch_s
from edge.sinks.jsonl import JsonlSink
from edge.slot import LatestSlot
from edge.sources import choose, open_source
from edge.sources.masked import masked
from edge.sources.push import limits_of
from edge.sources.specs import ImagesSpec, PushSpec, redacted
from edge.sources.turned import turned
from edge.sources.uri import parse
from edge.status import PrivacyStatus, SourceStatus, Status
from edge.supervisor import Supervisor, Task
from edge.telemetry import Telemetry
from edge.tuning import Retuning
from edge.types import Frame, Scene
from edge.uploads.desk import UploadDesk

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

    from edge.sinks.mqtt import MqttSink
    from edge.sinks.mqtt_topics import Addresses

log = logging.getLogger(__name__)


class App:
    """All parts, built and not yet started."""

    def __init__(self, config: Config) -> None:
        """Build everything but the camera, which its own thread opens.

        Raises:
            ConfigError: what was asked for cannot be done as asked.
            PermanentError: a model cannot be used.
        """
        clock = time.monotonic_ns
        self.config = config
        self.settings = LiveSettings(config, redacted)
        self.settings.on_change(lambda changed: set_level(changed.log.level))
        self._started_ns = clock()
        self._choice = choose(config.source.uri)
        spec = parse(self._choice.uri)
        self._live = getattr(spec, "realtime", True)
        self._detector, self._fallbacks = build_detector(config.detector, doubt=DOUBT)
        stills = isinstance(spec, ImagesSpec)
        self._classifier, self._doubts = build_classifier(config.expression, stills=stills)
        self.telemetry = Telemetry(clock, live=self._live)
        self._audience = Audience(lambda: self.settings.current.stream.max_variants)
        self._clients = Clients()
        self._uploads = UploadDesk(self.settings)
        self._frames: LatestSlot[Frame] = LatestSlot()
        self._scenes: LatestSlot[Scene] = LatestSlot()
        self._mailbox = Mailbox(limits_of(spec)) if isinstance(spec, PushSpec) else None
        self._demand = Demand()
        opener: Callable[[], FrameSource] = partial(
            _open, self._choice.uri, config, clock, self._mailbox, self._demand.wants
        )
        # what is shown and logged has no password in it
        name = redacted(self._choice.uri)
        self.capture = Capture(name, self._choice.reason, opener, self._frames, config.source.read_timeout_s)
        pipeline = build_pipeline(config, self._detector, self._classifier, stills=stills)
        # with it a thread begins, and what is logged while a model is loaded is taken for words of the runtime
        self._logs = self._build_logs()
        self._mqtt = self._build_mqtt()
        self._sinks: tuple[JsonlSink | MqttSink, ...] = (*self._logs, *([self._mqtt] if self._mqtt else []))
        self._aggregates: LatestSlot[AggregateEvent] = LatestSlot()
        self._aggregation = Aggregation(
            Aggregator(config.privacy.aggregate_s, lambda: self.capture.status.name, self._moment),
            self._aggregate_only,
            (self._aggregates.put, *(sink.write for sink in self._sinks)),
        )
        outlet = Outlet(self._scenes, (self._aggregation, *self._sinks), self.telemetry)
        press = Press(self.settings, clock, self.telemetry.presented, self.event, self._choice.caption)
        present = Present(self._scenes, self._audience, lambda: self.capture.status, self.settings, clock, press)
        self._governor = build_governor(config) if self._live and config.budget.adapt else None
        retuned = Retuning(self.settings, pipeline, self._governor, stills=stills)
        tasks = [*self._analysis(opener, pipeline, outlet, retuned), Task("present", present.run)]
        self._models = fingerprints(model_files(config.expression, stills=stills))
        self.supervisor = Supervisor(tasks, self._sinks)
        self.backstage = Backstage(
            scenes=self._scenes,
            audience=self._audience,
            clients=self._clients,
            status=self.status,
            event=self.event,
            aggregates=self._aggregates,
            registry=cache(self._registry),
            ready=self._ready,
            alive=self.supervisor.alive,
            settings=self.settings,
            control=self.control,
            mailbox=self._mailbox,
            uploads=self._uploads,
            timestamp_s=epoch_s if self._live else lambda _: time.time(),
            delivered=self.telemetry.delivered,
        )
        self._log_choices()

    def status(self) -> Status:
        """A snapshot of everything worth showing."""
        telemetry, source = self.telemetry, self.capture.status
        return Status(
            version=__version__,
            uptime_s=round((time.monotonic_ns() - self._started_ns) / 1e9, 1),
            source=source,
            detector=self._detector.name,
            model=self._classifier.name,
            runtime=self._classifier.runtime,
            labels=self._classifier.labels,
            threshold=self.settings.current.expression.threshold,
            fps=round(telemetry.fps, 1),
            faces=self._faces(source),
            latency_ms=telemetry.latency_ms,
            stages_ms=telemetry.stages_ms,
            skipped=telemetry.skipped_frames,
            decisions=telemetry.decisions,
            viewers=self._audience.count,
            encoded=telemetry.encoded,
            clients=self._clients.status(),
            events_lost=sum(sink.dropped for sink in self._logs),
            delivery_ms=telemetry.delivery_ms,
            notices=(*self._fallbacks, *self._doubts),
            budget=self._governor.status if self._governor else None,
            control=self.capture.asked,
            push=self._mailbox is not None,
            uploads=self._uploads.status(),
            privacy=self._privacy(),
            mqtt=self._mqtt.status() if self._mqtt else None,
        )

    def _privacy(self) -> PrivacyStatus:
        privacy = self.settings.current.privacy
        return PrivacyStatus(privacy.video, len(privacy.masks), privacy.events)

    def _faces(self, source: SourceStatus) -> int:
        """In the newest scene, unless that is from before the camera went and came back."""
        newest = self._scenes.newer(0)
        if newest is None or source.state not in ("online", "ended") or newest[1].frame.seq < source.since:
            return 0
        return len(newest[1].tracks)

    def event(self, scene: Scene) -> SceneEvent:
        """The record of a scene, with wall-clock time if the source is live."""
        return scene_event(scene, self.capture.status.name, self._moment(scene.frame.t_ns))

    def _moment(self, t_ns: int) -> str | None:
        return rfc3339(epoch_s(t_ns)) if self._live else None

    def _source_silent_s(self) -> float | None:
        """Seconds since the newest frame, or since the start; None where frames come on the media's clock."""
        if not self._live:
            return None
        since_ns = self.capture.newest_ns or self._started_ns
        return (time.monotonic_ns() - since_ns) / 1e9

    def _aggregate_only(self) -> bool:
        """Whether no record of a single scene may leave the program."""
        return self.settings.current.privacy.events == "aggregate"

    def _aggregated_label_s(self) -> dict[str, float] | None:
        """Seconds each expression was shown, as far as aggregates tell; None while scenes are told too."""
        return self._aggregation.label_seconds if self._aggregate_only() else None

    def _logged(self, scene: Scene) -> SceneEvent | None:
        """What the event log has of a scene."""
        return None if self._aggregate_only() else self.event(scene)

    def control(self, action: Action) -> ControlStatus:
        """Pause, resume, stop or start the source.

        Raises:
            PermanentError: it is taken frame by frame, on a clock that does not go back.
        """
        if action == "stop" and not self._live:
            name = self.capture.status.name
            raise PermanentError(f"{name} is taken frame by frame, once, to its end: it can be paused, not stopped")
        return self.capture.ask(action)

    def _registry(self) -> "CollectorRegistry":
        """What `/metrics` exports."""
        from edge.memory_limit import memory_limit_bytes  # noqa: PLC0415  # only who is scraped needs them
        from edge.metrics import ModelCollector, StatusCollector, build_registry  # noqa: PLC0415
        from edge.server.clients_collector import ClientsCollector  # noqa: PLC0415
        from edge.vitals_collector import VitalsCollector  # noqa: PLC0415

        supervisor = self.supervisor

        return build_registry(
            (
                StatusCollector(self.status, self.telemetry, self._aggregated_label_s),
                ModelCollector(self._models),
                ClientsCollector(self._clients),
                VitalsCollector(
                    supervisor.alive, lambda: supervisor.silent_s, self._source_silent_s, memory_limit_bytes
                ),
            )
        )

    def summary(self) -> dict[str, object]:
        """What there was, once it is over."""
        telemetry = self.telemetry
        source, aggregated = self.capture.status, self._aggregated_label_s()
        ran_s = (time.monotonic_ns() - self._started_ns) / 1e9
        return {
            "frames": source.frames,
            "scenes": telemetry.scenes,
            "with_faces": telemetry.scenes_with_faces,
            "faces": telemetry.faces,
            "fps": round(telemetry.scenes / ran_s, 1),
            "dropped": sum(telemetry.skipped_frames.values()),
            "skipped": telemetry.skipped_frames,
            "reconnects": source.reconnects,
            "label_seconds": telemetry.label_seconds if aggregated is None else aggregated,
        }

    def _ready(self) -> tuple[bool, str]:
        source = self.capture.status
        well = source.state in ("online", "ended") and self.telemetry.scenes > 0
        # anybody may ask: neither name nor reason of the source
        whose = " by a person" if source.state in ("paused", "stopped") else ""
        return well, f"the source is {source.state}{whose}; {self.telemetry.scenes} scenes analysed"

    def _analysis(
        self, opener: Callable[[], FrameSource], pipeline: Pipeline, outlet: Outlet, retuned: Retuning
    ) -> list[Task]:
        if not self._live:
            lockstep = LockstepAnalysis(self.capture, opener, pipeline, outlet, retuned)
            return [Task("analysis", lockstep.run, ends_program=True, on_failure=self.capture.failed)]
        live = LiveAnalysis(
            self._frames,
            pipeline,
            outlet,
            self.config.source.max_fps,
            self._governor,
            retuned,
            self.config.budget.unwatched_fps,
            Attendance(time.monotonic_ns, *self._interests()),
            self._demand,
        )
        return [
            Task("capture", self.capture.run, on_retry=self.capture.retrying, on_failure=self.capture.failed),
            Task("infer", live.run, ends_program=True),
        ]

    def _interests(self) -> Iterator[Callable[[], bool]]:
        """Who may have use for each result: viewers and listeners, event logs, whoever pushes pictures.

        A broker has not: it is told of changes, once a second or so.
        """
        yield lambda: self._audience.count > 0
        yield grown(lambda: self._audience.arrivals)
        yield lambda: self._clients.any
        yield lambda: bool(self._logs) or self._mailbox is not None

    def _log_choices(self) -> None:
        for notice in self._fallbacks:
            event(log, logging.WARNING, "detector.fallback", notice)
        for notice in self._doubts:
            event(log, logging.WARNING, "model.doubtful", notice)
        for reason in self._classifier.rejected_runtimes:
            event(log, logging.WARNING, "runtime.rejected", reason)
        chosen = f"expressions by {self._classifier.name} on {self._classifier.runtime}, faces by {self._detector.name}"
        event(log, logging.INFO, "runtime.chosen", chosen, xnnpack=self._classifier.xnnpack)
        event(log, logging.INFO, "source.chosen", self._choice.reason, source=self.capture.status.name)

    def listening(self, url: str) -> None:
        """The server listens at `url` now: those can be told who want to know."""
        if self._mqtt is not None:
            self._mqtt.start(partial(self._addresses, urlsplit(url).port or 0))

    def _addresses(self, port: int) -> "Addresses":
        """What the broker may be told of where others find page and pictures."""
        from edge.sinks.mqtt_topics import addresses  # noqa: PLC0415  # who has no broker does not need it

        server, mqtt = self.config.server, self.config.mqtt
        base_url = mqtt.base_url
        if not base_url and not is_loopback(server.host):
            base_url = lan_urls(server.host, port, None, "https" if server.tls else "http")[0]
        told = mqtt.login_in_urls and server.token is not None
        self_signed = server.tls and not server.certificate and not mqtt.base_url
        return addresses(
            base_url,
            query=f"?token={quote(server.token or '', safe='')}" if told else "",
            pictures=shows_pictures(self.settings.current.privacy.video),
            fetchable=(told or server.token is None) and not self_signed,
        )

    def _build_mqtt(self) -> "MqttSink | None":
        """What tells a broker, if one is named.

        Raises:
            ConfigError: the extra `mqtt` is not installed, or its settings cannot be.
        """
        if not self.config.mqtt.host:
            return None
        from edge.sinks.mqtt import MqttSink  # noqa: PLC0415  # who has no broker does not need it

        return MqttSink(
            self.config.mqtt,
            self._logged,
            labels=self._classifier.labels,
            status=self.status,
            source=lambda: self.capture.status,
            privacy=lambda: self.settings.current.privacy,
        )

    def _build_logs(self) -> tuple[JsonlSink, ...]:
        events = self.config.events
        if not events.path:
            return ()
        sink = JsonlSink(
            Path(events.path),
            self._logged,
            max_bytes=round(events.max_mb * 1e6),
            keep=events.keep,
            flush_s=events.flush_s,
            lossless=not self._live,
            keep_days=events.keep_days,
        )
        return (sink,)


def _open(uri: str, config: Config, clock: Clock, mailbox: Mailbox | None, wanted: Wanted) -> FrameSource:
    settings = config.source
    source = open_source(
        uri,
        clock=clock,
        silence_s=settings.read_timeout_s,
        frozen_s=settings.frozen_s,
        mailbox=mailbox,
        wanted=wanted,
    )
    return masked(turned(source, settings.rotate, settings.mirror), config.privacy.masks)
