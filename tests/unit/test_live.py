"""Settings that are changed while the program runs: one snapshot after the other, each of them whole."""

import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from edge.config import Config, PrivacyConfig, settings
from edge.config_layers import load
from edge.errors import ConfigError
from edge.live import LIVE, SECRET, ChangedMeanwhile, LiveSettings, Loosened, differences, fixed_keys, live_keys


def test_a_change_makes_a_new_snapshot_and_leaves_the_old_one_alone():
    live = LiveSettings(Config())
    before = live.current
    after = live.change({"expression": {"threshold": 0.6, "faces": "largest"}, "stream": {"quality": 50}})
    assert live.current is after
    assert before == Config()
    assert (after.expression.threshold, after.expression.faces, after.stream.quality) == (0.6, "largest", 50)
    assert after.detector == before.detector
    assert dict(differences(before, after)) == {
        "expression.threshold": 0.6,
        "expression.faces": "largest",
        "stream.quality": 50,
    }


def test_what_was_set_by_file_and_environment_survives_a_change():
    contract = {"labels": ["yes", "no"], "output": "logits", "scale": 1, "offset": 0}
    file = {"expression": {"model": ["a.tflite", "b.tflite"], "contract": [contract], "smoothing_s": 0}}
    config = load(flags=file, environment={"EMOTION_EDGE_SERVER_TOKEN": "open-sesame"})
    after = LiveSettings(config).change({"stream": {"quality": 50}})
    assert after.expression == config.expression
    assert after.server == config.server
    assert [key for key, _ in differences(config, after)] == ["stream.quality"]


@pytest.mark.parametrize(
    ("patch", "message"),
    [
        ({"expression": {"threshold": 2}}, r"<= 1\.0.*expression\.threshold"),
        ({"expression": {"threshold": "high"}}, r"expression\.threshold"),
        ({"expression": {"faces": "some"}}, r"expression\.faces.*allowed: all, largest"),
        (
            {"expression": {"treshold": 0.5}},
            r"unknown key `expression\.treshold`.*did you mean `expression\.threshold`",
        ),
        ({"expresion": {}}, "unknown section `expresion`"),
        ({"expression": 3}, r"\[expression\] is a section"),
        ([], "expected"),
        ("threshold", "expected"),
        ({"server": {"port": 80}}, r"server\.port cannot be changed while the program runs.*restart.*expression\.thre"),
        ({"server": {"token": "open-sesame"}}, r"server\.token cannot be changed"),
        ({"stream": {"quality": 50}, "detector": {"name": "haar"}}, r"^detector\.name cannot be changed"),
    ],
)
def test_a_change_that_cannot_be_made_says_why_and_changes_nothing(patch: Any, message: str):
    live = LiveSettings(Config())
    before = live.current
    with pytest.raises(ConfigError, match=message):
        live.change(patch)
    assert live.current is before


def test_all_values_are_taken_or_none():
    live = LiveSettings(Config())
    with pytest.raises(ConfigError):
        live.change({"stream": {"quality": 50}, "expression": {"threshold": -1}})
    assert live.current.stream.quality == Config().stream.quality


def test_privacy_can_be_tightened_and_not_loosened():
    live = LiveSettings(Config())
    for mode in ("blurred", "boxes", "none"):
        live.change({"privacy": {"video": mode}})
    live.change({"privacy": {"events": "aggregate"}})
    for keys in ({"video": "full"}, {"video": "boxes"}, {"events": "faces"}):
        with pytest.raises(Loosened, match="can only be loosened in the configuration file and by a restart"):
            live.change({"privacy": keys})
    assert (live.current.privacy.video, live.current.privacy.events) == ("none", "aggregate")


def test_what_was_loosened_in_the_same_breath_as_tightened_is_refused_whole():
    live = LiveSettings(Config(privacy=PrivacyConfig(video="blurred")))
    with pytest.raises(Loosened):
        live.change({"privacy": {"video": "full", "events": "aggregate"}, "stream": {"quality": 50}})
    assert live.current == Config(privacy=PrivacyConfig(video="blurred"))


def test_a_change_made_for_a_snapshot_of_before_is_refused():
    live = LiveSettings(Config())
    seen = live.current
    live.change({"stream": {"quality": 50}}, since=seen)
    with pytest.raises(ChangedMeanwhile):
        live.change({"stream": {"quality": 60}}, since=seen)
    assert live.current.stream.quality == 50


@pytest.fixture
def hasty_threads() -> Iterator[None]:
    """Threads take turns a thousand times as often as usual."""
    usual_s = sys.getswitchinterval()
    sys.setswitchinterval(5e-6)
    yield
    sys.setswitchinterval(usual_s)


