"""What a client shows to prove that it has the token."""

import base64
import hashlib
import hmac
from collections.abc import Iterator

from aiohttp import web


def same(given: str, expected: str) -> bool:
    """Compare in a time that tells nothing about where they differ."""
    # headers may hold any byte, which aiohttp hands over as lone surrogates
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), expected.encode())


def derived(token: str, purpose: str) -> str:
    """A value that only the token's owner can make, and that does not give the token away."""
    return hmac.new(token.encode(), f"emotion-edge {purpose}".encode(), hashlib.sha256).hexdigest()


def presented(request: web.Request) -> Iterator[str]:
    """Tokens in a request; an empty one is none: players ask like that before they are told to send a password."""
    in_query = request.query.get("token")
    if in_query:
        yield in_query
    in_header = _from_header(request.headers.get("Authorization", ""))
    if in_header:
        yield in_header


def _from_header(header: str) -> str | None:
    """The token in an Authorization header: Bearer (RFC 6750), or the password of Basic (RFC 7617)."""
    scheme, _, value = header.partition(" ")
    match scheme.lower():
        case "bearer":
            return value.strip()
        case "basic":
            try:
                return base64.b64decode(value, validate=True).decode().partition(":")[2]
            except ValueError:  # no Base64, or no UTF-8 in it
                return None
        case _:
            return None
