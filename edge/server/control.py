"""`/api/v1/control`: pause, resume, stop and start the source."""

from typing import Final

import msgspec
from aiohttp import web

from edge.control import ACTIONS, Action
from edge.errors import PermanentError
from edge.server.answers import json_answer
from edge.server.bodies import read_body
from edge.server.errors import JSON, api_error
from edge.server.view import Backstage

MAX_BYTES: Final = 1024
TIMEOUT_S: Final = 10.0


class Wish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a POST.

    Attributes:
        action: what to do.
    """

    action: Action


class ControlApi:
    """The handler for `/api/v1/control`."""

    def __init__(self, backstage: Backstage) -> None:
        self._stage = backstage

    async def ask(self, request: web.Request) -> web.Response:
        """POST: have it done; what is wanted of the source from now on. The source's state tells when it is so."""
        if request.content_type != JSON:
            raise api_error(415, f"The body is {request.content_type[:100]}, expected {JSON}.")
        body = await read_body(request, MAX_BYTES, TIMEOUT_S, "what an action may take")
        try:
            wish = msgspec.json.decode(body, type=Wish)
        except msgspec.ValidationError as error:
            wanted = ", ".join(f'{{"action": "{action}"}}' for action in ACTIONS)
            raise api_error(422, f"{error}; expected one of {wanted}.", "unknown_action") from error
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise api_error(400, f"The body is no JSON: {error}.", "no_json") from error
        try:
            status = self._stage.control(wish.action)
        except PermanentError as error:
            raise api_error(409, f"{error}.", "not_possible") from error
        return json_answer(status)
