"""Every link in the documentation leads somewhere."""

import re
from collections import Counter
from pathlib import Path
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).parents[2]
MADE = ("build", "dist", "runs")
"""Folders that are not part of the project, but made by it."""
FOLDERS = [each for each in ROOT.iterdir() if each.is_dir() and each.name[0] != "." and each.name not in MADE]
PAGES = sorted([*ROOT.glob("*.md"), *(page for folder in FOLDERS for page in folder.rglob("*.md"))])


def prose(page: Path) -> str:
    """A page's text without blocks and pieces of code."""
    text = re.sub(r"^ *```.*?^ *```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    return re.sub(r"`[^`\n]*`", "", text)


def links(page: Path) -> list[str]:
    """Where a page's links and pictures lead, but those to other sites."""
    found = re.findall(r"\]\(\s*([^)\s]+)[^)]*\)", prose(page))
    return [link for link in found if not re.match(r"[a-z]+:", link)]


def anchors(page: Path) -> set[str]:
    """The names that a page's headings get on the usual sites: repeated ones are counted."""
    text = re.sub(r"^ *```.*?^ *```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    seen: Counter[str] = Counter()
    found = set()
    for heading in re.findall(r"^#{1,6} +(.*?) *#*$", text, re.M):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        name = re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")
        found.add(f"{name}-{seen[name]}" if seen[name] else name)
        seen[name] += 1
    return found


def test_pages_are_looked_for_everywhere() -> None:
    expected = ("README.md", "deploy/observability/README.md", "benchmarks/report.md", "docs/fleet.md")
    assert {ROOT / each for each in expected} <= set(PAGES)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_file_and_a_heading_that_exist(page: Path) -> None:
    broken = []
    for link in links(page):
        path, _, anchor = unquote(link).partition("#")
        target = page.parent / path if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


def test_links_are_found_where_there_are_some(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# One `two`: three\n[a](b.md#c) `[x](y)` ![p](q.png)\n[two\nlines](z.md) [far](https://w.example/)\n"
        "```\n[code](n.md)\n# no heading\n```\n## Again\n## Again\n",
        encoding="utf-8",
    )
    assert links(page) == ["b.md#c", "q.png", "z.md"]
    assert anchors(page) == {"one-two-three", "again", "again-1"}
