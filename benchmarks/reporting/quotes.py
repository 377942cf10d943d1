"""Figures that other pages quote: filled in from what was measured, so that no page can say something else."""

import re
from collections.abc import Mapping
from pathlib import Path

from edge.errors import ConfigError

ROOT = Path(__file__).parents[2]
MARKED = re.compile(r"<!--figure ([a-z0-9-]+)-->.*?<!--/figure-->", re.S)


def pages() -> tuple[Path, ...]:
    """All that may quote figures."""
    return ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))


def refreshed(page: str, figures: Mapping[str, str], name: str) -> str:
    """A page with the figures of now where it quotes some.

    Args:
        page: Markdown; what stands between `<!--figure NAME-->` and `<!--/figure-->` is replaced.
        figures: by their names.
        name: of the page, for messages.

    Raises:
        ConfigError: it quotes a figure that there is not.
    """

    def filled(match: re.Match[str]) -> str:
        wanted = match[1]
        if wanted not in figures:
            raise ConfigError(f"{name} quotes the figure {wanted!r}; expected one of {', '.join(sorted(figures))}")
        return f"<!--figure {wanted}-->{figures[wanted]}<!--/figure-->"

    return MARKED.sub(filled, page)
