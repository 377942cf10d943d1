"""Names of uploaded files: shown to people, never used on the disk."""

import unicodedata
from typing import Final
from urllib.parse import quote

LONGEST: Final = 100
UNNAMED: Final = "video"


def shown_name(name: str | None) -> str:
    """What a client calls its file, without folders, control characters and what would turn the text around."""
    last = (name or "").replace("\\", "/").rpartition("/")[2]
    # Cc, Cf: controls and invisible formatting; Cs: halves of characters; Zl, Zp: line ends
    plain = "".join(c for c in last if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))
    return plain.strip(" .")[:LONGEST].strip() or UNNAMED


def download_name(name: str, ending: str) -> str:
    """A name for a result, after the name of what was uploaded: `film.mp4` → `film-events.csv`."""
    stem = name.rpartition(".")[0] or name
    return f"{stem}-{ending}"


def attachment(name: str) -> str:
    """The value of Content-Disposition for a download of that name (RFC 6266)."""
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "_" for c in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
