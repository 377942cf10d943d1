"""Names of files and users are bytes; what is told, or handed to another process as JSON, is text."""


def in_utf8(text: str) -> str:
    """A name as Python has it, with what is not UTF-8 in it shown as `\\xff`: it then names no file any more."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
