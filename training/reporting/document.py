"""What a report consists of, and how it is written: one Markdown page, its figures as JSON, its pictures as PNG."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from training.files import write_whole
from training.reporting.style import new_figure, save

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph, or any other Markdown."""

    markdown: str


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a header.

    Attributes:
        header: of each column.
        rows: of as many cells.
        words: how many of the first columns are text; the others are figures and stand right.

    Raises:
        ValueError: a row is longer or shorter than the header.
    """

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: int = 1

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.header):
                raise ValueError(f"the row {row} has {len(row)} cells, expected {len(self.header)}: {self.header}")


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawing.

    Attributes:
        name: of the file, without its suffix; may begin with a folder beside the page.
        says: what it shows, for those who do not see it.
        size_in: width and height in inches; 144 px each.
        draw: fills the empty figure it is given.
    """

    name: str
    says: str
    size_in: tuple[float, float]
    draw: Callable[["Figure"], None]


Block = Text | Table | Picture


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands under it."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A whole report.

    Attributes:
        name: of its files, without suffix.
        title: its first heading.
        sections: one after the other; the first may have an empty title.
        figures: everything that was measured, for machines; None: that lies elsewhere.
    """

    name: str
    title: str
    sections: tuple[Section, ...]
    figures: msgspec.Struct | None


def write(document: Document, directory: Path) -> Path:
    """Write page, figures and pictures into `directory`; each file is replaced whole.

    Returns:
        the page.
    """
    for section in document.sections:
        for block in section.blocks:
            if isinstance(block, Picture):
                with new_figure(block.size_in) as figure:
                    block.draw(figure)
                    write_whole(directory / f"{block.name}.png", save(figure))
    if document.figures is not None:
        figures = msgspec.json.format(msgspec.json.encode(document.figures), indent=2)
        write_whole(directory / f"{document.name}.json", figures + b"\n")
    page = directory / f"{document.name}.md"
    write_whole(page, markdown(document).encode())
    return page


def markdown(document: Document) -> str:
    """The page; pictures are named relative to it."""
    return "\n".join(_lines(document)).rstrip("\n") + "\n"


def _lines(document: Document) -> Iterator[str]:
    yield from (f"# {document.title}", "")
    for section in document.sections:
        if section.title:
            yield from (f"## {section.title}", "")
        for block in section.blocks:
            match block:
                case Text(text):
                    yield text
                case Table(header, rows, words):
                    yield _row(header)
                    yield _row(["---" if column < words else "---:" for column in range(len(header))])
                    yield from map(_row, rows)
                case Picture(name, says):
                    yield f"![{says}]({name}.png)"
            yield ""


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
