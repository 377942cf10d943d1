"""`emotion-edge config`."""

import json
import tomllib
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.cli import _parser, main
from edge.cli_run import _configured_anew, _prepared
from edge.config import Config
from edge.errors import ConfigError
from edge.live import LiveSettings
from edge.reloading import Reloading


@pytest.fixture(autouse=True)
def nothing_else_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "none"))
    monkeypatch.delenv("EMOTION_EDGE_CONFIG", raising=False)
    monkeypatch.setattr("edge.config_layers.SYSTEM_FILE", tmp_path / "system" / "config.toml")


def written(folder: Path, text: str) -> str:
    file = folder / "mine.toml"
    file.write_text(text, encoding="utf-8")
    return str(file)


def test_a_right_one_is_called_right(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = written(tmp_path, '[source]\nuri = "demo"\nmirror = true\n')
    assert main(["config", "check", "--config", file]) == 0
    assert capsys.readouterr().out == f"The configuration is right ({file}); 2 settings are given.\n"


@pytest.mark.parametrize(("text", "said"), [
    ('[source]\nurl = "demo"\n', "did you mean `source.uri`?"),
    ("[server]\nport = 70000\n", "server.port"),
    ("[server\n", "is no TOML"),
    ('[source]\nuri = "demo:?size=big"\n', "size"),
    ('[server]\nhost = "0.0.0.0"\n', "no token is set"),
    ('[mqtt]\nhost = "broker"\nca = "/etc/authority.pem"\n', "set mqtt.tls = true"),
])  # fmt: skip
def test_a_wrong_one_is_refused_with_the_reason(
    text: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["config", "check", "--config", written(tmp_path, text)]) == 78
    assert said in capsys.readouterr().err


def test_what_holds_is_shown_with_where_it_comes_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = written(
        tmp_path, '[source]\nuri = "rtsp://me:secret@cam/1"\nmax_fps = 5\n[server]\ntoken = "a long secret"\n'
    )
    monkeypatch.setenv("EMOTION_EDGE_SOURCE_MAX_FPS", "7")
    assert main(["config", "show", "--config", file]) == 0
    shown = capsys.readouterr().out
    assert "max_fps = 7  # from the environment\n" in shown
    assert f'uri = "rtsp://cam/1"  # from {file}\n' in shown
    assert "port = 8080\n" in shown
    assert "secret" not in shown
    assert tomllib.loads(shown)["source"]["max_fps"] == 7


def test_it_is_shown_as_json_without_credentials(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = written(tmp_path, '[server]\ntoken = "a long secret"\n')
    assert main(["config", "show", "--json", "--config", file]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["server"]["port"] == 8080
    assert "token" not in shown["server"]


def test_a_token_that_the_unit_hands_to_the_service_will_do_for_its_own_file_only(tmp_path: Path) -> None:
    (tmp_path / "system").mkdir()
    (tmp_path / "system" / "token").write_text("a long secret\n")
    text = '[server]\nhost = "0.0.0.0"\n'
    (tmp_path / "system" / "config.toml").write_text(text)
    assert main(["config", "check", "--config", str(tmp_path / "system" / "config.toml")]) == 0
    assert main(["config", "check"]) == 0
    assert main(["config", "check", "--config", written(tmp_path, text)]) == 78


REFUSED_AT_THE_START = {
    "no token": '[server]\nhost = "0.0.0.0"',
    "no such model": '[expression]\nmodel = "{folder}/none.tflite"',
    "no such second model": '[expression]\nmodel = ["shipped", "{folder}/none.tflite"]',
    "no such model for pictures": (
        '[source]\nuri = "{folder}/one.png"\n[expression]\nstill_model = "{folder}/none.tflite"'
    ),
    "no such detector": '[detector]\nname = "blazeface-sparse"',
    "a certificate that is not used": '[server]\ncertificate = "{folder}/mine.toml"',
    "a certificate that is none": '[server]\ntls = true\ncertificate = "{folder}/mine.toml"',
    "an authority that is not used": '[mqtt]\nhost = "broker"\nca = "/etc/x.pem"',
    "no such authority": '[mqtt]\nhost = "broker"\ntls = true\nca = "{folder}/none.pem"',
    "a log below a file": '[events]\npath = "{folder}/mine.toml/events.jsonl"',
    "a log that is a folder": '[events]\npath = "{folder}"',
    "no such film": '[source]\nuri = "{folder}/none.mp4"',
    "no such pictures": '[source]\nuri = "images:{folder}/*.jpg"',
}


@pytest.mark.parametrize("text", REFUSED_AT_THE_START.values(), ids=REFUSED_AT_THE_START)
def test_what_the_start_refuses_is_refused_by_the_check_and_at_a_reload_in_the_same_words(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EMOTION_EDGE_MODELS", str(tmp_path / "models"))
    monkeypatch.setattr("edge.logs.setup", lambda *_: None)
    (tmp_path / "one.png").write_bytes(cv2.imencode(".png", np.zeros((8, 8, 3), np.uint8))[1].tobytes())
    file = written(tmp_path, "")
    arguments = _parser().parse_args(["run", "--config", file])
    reload = Reloading(lambda: _configured_anew(arguments), LiveSettings(Config()))
    reload()
    assert reload.note == ""
    written(tmp_path, text.format(folder=tmp_path) + "\n")
    with pytest.raises(ConfigError) as refused:
        _prepared(arguments)
    reload()
    assert reload.note == f"the configuration was not reloaded: {refused.value}"
    assert main(["config", "check", "--config", file]) == 78
    assert capsys.readouterr().err == f"emotion-edge: {refused.value}\n"


def test_settings_that_the_start_makes_no_use_of_are_no_fault(tmp_path: Path) -> None:
    unused = '[expression]\nstill_model = "none.tflite"\n[mqtt]\npassword = "no name goes with it"\n'
    assert main(["config", "check", "--config", written(tmp_path, unused)]) == 0