@pytest.mark.usefixtures("hasty_threads")
def test_of_many_changes_at_once_none_is_lost_or_torn():
    live = LiveSettings(Config())
    keys = ["smoothing_s", "hysteresis", "min_hold_s", "threshold"]
    told: list[Config] = []
    live.on_change(told.append)
    torn: list[Config] = []
    over = threading.Event()

    def watch() -> None:
        while not over.is_set():
            seen = live.current
            if round(seen.stream.quality / 100, 2) != round(seen.expression.interval_ms / 100, 2):
                torn.append(seen)

    def turn(key: str) -> None:
        for step in range(1, 101):
            live.change({"expression": {key: step / 100}})
            live.change({"stream": {"quality": step}, "expression": {"interval_ms": step}})

    live.change({"stream": {"quality": 1}, "expression": {"interval_ms": 1}})
    watcher = threading.Thread(target=watch)
    threads = [threading.Thread(target=turn, args=(key,)) for key in keys]
    watcher.start()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    over.set()
    watcher.join()
    assert not torn
    assert [getattr(live.current.expression, key) for key in keys] == [1.0] * 4
    assert len(told) == 801
    assert told[-1] is live.current


def test_neither_credentials_nor_a_password_in_an_address_are_shown():
    flags = {
        "source": {"uri": "rtsp://admin:hunter2@cam/live"},
        "server": {"token": "open-sesame", "key": "/k.pem"},
        "mqtt": {"username": "device", "password": "geheim-9"},
    }
    config = load(flags=flags, environment={})
    for live in (LiveSettings(config), LiveSettings(config, lambda uri: uri.replace("admin:hunter2@", ""))):
        shown = str(live.shown(config))
        secrets = ("hunter2", "open-sesame", "k.pem", "token", "certificate", "geheim-9")
        assert not any(secret in shown for secret in secrets)


def test_every_setting_is_either_live_or_fixed_or_never_shown():
    known = {f"{section}.{key}" for section, key, _ in settings()}
    secret = {"server.token", "server.certificate", "server.key", "mqtt.password"}
    assert set(live_keys()) | set(fixed_keys()) == known - secret
    assert not set(live_keys()) & set(fixed_keys())
    assert len(live_keys()) == sum(map(len, LIVE.values()))


def read_again(**sections: dict[str, Any]) -> Config:
    """What the owner's files come to now."""
    return load(flags=sections, environment={})


def test_what_is_read_again_is_taken_over_as_one_snapshot():
    live = LiveSettings(Config())
    told: list[Config] = []
    live.on_change(told.append)
    reloaded = live.reload(read_again(stream={"quality": 50}, expression={"threshold": 0.6}, log={"level": "debug"}))
    assert dict(reloaded.changed) == {"stream.quality": 50, "expression.threshold": 0.6, "log.level": "debug"}
    assert reloaded.restart == ()
    assert told == [live.current]
    assert (live.current.stream.quality, live.current.expression.threshold) == (50, 0.6)


def test_what_needs_a_restart_is_named_and_stays_as_it_is():
    live = LiveSettings(Config())
    flags = {"source": {"uri": "demo", "max_fps": 5}, "server": {"port": 9000, "token": "open-sesame"}}
    reloaded = live.reload(read_again(**flags))
    assert dict(reloaded.changed) == {"source.max_fps": 5}
    assert reloaded.restart == ("source.uri", "server.port", "server.token")
    assert (live.current.source.uri, live.current.server) == ("auto", Config().server)
    again = live.reload(read_again(**flags))
    assert (again.changed, again.restart) == ((), reloaded.restart), "it is named until there is a restart"


def test_what_is_read_again_and_no_different_is_no_change():
    live = LiveSettings(Config())
    before = live.current
    told: list[Config] = []
    live.on_change(told.append)
    assert live.reload(read_again()) == ((), ())
    assert live.current is before
    assert told == []


def test_the_owner_may_loosen_privacy_and_undoes_what_others_have_changed():
    live = LiveSettings(Config(privacy=PrivacyConfig(events="aggregate")))
    live.change({"privacy": {"video": "none"}, "stream": {"quality": 20}})
    reloaded = live.reload(read_again())
    assert dict(reloaded.changed) == {"privacy.video": "full", "privacy.events": "faces", "stream.quality": 80}


def test_nothing_secret_may_be_changed_while_the_program_runs():
    assert not {f"{section}.{key}" for section, keys in SECRET.items() for key in keys} & set(live_keys())
