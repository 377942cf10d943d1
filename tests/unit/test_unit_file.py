"""The times in the unit of `deploy/` and those in the program fit together."""

import re
from pathlib import Path

import pytest

from edge.deadline import END_S, REPORT_S
from edge.errors import EXIT_CONFIG
from edge.sources import newest, picamera2, url, v4l2
from edge.supervisor import SILENT_S
from edge.worker import Backoff

UNIT = (Path(__file__).parents[2] / "deploy" / "emotion-edge.service").read_text(encoding="utf-8")
TICK_S = 1.0
"""How often the workers are looked at."""
UNITS_S = {"": 1.0, "s": 1.0, "min": 60.0}


def settings(key: str) -> list[str]:
    """All values of a key, in turn."""
    return re.findall(rf"^{key}=(.*)$", UNIT, re.M)


def seconds(key: str) -> float:
    """A span of time."""
    (value,) = settings(key)
    number, unit = re.fullmatch(r"(\d+)(s|min)?", value).groups("")  # type: ignore[union-attr]
    return float(number) * UNITS_S[unit]


def test_no_camera_takes_so_long_to_open_that_its_worker_counts_as_stuck():
    slowest_s = max(
        v4l2.OPEN_TIMEOUT_S,
        picamera2.OPEN_TIMEOUT_S,
        url.OPEN_TIMEOUT_S + url._PROBE_TIMEOUT_S + 1.0,
    )
    assert slowest_s + newest.CLOSE_S + TICK_S < SILENT_S


def test_the_wait_before_the_next_try_is_no_silence():
    assert Backoff().cap_s + TICK_S < SILENT_S


def test_systemd_waits_for_several_signs_of_life():
    assert seconds("WatchdogSec") >= 5 * TICK_S


def test_from_a_stuck_worker_to_the_restart_it_takes_no_more_than_three_quarters_of_a_minute():
    killed_s = SILENT_S + TICK_S + seconds("WatchdogSec") + seconds("TimeoutStopSec")
    assert killed_s + seconds("RestartSec") <= 45


@pytest.mark.parametrize("start_s", [0.3, 2.0, 6.0])
def test_a_program_that_crashes_as_soon_as_it_runs_stays_down(start_s: float):
    taken_s = int(settings("StartLimitBurst")[0]) * (start_s + seconds("RestartSec"))
    assert taken_s < seconds("StartLimitIntervalSec")


@pytest.mark.parametrize("up_s", [newest.HUNG_NS / 1e9, SILENT_S + seconds("WatchdogSec"), seconds("WatchdogSec")])
def test_a_camera_that_hangs_again_and_again_is_tried_for_ever_even_if_it_holds_up_the_whole_program(up_s: float):
    taken_s = int(settings("StartLimitBurst")[0]) * (up_s + seconds("RestartSec"))
    assert taken_s > seconds("StartLimitIntervalSec")


def test_the_program_ends_by_itself_before_systemd_kills_it():
    assert END_S + REPORT_S < seconds("TimeoutStopSec") <= 2.0


def test_a_wrong_configuration_is_not_started_again():
    assert settings("RestartPreventExitStatus") == [str(EXIT_CONFIG)]
    assert settings("Restart") == ["on-failure"]


def test_a_missing_token_is_the_programs_to_complain_of():
    assert settings("LoadCredential") == ["token:/etc/emotion-edge/token"]
    assert settings("SetCredential") == [r"token:\n"], "systemd takes no empty one"


def test_it_asks_for_nothing_that_systemd_252_does_not_know():
    since_253 = {"ImportCredential", "RestartSteps", "RestartMaxDelaySec", "MemoryZSwapMax", "RefreshOnReload"}
    assert not {line.partition("=")[0] for line in UNIT.splitlines()} & since_253
    assert settings("Type") == ["notify"], "notify-reload came with 253"
