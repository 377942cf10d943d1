"""`emotion-edge config`."""

import json
import tomllib
from pathlib import Path

import pytest

from edge.cli import main


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


def test_a_token_that_the_unit_hands_to_the_service_will_do(tmp_path: Path) -> None:
    (tmp_path / "system").mkdir()
    (tmp_path / "system" / "token").write_text("a long secret\n")
    assert main(["config", "check", "--config", written(tmp_path, '[server]\nhost = "0.0.0.0"\n')]) == 0
