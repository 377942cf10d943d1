"""Secrets that systemd hands over, and the token among them."""

from pathlib import Path

import pytest

from edge.config_layers import load
from edge.credentials import credential
from edge.errors import ConfigError


@pytest.fixture
def handed_over(tmp_path: Path) -> dict[str, str]:
    """An environment in which systemd has handed over a token."""
    (tmp_path / "token").write_text("from-systemd\n")
    return {"CREDENTIALS_DIRECTORY": str(tmp_path)}


def test_a_secret_is_read_by_its_name_without_its_line_end(handed_over: dict[str, str]):
    assert credential("token", handed_over) == "from-systemd"
    assert credential("mqtt-password", handed_over) is None


def test_without_a_service_manager_there_is_none():
    assert credential("token", {}) is None


def test_an_empty_one_is_refused_with_what_to_do(handed_over: dict[str, str], tmp_path: Path):
    (tmp_path / "token").write_text("\n")
    with pytest.raises(ConfigError, match=r"credential token is empty: the file that LoadCredential=token:… names"):
        credential("token", handed_over)


def test_one_that_is_no_text_is_refused(handed_over: dict[str, str], tmp_path: Path):
    (tmp_path / "token").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="no text in UTF-8"):
        credential("token", handed_over)


def test_one_that_cannot_be_read_is_refused_with_the_reason(handed_over: dict[str, str], tmp_path: Path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(ConfigError, match=r"cannot read the credential .*folder: Is a directory"):
        credential("folder", handed_over)


def test_the_token_is_the_servers_where_nothing_else_sets_one(handed_over: dict[str, str], tmp_path: Path):
    assert load(environment=handed_over).server.token == "from-systemd"
    file = tmp_path / "config.toml"
    file.write_text('[server]\ntoken = "from-the-file"\n')
    assert load(file, environment=handed_over).server.token == "from-the-file"
    environment = {**handed_over, "EMOTION_EDGE_SERVER_TOKEN": "from-the-environment"}
    assert load(environment=environment).server.token == "from-the-environment"
    flags = {"server": {"token": "from-the-command-line"}}
    assert load(flags=flags, environment=handed_over).server.token == "from-the-command-line"


def test_an_empty_token_matters_only_where_it_is_needed(handed_over: dict[str, str], tmp_path: Path):
    (tmp_path / "token").write_text("")
    assert load(flags={"server": {"token": "from-elsewhere"}}, environment=handed_over).server.token == "from-elsewhere"
    with pytest.raises(ConfigError, match="credential token is empty"):
        load(environment=handed_over)


def test_a_token_that_is_too_short_is_refused_and_not_shown(handed_over: dict[str, str], tmp_path: Path):
    (tmp_path / "token").write_text("s3cret")
    with pytest.raises(ConfigError, match=r"in the credential token: .*length >= 8") as raised:
        load(environment=handed_over)
    assert "s3cret" not in str(raised.value)
