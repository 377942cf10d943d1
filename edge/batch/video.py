"""Analyses one film, every frame in turn, exactly as `run` does with `?realtime=0`."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO, Final

import msgspec
from msgspec.structs import replace

from edge.annotate import Annotator
from edge.batch.annotated import AnnotatedVideo
from edge.batch.chips import ChipFolder
from edge.batch.records import Records
from edge.batch.settings import BatchSettings, Format
from edge.batch.tally import FaceSummary, Tally
from edge.batch.writing import writing
from edge.config import Config
from edge.errors import PermanentError, SourceEnded
from edge.events import scene_event
from edge.files import write_whole, written_whole
from edge.parts import DOUBT, build_classifier, build_detector, build_pipeline
from edge.pipeline import Pipeline
from edge.ports import ExpressionModel, FaceDetector, Sink
from edge.sources.file import FileSource, FilmFacts, film_facts
from edge.sources.picture_bytes import check_megapixels
from edge.sources.specs import FileSpec
from edge.types import Scene

NEAR_THE_END: Final = 0.02
"""Share of a film that may be missing at its end: some containers count their frames from its length."""


class Progress(msgspec.Struct, frozen=True):
    """How far the analysis of a film is.

    Attributes:
        frames: done so far.
        total: of the film, as its container says; None if it does not.
        media_s: time of the newest frame in the film.
    """

    frames: int
    total: int | None
    media_s: float


class VideoSummary(msgspec.Struct, frozen=True):
    """What was found in a film.

    Attributes:
        path: of the film.
        width: in px.
        height: in px.
        fps: its frames a second, on average.
        frames: analysed.
        duration_s: of what was analysed.
        with_faces: frames with faces: as many records there are.
        faces: all that were seen, oldest first.
        labels: on how many frames a face was called what.
        seconds: that the analysis took.
        complete: whether all of it was analysed.
        cancelled: whether it was ended on request.
        notes: what a person should know, in words.
    """

    path: str
    width: int
    height: int
    fps: float
    frames: int
    duration_s: float
    with_faces: int
    faces: tuple[FaceSummary, ...]
    labels: dict[str, int]
    seconds: float
    complete: bool
    cancelled: bool
    notes: tuple[str, ...]


class Networks:
    """Detector and expression model for films; loaded once, for any number of them, one after the other."""

    def __init__(self, config: Config) -> None:
        """Load them.

        Raises:
            ConfigError: what was asked for cannot be done as asked.
            PermanentError: a model cannot be used.
        """
        self._config = config
        self._detector: FaceDetector
        self._detector, fallbacks = build_detector(config.detector, doubt=DOUBT)
        self._classifier: ExpressionModel
        self._classifier, doubts = build_classifier(config.expression)
        self.notices = (*fallbacks, *doubts)
        self.labels = self._classifier.labels

    def pipeline(self, threshold: float) -> Pipeline:
        """A pipeline that has seen nothing yet."""
        expression = replace(self._config.expression, threshold=threshold)
        return build_pipeline(replace(self._config, expression=expression), self._detector, self._classifier)


@dataclass(frozen=True, slots=True)
class Places:
    """Where the results of one film go.

    Attributes:
        records: open files, each with its format.
        annotated: the .webm; None: none.
        chips: the folder; None: none are written.
    """

    records: tuple[tuple[BinaryIO, Format], ...]
    annotated: Path | None = None
    chips: Path | None = None


def analyse_video(
    path: Path,
    out_dir: Path,
    settings: BatchSettings,
    progress: Callable[[Progress], None] = lambda _: None,
    cancelled: Callable[[], bool] = lambda: False,
    networks: Networks | None = None,
) -> VideoSummary:
    """Analyse a film into a folder: `events.jsonl`, `events.csv`, `annotated.webm`, `chips/`, as the settings ask for,
    and `summary.json`. Each file appears when it is complete; what was done when it was cancelled counts as that.

    Args:
        path: the film.
        out_dir: is made if it is missing.
        settings: what to do.
        progress: is told after each frame.
        cancelled: is asked before each frame whether to end.
        networks: to use; None: they are loaded.

    Raises:
        ConfigError: there is no such file.
        PermanentError: it is no film, or larger or longer than allowed.
        CannotWrite: the disk is full, or the folder may not be written to.
    """
    facts = checked(path, settings)
    networks = networks or Networks(settings.config)
    with writing(out_dir), ExitStack() as stack:
        annotated = None
        if settings.annotate:
            annotated = stack.enter_context(written_whole(out_dir / "annotated.webm", optional=True))
        records = []
        for style in settings.formats:
            unfinished = stack.enter_context(written_whole(out_dir / f"events.{style}"))
            file = stack.enter_context(unfinished.open("wb"))
            file.write(Records(style, networks.labels).head)
            records.append((file, style))
        chips = out_dir / "chips" if settings.save_chips else None
        summary = follow(path, facts, Places(tuple(records), annotated, chips), settings, networks, progress, cancelled)
    with writing(out_dir):
        write_whole(out_dir / "summary.json", msgspec.json.format(msgspec.json.encode(summary)))
    return summary


def checked(path: Path, settings: BatchSettings) -> FilmFacts:
    """What is known of a film, if it may be analysed.

    Raises:
        ConfigError: there is no such file.
        PermanentError: it is no film, or larger or longer than allowed.
    """
    facts = film_facts(path)
    check_megapixels(facts.width, facts.height, settings.max_megapixels, f"the film {path.name}")
    duration_s, most_s = facts.duration_s, settings.max_minutes * 60
    if most_s and duration_s and duration_s > most_s:
        raise PermanentError(
            f"the film {path.name} lasts {duration_s / 60:.1f} minutes, expected {settings.max_minutes:g} at most; "
            "make it shorter"
        )
    return facts


def follow(
    path: Path,
    facts: FilmFacts,
    places: Places,
    settings: BatchSettings,
    networks: Networks,
    progress: Callable[[Progress], None] = lambda _: None,
    cancelled: Callable[[], bool] = lambda: False,
    *,
    threads: int | None = None,
) -> VideoSummary:
    """Analyse a film from its first frame to its last, or as far as it can be read.

    Args:
        path: the film.
        facts: what its container says.
        places: where the results go.
        settings: what to do.
        networks: to use.
        progress: is told after each frame.
        cancelled: is asked before each frame whether to end.
        threads: that decode, see `open_video`.

    Raises:
        PermanentError: it is no film.
        OSError: a result cannot be written.
    """
    began_ns = time.perf_counter_ns()
    source = FileSource(FileSpec(path=str(path), realtime=False), time.monotonic_ns, time.sleep, threads=threads)
    pipeline = networks.pipeline(settings.threshold)
    tally = Tally()
    sinks: list[Sink] = [tally]
    sinks += [_Writer(file, Records(style, networks.labels), source.name, path) for file, style in places.records]
    draw = partial(Annotator().draw, video=settings.video)
    video = AnnotatedVideo(places.annotated, facts.fps, settings.codec, draw) if places.annotated else None
    sinks += [video] if video else []
    sinks += [ChipFolder(places.chips, pipeline.chips_of)] if places.chips else []
    ending: str | None = None
    most_s = settings.max_minutes * 60
    stopped = False
    try:
        while not (stopped := cancelled()):
            frame = source.read(0.0)
            if most_s and frame.t_ns > most_s * 1e9:
                ending = f"The video was cut off after {settings.max_minutes:g} minutes, as long as it may be."
                break
            scene = pipeline.step(frame)
            for sink in sinks:
                sink.emit(scene)
            progress(Progress(tally.frames, facts.frames, tally.last_s))
    except SourceEnded:
        ending = early_end(tally.frames, facts)
    except PermanentError as error:  # the film is open: this frame of it is damaged
        ending = f"The video could be read up to frame {tally.frames} only: {error}"
    finally:
        source.close()
        for sink in sinks:
            sink.close()
    return VideoSummary(
        path=str(path),
        width=facts.width,
        height=facts.height,
        fps=round(facts.fps, 3),
        frames=tally.frames,
        duration_s=round(tally.last_s + 1 / facts.fps, 3) if tally.frames else 0.0,
        with_faces=tally.with_faces,
        faces=tally.faces,
        labels=dict(sorted(tally.labels.items())),
        seconds=round((time.perf_counter_ns() - began_ns) / 1e9, 3),
        complete=ending is None and not stopped,
        cancelled=stopped,
        notes=(*([ending] if ending else []), *(_notes_on(video) if video else [])),
    )


def early_end(frames: int, facts: FilmFacts) -> str | None:
    """What to say of a film of which only so many frames came; None if that is about all."""
    if facts.frames is None or frames >= facts.frames * (1 - NEAR_THE_END) - 1:
        return None
    return f"The video broke off at frame {frames} of {facts.frames}: what follows is missing or damaged."


def _notes_on(video: AnnotatedVideo) -> list[str]:
    if video.problem:
        return [video.problem]
    rate = video.rate
    if not rate.repeated and not rate.skipped:
        return []
    return [
        "The video's frame rate varies, the annotated one's does not: to keep the time, "
        f"frames were repeated {rate.repeated} times and {rate.skipped} were left out."
    ]


class _Writer:
    """A `Sink`: the records of scenes with faces, as `run` writes them."""

    def __init__(self, file: BinaryIO, records: Records, source: str, path: Path) -> None:
        self._file = file
        self._records = records
        self._source = source
        self._path = str(path)

    def emit(self, scene: Scene) -> None:
        """Write the scene's record, if it has faces."""
        if scene.tracks:
            self._file.write(self._records.lines(scene_event(scene, self._source, None), self._path))

    def close(self) -> None:
        """The file is its owner's."""
