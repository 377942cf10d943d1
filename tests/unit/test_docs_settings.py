"""What docs say of the settings is what there is."""

import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edge.config import Config, converted, settings
from edge.config_layers import load
from edge.live import LIVE
from edge.reference import groups, page
from edge.settings_toml import HIDDEN, as_toml, snapshot

DOCS = Path(__file__).parents[2] / "docs"


def test_the_reference_is_what_the_program_prints() -> None:
    written = (DOCS / "configuration.md").read_text(encoding="utf-8")
    assert written == page(), "emotion-edge config reference > docs/configuration.md"


def test_every_setting_is_in_it_once_and_explained() -> None:
    listed = [setting for group in groups() for setting in group.settings]
    assert [(each.section, each.key) for each in listed] == [(section, key) for section, key, _ in settings()]
    assert [each.key for each in listed if len(each.about) < 5 or not each.allowed] == []


@pytest.mark.parametrize(("section", "key", "allowed"), [
    ("server", "port", "whole number from 0 to 65,535"),
    ("source", "read_timeout_s", "number above 0, to 60"),
    ("log", "level", "`debug`, `error`, `info`, `warning`"),
    ("detector", "min_score", "number from 0 to 1"),
    ("privacy", "masks", "list of up to 32, each 4 numbers"),
    ("expression", "model", "text or list, each text"),
    ("server", "token", "text of 8 characters or more"),
])  # fmt: skip
def test_it_tells_what_a_setting_may_be(section: str, key: str, allowed: str) -> None:
    found = {(each.section, each.key): each.allowed for group in groups() for each in group.settings}
    assert found[section, key] == allowed


def test_what_it_gives_as_defaults_are_the_defaults() -> None:
    text = "\n".join(
        f"[{group.name}]\n" + "\n".join(f"{each.key} = {each.default}" for each in group.settings if each.default)
        for group in groups()
    )
    assert converted(tomllib.loads(text), "the reference") == Config()


def test_it_marks_what_needs_a_restart_and_nothing_else() -> None:
    unmarked = {
        section.partition("\n")[0]: tuple(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE))
        for section in page().split("\n## ")[1:]
    }
    assert {section: set(keys) for section, keys in unmarked.items() if keys} == {
        section: set(keys) for section, keys in LIVE.items()
    }
    assert page().count("`ʳ |") + sum(map(len, unmarked.values())) == sum(len(group.settings) for group in groups())


def test_its_example_is_right(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(page().partition("```toml\n")[2].partition("```")[0], encoding="utf-8")
    assert load(file, environment={}).privacy.video == "blurred"


@pytest.mark.parametrize("layer", [
    {},
    {"source": {"uri": 'fifo:/tmp/a "quoted"\tname\x7f'}, "privacy": {"masks": [[0, 0.25, 1, 0.5]]}},
    {"expression": {"model": ["a.tflite", "b"], "contract": {"labels": ["x", "y"], "output": "logits", "scale": 1 / 255,
                                                             "offset": -1.5}}},
    {"budget": {"cpu_budget": 0.1 + 0.2}, "uploads": {"max_mb": 9999.125}, "server": {"client_kbps": 123456789.0}},
])  # fmt: skip
def test_a_snapshot_can_be_read_again(layer: dict[str, Any]) -> None:
    config = converted(layer, "a test")
    assert converted(tomllib.loads("\n".join(snapshot(config, {}))), "the snapshot") == config


def test_a_snapshot_hides_the_token_and_says_where_values_come_from() -> None:
    config = converted({"server": {"token": "eight letters and more"}}, "a test")
    shown = "\n".join(snapshot(config, {("server", "token"): "/etc/config.toml"}))
    assert f'token = "{HIDDEN}"  # from /etc/config.toml' in shown
    assert "eight" not in shown
    assert "# token is not set" in "\n".join(snapshot(Config(), {}))


@pytest.mark.parametrize(
    ("value", "text"), [(True, "true"), (0.45, "0.45"), (1e9, "1000000000.0"), (3, "3"), (None, "")]
)
def test_values_are_written_as_toml_has_them(value: Any, text: str) -> None:
    assert as_toml(value) == text
    assert not text or tomllib.loads(f"x = {text}")["x"] == value


def test_sections_say_what_they_are_about() -> None:
    assert [group.name for group in groups() if not group.about] == []
    assert [group.name for group in groups()] == [field.name for field in msgspec.structs.fields(Config)]


def test_the_manual_lists_what_can_be_changed_while_the_program_runs() -> None:
    section = (DOCS / "api.md").read_text(encoding="utf-8").partition("\n## Settings\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| (.*) \|$", section, re.M)
    assert {name: tuple(re.findall(r"`(\w+)`", keys)) for name, keys in rows} == LIVE
