"""What comes of a share, a picture or a segment of a film: the same on whatever machine."""

import io
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final, Literal

import cv2
import msgspec
from msgspec.structs import replace

from edge.analyzer import EmotionAnalyzer, source_name
from edge.batch.plan import WHOLE, Segment
from edge.batch.settings import BatchSettings
from edge.batch.shares import Piece, Seam, Share, tried
from edge.batch.tally import Tally
from edge.batch.video import Networks, Places, Progress, checked, follow
from edge.errors import PermanentError, SourceEnded
from edge.events import scene_event
from edge.named_paths import at_home
from edge.sources.file import FilmFacts, film_name
from edge.sources.stretch import Stretch
from edge.types import Scene

THREADS: Final = 1
"""That decode a film: cores are given out one by one, and of damaged frames several make something else each time."""


class Bench:
    """Analyses shares, one after the other; loads what it needs when it is first needed."""

    def __init__(
        self, settings: BatchSettings, stills: EmotionAnalyzer | None = None, networks: Networks | None = None
    ) -> None:
        """`stills`, `networks`: what is loaded already."""
        self._settings = settings
        self._stills = stills
        self._networks = networks

    def load(self, kind: Literal["picture", "video"]) -> None:
        """Load what shares of that kind need.

        Raises:
            PermanentError: a model cannot be used.
        """
        settings = self._settings
        if kind == "picture":
            self._stills = self._stills or EmotionAnalyzer(settings.config, max_megapixels=settings.max_megapixels)
        else:
            self._networks = self._networks or Networks(settings.config)
        # one share takes one core, with the cascade too: the others have shares of their own
        cv2.setNumThreads(1)

    def analyse(
        self,
        share: Share,
        progress: Callable[[Progress], None] = lambda _: None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Piece | None:
        """What comes of a share; None if it was cancelled.

        Raises:
            PermanentError: the file is neither picture nor film, or larger or longer than allowed, or cannot be read.
        """
        self.load(share.kind)
        path = Path(share.path)
        try:
            if share.kind == "picture":
                return self._picture(path)
            facts = checked(path, self._settings)
            if share.segment == WHOLE:
                return self._film(path, facts, progress, cancelled)
            return self._segment(path, facts, share.segment, progress, cancelled)
        except OSError as error:
            raise PermanentError(f"cannot be read: {error.strerror or error}") from error

    def _picture(self, path: Path) -> Piece:
        assert self._stills is not None
        began_ns = time.perf_counter_ns()
        scene = self._stills.scene(path, whole=self._settings.whole, threshold=self._settings.threshold)
        tally = Tally()
        tally.emit(scene)
        record = msgspec.json.encode(scene_event(scene, source_name(path), None)) + b"\n"
        return Piece(1, record, _numbers(tally), dict(tally.labels), _since(began_ns))

    def _film(
        self, path: Path, facts: FilmFacts, progress: Callable[[Progress], None], cancelled: Callable[[], bool]
    ) -> Piece | None:
        assert self._networks is not None
        records = io.BytesIO()
        places = Places(((records, "jsonl"),))
        found = follow(path, facts, places, self._settings, self._networks, progress, cancelled, threads=THREADS)
        if found.cancelled:
            return None
        return Piece(
            frames=found.frames,
            records=records.getvalue(),
            faces=tuple(face.id for face in found.faces),
            labels=found.labels,
            seconds=found.seconds,
            last_s=found.duration_s,
            complete=found.complete,
            notes=found.notes,
        )

    def _segment(
        self,
        path: Path,
        facts: FilmFacts,
        segment: Segment,
        progress: Callable[[Progress], None],
        cancelled: Callable[[], bool],
    ) -> Piece | None:
        assert self._networks is not None
        began_ns = time.perf_counter_ns()
        name = film_name(at_home(str(path)), facts.width, facts.height)
        pipeline = self._networks.pipeline(self._settings.threshold)
        tally, records = Tally(), io.BytesIO()
        before: Seam | None = None
        after: Seam | None = None
        exact, ended = True, False
        stretch: Stretch | None = None
        try:
            stretch = Stretch(path, segment.run_in_s, THREADS)
            before = None if stretch.passed_ns is None else Seam(stretch.passed_ns)
            while (frame := stretch.read()).t_ns < segment.end_ns:
                if cancelled():
                    return None
                scene = pipeline.step(frame)
                if frame.t_ns < segment.begin_ns:
                    before = _seam(scene)
                    continue
                after = _seam(scene)
                tally.emit(scene)
                if scene.tracks:
                    event = replace(scene_event(scene, name, None), seq=tally.frames)
                    records.write(msgspec.json.encode(event) + b"\n")
                progress(Progress(tally.frames, facts.frames, tally.last_s))
        except SourceEnded:
            ended = True
        except PermanentError:
            exact = False
        finally:
            if stretch is not None:
                stretch.close()
        return Piece(
            frames=tally.frames,
            records=records.getvalue(),
            faces=_numbers(tally),
            labels=dict(sorted(tally.labels.items())),
            seconds=_since(began_ns),
            last_s=tally.last_s,
            before=before,
            after=after,
            exact=exact,
            ended=ended,
        )


class Here:
    """An `Engine`: this process, share after share."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    def ahead(self) -> int:
        """See `Engine`."""
        return 1

    def begin(self, share: Share) -> object:
        """See `Engine`."""
        return share

    def result(
        self, begun: object, progress: Callable[[Progress], None], cancelled: Callable[[], bool]
    ) -> Piece | Exception | None:
        """See `Engine`."""
        assert isinstance(begun, Share)
        return tried(partial(self._bench.analyse, begun, progress, cancelled))

    def drop(self, begun: object) -> None:
        """See `Engine`."""


def _numbers(tally: Tally) -> tuple[int, ...]:
    return tuple(face.id for face in tally.faces)


def _seam(scene: Scene) -> Seam:
    return Seam(scene.frame.t_ns, tuple((track.id, track.box) for track in scene.tracks))


def _since(began_ns: int) -> float:
    return round((time.perf_counter_ns() - began_ns) / 1e9, 5)
