"""The configuration, read again by a program that runs."""

import asyncio
import logging
from pathlib import Path

import pytest

from edge.config_layers import load
from edge.errors import ConfigError
from edge.hangup import _keep_reloading
from edge.live import LiveSettings
from edge.notify import Notifier
from edge.reloading import Reloading


class Owner:
    """Writes the file that the program goes by."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.write("")
        self.settings = LiveSettings(load(file, environment={}))
        self.reload = Reloading(lambda: load(file, environment={}), self.settings)

    def write(self, text: str) -> None:
        self.file.write_text(text)


@pytest.fixture
def owner(tmp_path: Path) -> Owner:
    return Owner(tmp_path / "config.toml")


def told(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    """Event and message of all that was logged."""
    return [(record.event, record.getMessage()) for record in caplog.records]  # type: ignore[attr-defined]


def test_a_good_file_is_taken_over_and_the_log_says_what_has_changed(owner: Owner, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO)
    owner.write("[stream]\nquality = 50\n")
    owner.reload()
    assert owner.settings.current.stream.quality == 50
    assert told(caplog) == [("config.reloaded", "the configuration was read again: stream.quality = 50")]
    assert owner.reload.note == ""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[stream]\nquality = 101\n", "stream.quality"),
        ("[stream]\nqualty = 50\n", "did you mean `stream.quality`?"),
        ("[stream\n", "is no TOML"),
    ],
)
def test_a_bad_file_is_refused_as_a_whole_each_time_with_its_error(
    owner: Owner, caplog: pytest.LogCaptureFixture, text: str, message: str
):
    before = owner.settings.current
    owner.write(f"[expression]\nthreshold = 0.6\n{text}")
    owner.reload()
    owner.reload()
    assert owner.settings.current is before
    assert [name for name, _ in told(caplog)] == ["config.refused"] * 2
    assert message in told(caplog)[0][1]
    assert owner.reload.note.startswith("the configuration was not reloaded: ")
    assert message in owner.reload.note
    owner.write("[expression]\nthreshold = 0.6\n")
    owner.reload()
    assert owner.settings.current.expression.threshold == 0.6
    assert owner.reload.note == ""


def test_a_file_that_has_gone_is_refused(owner: Owner):
    owner.file.unlink()
    owner.reload()
    assert "cannot read the configuration" in owner.reload.note


def test_what_needs_a_restart_is_named_without_its_value(owner: Owner, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO)
    owner.write('[server]\ntoken = "open-sesame"\n[source]\nuri = "rtsp://admin:hunter2@cam/"\nmax_fps = 5\n')
    owner.reload()
    assert owner.reload.note == "needs a restart: source.uri, server.token"
    assert told(caplog)[1] == ("config.restart", "needs a restart: source.uri, server.token")
    assert owner.settings.current.source.max_fps == 5
    for secret in ("open-sesame", "hunter2"):
        assert secret not in caplog.text
    owner.write("")
    owner.reload()
    assert owner.reload.note == "", "it is as it was"


def test_whatever_else_is_wrong_with_the_settings_counts_too(tmp_path: Path):
    def wrong() -> None:
        raise ConfigError("there is no file film.mp4")

    owner = Owner(tmp_path / "config.toml")
    reload = Reloading(wrong, owner.settings)  # type: ignore[arg-type]
    reload()
    assert reload.note == "the configuration was not reloaded: there is no file film.mp4"


def test_an_error_that_nobody_expected_is_in_the_status_too():
    class Broken:
        note = ""

        def __call__(self) -> None:
            raise RuntimeError("oops")

    async def once(reload: Broken) -> None:
        asked, done = asyncio.Event(), asyncio.Event()
        asked.set()
        task = asyncio.create_task(_keep_reloading(reload, asked, Notifier({}), done.set))
        await done.wait()
        task.cancel()

    reload = Broken()
    asyncio.run(once(reload))
    assert reload.note == "the configuration was not reloaded: RuntimeError: oops"
