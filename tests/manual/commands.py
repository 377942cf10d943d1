"""What the docs tell people to type."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = (
    "README.md",
    "deploy/README.md",
    "deploy/observability/README.md",
    *sorted(f"docs/{path.name}" for path in ROOT.glob("docs/*.md")),
)
TYPED = Path(__file__).with_name("typed.txt").read_text(encoding="utf-8")
SHELL = ("", "sh", "console")
"""Languages of the fences around commands."""


def commands(page: str) -> tuple[str, ...]:
    """The commands of a page in their order: continued lines joined; comments and `.venv/bin/` left out."""
    text = (ROOT / page).read_text(encoding="utf-8")
    found = []
    for fence in re.finditer(r"^```(\w*)\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        if fence[1] in SHELL:
            lines = fence[2].replace("\\\n", " ").splitlines()
            found += [_bare(line) for line in lines if line.strip() and not line.startswith("#")]
    return tuple(found)


def inline(page: str) -> tuple[str, ...]:
    """What a page has of commands of ours within its sentences."""
    text = re.sub(r"^```.*?^```", "", (ROOT / page).read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return tuple(" ".join(each.split()) for each in re.findall(r"`((?:emotion-edge|make|python -m) [^`]+)`", text))


def table(name: str) -> dict[str, str]:
    """A section of `typed.txt`: command → what it prints, as a regular expression."""
    section = TYPED.partition(f"\n[{name}]\n")[2].partition("\n[")[0]
    pairs = (line.partition(" ⇒") for line in section.splitlines() if line)
    return {command: says.strip() for command, _, says in pairs}


def typed() -> set[str]:
    """All commands of `typed.txt`."""
    return {command for name in re.findall(r"(?m)^\[(\w+)\]$", TYPED) for command in table(name)}


def _bare(line: str) -> str:
    return " ".join(re.sub(r"\.venv/bin/|\s+#\s.*", "", line).split())
