"""What of the analysis may be changed while it runs: from settings to the parts' own terms, at the start and later."""

from edge.attention import Attention
from edge.budget import Budget
from edge.config import Config
from edge.governor import Governor
from edge.live import LiveSettings
from edge.pipeline import Pipeline, Tuning
from edge.policy import Policy
from edge.quality import Gate
from edge.smoothing import ExpressionRule
from edge.tracker import TrackerSettings


def tuning(config: Config, *, stills: bool = False) -> Tuning:
    """How the core goes about its work, as configured.

    Args:
        config: all settings.
        stills: whether the source gives pictures that do not follow each other: then every face is read on each, and
            none is named by what was seen before.
    """
    expression, found = config.expression, config.detector
    gate = Gate(min_px=expression.min_read_px) if expression.quality_gate else None
    if stills:
        return Tuning(
            # no age: also where less may be spent, nobody is shown on a picture that was not searched
            policy=Policy(1, max_age_ms=0.0),
            # nobody is expected to be where somebody was in the picture before
            tracking=TrackerSettings(max_age_ms=-1.0, memory_ms=-1.0),
            rule=ExpressionRule(expression.threshold, time_constant_s=0.0, hysteresis=0.0, min_hold_s=0.0),
            attention=Attention(interval_ms=0.0, max_faces=0, faces=expression.faces),
            gate=gate,
        )
    return Tuning(
        policy=Policy(
            found.interval, found.max_roi_age_ms, found.tile_interval, found.max_new_face_delay_ms, found.min_face_px
        ),
        tracking=TrackerSettings(max_age_ms=max(1000.0, 2 * found.max_roi_age_ms)),
        rule=ExpressionRule(expression.threshold, expression.smoothing_s, expression.hysteresis, expression.min_hold_s),
        attention=Attention(expression.interval_ms, expression.max_faces, expression.faces),
        gate=gate,
    )


def budget(config: Config) -> Budget:
    """What may be spent, as configured."""
    limits, max_fps = config.budget, config.source.max_fps
    target_fps = min(limits.target_fps, max_fps or limits.target_fps)
    return Budget(target_fps, limits.max_latency_ms, limits.cpu_budget, limits.max_temperature_c)


class Retuning:
    """Takes changed settings over into the parts of the analysing thread, which asks before each frame."""

    def __init__(
        self, settings: LiveSettings, pipeline: Pipeline, governor: Governor | None, *, stills: bool = False
    ) -> None:
        """The parts were built as `settings` are now; `stills` as `tuning` takes it."""
        self._settings = settings
        self._taken = settings.current
        self._pipeline = pipeline
        self._governor = governor
        self._stills = stills

    def __call__(self) -> Config | None:
        """The new snapshot, once its values have been taken over; None as long as nothing has changed."""
        newest = self._settings.current
        if newest is self._taken:
            return None
        self._taken = newest
        self._pipeline.retune(tuning(newest, stills=self._stills))
        if self._governor:
            self._governor.limit(budget(newest), newest.source.max_fps)
        return newest
