"""In the child process: one video in, its results in a folder."""

import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import cv2

from edge.batch import video
from edge.batch.settings import BatchSettings
from edge.errors import EdgeError
from edge.uploads.protocol import AnalyseVideo, Progress, Refusal, VideoResult
from edge.uploads.store import VIDEO

REPORT_S: Final = 0.25

_NAME: Final = re.compile(rf"(?:the film )?\b{VIDEO}\b(?= (?:has|holds|is|lasts)\b)")
"""What its file is called here says nothing to whoever sent it."""


def analyse_film(request: AnalyseVideo, report: Callable[[Progress], None]) -> VideoResult | Refusal:
    """Analyse the video in the request's folder; `report` is told now and then how far it is."""
    uploads = request.config.uploads
    os.chdir(request.folder)
    mode = request.config.privacy.video
    settings = BatchSettings(
        config=request.config,
        annotate=mode != "none",
        video="full" if mode == "none" else mode,
        formats=("jsonl", "csv"),
        max_megapixels=uploads.max_megapixels,
        max_minutes=uploads.max_minutes,
    )
    try:
        summary = video.analyse_video(Path(VIDEO), Path(), settings, _Reporter(report))
    except (EdgeError, OSError) as error:
        return Refusal("broken", _NAME.sub("this video", str(error)))
    except (MemoryError, cv2.error):
        return Refusal("too_many_pixels", "This video needs more memory than one may have; make its picture smaller.")
    seen = f"{len(summary.faces)} face{'' if len(summary.faces) == 1 else 's'}" if summary.faces else "No face was"
    text = f"{seen} found in {summary.frames} frames." if summary.faces else f"{seen} found in the video."
    return VideoResult(summary.frames, summary.duration_s, summary.fps, summary.faces, " ".join([text, *summary.notes]))


class _Reporter:
    """Passes on how far it is, at most every `REPORT_S`."""

    def __init__(self, report: Callable[[Progress], None]) -> None:
        self._report = report
        self._told_s = 0.0

    def __call__(self, progress: video.Progress) -> None:
        now_s = time.monotonic()
        if now_s - self._told_s < REPORT_S:
            return
        self._told_s = now_s
        share = min(1.0, progress.frames / progress.total) if progress.total else 0.0
        self._report(Progress(share, progress.frames, progress.media_s))
