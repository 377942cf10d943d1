"""One string names any source: `demo:`, `file:clip.mp4?loop=1`, `v4l2:/dev/video0?size=1280x720`, `rtsp://…`."""

import re
from typing import Final
from urllib.parse import parse_qsl, urlsplit

import msgspec

from edge.errors import ConfigError
from edge.named_paths import at_home, is_file, is_folder, is_there, unreadable
from edge.sources.specs import (
    DemoSpec,
    FifoSpec,
    FileSpec,
    ImagesSpec,
    Picamera2Spec,
    PushSpec,
    SourceSpec,
    UrlSpec,
    V4l2Spec,
    redacted,
)

AUTO: Final = "auto"
"""Stands for whatever `edge.sources.choosing.choose` finds."""
VIDEO_SUFFIXES: Final = frozenset(
    (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".mts", ".mjpg", ".mjpeg", ".wmv", ".ogv")
)
PICTURE_SUFFIXES: Final = frozenset((".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".pgm", ".ppm"))
_URL: Final = re.compile(r"(https?|rtsps?)://", re.IGNORECASE)
_OPTIONS: Final = re.compile(r"\?([^?]*=[^?]*)$")

_KINDS: Final[dict[str, type[SourceSpec]]] = {
    "demo": DemoSpec,
    "file": FileSpec,
    "images": ImagesSpec,
    "fifo": FifoSpec,
    "push": PushSpec,
    "v4l2": V4l2Spec,
    "picamera2": Picamera2Spec,
}
_KIND: Final = re.compile(rf"({'|'.join(_KINDS)})(?::|$|(?=\?))")
"""`demo:`, `demo` or `demo?faces=2`; a folder of that name is `./demo`."""


def parse(uri: str) -> SourceSpec:
    """What a URI asks for. Looks at the disk only to tell bare paths apart; opens nothing.

    Args:
        uri: a URI, a path to a video, picture or folder, a device such as `/dev/video0`, or a camera's number.

    Raises:
        ConfigError: nobody could open that; the message lists what is possible.
    """
    uri = uri.strip()
    if _URL.match(uri):
        return _url(uri)
    named = _KIND.match(uri)
    if named:
        return _build(named[1], *_split(uri[named.end() :]))
    if not uri:
        raise _unknown(uri)
    target, options = _split(uri)
    path = at_home(target)
    if target.isdecimal() or target.startswith("/dev/"):
        return _build("v4l2", target, options)
    if is_folder(path) or path.suffix.lower() in PICTURE_SUFFIXES or (_is_pattern(target) and not is_there(path)):
        return _build("images", target, options)
    if is_file(path) or path.suffix.lower() in VIDEO_SUFFIXES:
        return _build("file", target, options)
    try:
        path.stat()
    except PermissionError as error:
        raise unreadable(path, error) from error
    except OSError:
        pass
    raise _unknown(uri)


def usage() -> str:
    """All forms with their options, one a line, for people."""
    lines = []
    for kind in (*_KINDS.values(), UrlSpec):
        lines.append(f"{kind.FORM}: {' '.join((kind.__doc__ or '').split())}")
        lines += [f"    {name}: {meaning}" for name, meaning in _allowed(kind).items()]
    return "\n".join(lines)


def _unknown(uri: str) -> ConfigError:
    forms = ", ".join(kind.FORM for kind in (*_KINDS.values(), UrlSpec))
    return ConfigError(
        f"'{redacted(uri)}' names no source: it is neither an existing path nor a known kind; "
        f"expected auto, {forms}, /dev/video0 or the path of a video, a picture or a folder"
    )


def _url(uri: str) -> UrlSpec:
    advice = (
        "expected something like rtsp://camera.local:554/stream; write @ / # ? : in a password as %40 %2F %23 %3F %3A"
    )
    try:
        parts = urlsplit(uri)
        found = "no host" if not parts.hostname else ""
        _ = parts.port
    except ValueError:
        found = "no valid host and port"
    if found:
        raise ConfigError(f"'{redacted(uri)}' has {found}; {advice}")
    return UrlSpec(url=uri)


def _is_pattern(target: str) -> bool:
    return any(c in target for c in "*?[")


def _split(text: str) -> tuple[str, str]:
    """Target and options. A `?` that belongs to an existing path or to a pattern is no separator."""
    found = _OPTIONS.search(text)
    if not found or (text and is_there(text)):
        return text.removesuffix("?"), ""
    return text[: found.start()], found[1]


def _meanings(kind: type[SourceSpec]) -> dict[str, str]:
    """What each field of a kind means, by the name it has in a URI."""
    described: dict[str, str] = {}
    for field in msgspec.structs.fields(kind):
        metas = getattr(field.type, "__metadata__", ())
        described[field.encode_name] = next((meta.description for meta in metas if meta.description), "")
    return described


def _allowed(kind: type[SourceSpec]) -> dict[str, str]:
    """Option names and what they mean."""
    target = getattr(kind, "TARGET", "url")
    return {name: meaning for name, meaning in _meanings(kind).items() if name != target}


def _build(kind_name: str, target: str, options: str) -> SourceSpec:
    kind = _KINDS[kind_name]
    allowed = _allowed(kind)
    given = parse_qsl(options, keep_blank_values=True)
    values = dict(given)
    if len(values) < len(given):
        raise ConfigError(f"{kind_name}: an option is given twice in '{options}'; give each once")
    for name, value in values.items():
        if name not in allowed:
            listed = "; ".join(f"{name}: {meaning}" for name, meaning in allowed.items())
            raise ConfigError(f"{kind_name} has no option '{name}'; it has {listed}")
        if not _fits(kind, name, value):
            raise ConfigError(f"{kind_name}: {name}={value} is not possible; expected {allowed[name]}")
    target_name = getattr(kind, "TARGET", None)
    if target and target_name is None:
        raise ConfigError(f"{kind_name} takes options only, such as {kind_name}:?fps=30; found '{target}'")
    if target and target_name:
        if not _fits(kind, target_name, target):
            expected = _meanings(kind)[target_name]
            raise ConfigError(f"{kind_name}:{target} is not possible; expected {kind.FORM}, {expected}")
        values[target_name] = target
    elif any(field.encode_name == target_name and field.required for field in msgspec.structs.fields(kind)):
        expected = " ".join((kind.__doc__ or "").split()).rstrip(".")
        raise ConfigError(f"{kind_name}: names nothing; expected {kind.FORM}: {expected}")
    try:
        return msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{kind_name}:{target} with '{options}': {error}; expected {kind.FORM}") from None


def _fits(kind: type[SourceSpec], name: str, value: str) -> bool:
    """Whether one value is valid by itself."""
    field = next(field for field in msgspec.structs.fields(kind) if field.encode_name == name)
    try:
        msgspec.convert(value, field.type, strict=False)
    except msgspec.ValidationError:
        return False
    return True
