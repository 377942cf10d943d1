"""What docs say of the settings is what there is."""

import re
from pathlib import Path
from typing import Literal, get_args, get_origin

import msgspec

from edge.config import Config, load, settings
from edge.live import LIVE

DOCS = Path(__file__).parents[2] / "docs"
SECTION = (DOCS / "running.md").read_text(encoding="utf-8").partition("\n## Settings\n")[2]
EXAMPLE = SECTION.partition("```toml\n")[2].partition("```")[0]


def lines() -> list[tuple[str, str, str, str]]:
    """Section, key, value and meaning of each setting in the manual's example; the value is empty if commented out."""
    found = []
    section = ""
    for line in EXAMPLE.splitlines():
        head = re.match(r"\[(\w+)\]", line)
        entry = re.match(r"(# )?(\w+) = (\"[^\"]*\"|\S+)(?: +# (.*))?$", line)
        if head:
            section = head[1]
        elif line:
            assert entry, line
            found.append((section, entry[2], "" if entry[1] else entry[3], entry[4] or ""))
    return found


def test_every_setting_is_in_the_manual_once_and_nothing_else_is():
    named = [f"{section}.{key}" for section, key, _, _ in lines()]
    assert sorted(named) == sorted(f"{section}.{key}" for section, key, _ in settings())


def test_the_manual_has_the_defaults(tmp_path: Path):
    file = tmp_path / "config.toml"
    file.write_text(EXAMPLE, encoding="utf-8")
    assert load(file, environment={}) == Config()


def test_only_what_has_no_default_is_commented_out():
    without = {
        f"{section.name}.{key.name}"
        for section in msgspec.structs.fields(Config)
        for key in msgspec.structs.fields(section.type)
        if key.default is None
    }
    assert {f"{section}.{key}" for section, key, value, _ in lines() if not value} == without


def test_every_setting_is_explained():
    assert [key for _, key, _, meaning in lines() if len(meaning) < 5] == []


def test_where_there_is_a_choice_each_value_is_named():
    texts = {f"{section}.{key}": f"{value} {meaning}" for section, key, value, meaning in lines()}
    missing = [
        f"{section}.{key}: {choice}"
        for section, key, kind in settings()
        if get_origin(kind) is Literal
        for choice in get_args(kind)
        if not re.search(rf"\b{choice}\b", texts[f"{section}.{key}"])
    ]
    assert missing == []


def test_the_manual_lists_what_can_be_changed_while_the_program_runs():
    section = (DOCS / "api.md").read_text(encoding="utf-8").partition("\n## Settings\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| (.*) \|$", section, re.M)
    assert {name: tuple(re.findall(r"`(\w+)`", keys)) for name, keys in rows} == LIVE
