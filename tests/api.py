"""A client of the API."""

import http.client
import json
from typing import Any


def ask(
    port: int, method: str, path: str, body: bytes | str | None = None, **headers: str
) -> tuple[int, dict[str, str], Any]:
    """Status, headers (names in lower case) and what the JSON says; None where there is no body.

    Args:
        port: of a server on this machine.
        method: such as PATCH.
        path: with its query.
        body: sent as it is.
        **headers: underscores in their names become hyphens.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        content = answer.read()
        return answer.status, {name.lower(): value for name, value in answer.headers.items()}, _content(content)
    finally:
        connection.close()


def _content(content: bytes) -> Any:
    return json.loads(content) if content else None
