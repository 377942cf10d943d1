"""`/api/v1/config`: what the program goes by, and how some of that is changed while it runs."""

import hashlib
import logging
from typing import Any, Final

import msgspec
from aiohttp import hdrs, web

from edge.config import Config
from edge.errors import ConfigError
from edge.live import ChangedMeanwhile, LiveSettings, Loosened, differences, fixed_keys, live_keys
from edge.logs import event
from edge.server.bodies import read_body
from edge.server.errors import JSON, api_error

log = logging.getLogger(__name__)

MAX_BYTES: Final = 64 * 1024
TIMEOUT_S: Final = 10.0
TYPES: Final = (JSON, "application/merge-patch+json")
NOTE: Final = "Changes hold until the program is restarted or reads the configuration file again, which is not written."


class SettingsAnswer(msgspec.Struct, frozen=True):
    """The settings, and which of them may be changed now.

    Attributes:
        config: section → key → value; without credentials.
        live: `section.key` of those that PATCH takes.
        restart: of those that are set in the configuration file, and need a restart.
        note: what becomes of changes.
    """

    config: dict[str, dict[str, Any]]
    live: tuple[str, ...]
    restart: tuple[str, ...]
    note: str = NOTE


class ConfigApi:
    """Handlers for `/api/v1/config`."""

    def __init__(self, settings: LiveSettings) -> None:
        self._settings = settings

    async def read(self, request: web.Request) -> web.Response:
        """GET: the current snapshot; 304 if the client has it already."""
        body, etag = self._shown(self._settings.current)
        if any(tag.value in (etag, "*") for tag in request.if_none_match or ()):
            return web.Response(status=304, headers=_headers(etag))
        return web.Response(body=body, headers=_headers(etag), content_type=JSON)

    async def change(self, request: web.Request) -> web.Response:
        """PATCH: all values of the body or none; the snapshot that holds from now on."""
        if request.content_type not in TYPES:
            message = f"The body is {request.content_type[:100]}, expected {TYPES[0]}."
            raise api_error(415, message, Accept_Patch=", ".join(TYPES))
        patch = _decoded(await read_body(request, MAX_BYTES, TIMEOUT_S, "what settings may take"))
        before = self._settings.current
        self._refuse_unless_matching(request, before)
        try:
            after = self._settings.change(patch, since=before)
        except ChangedMeanwhile as error:
            raise api_error(412, f"{error}.") from error
        except Loosened as error:
            raise api_error(403, f"{error}.", "cannot_be_loosened") from error
        except ConfigError as error:
            raise api_error(422, f"{error}.", "invalid_settings") from error
        changed = {key: str(value)[:200] for key, value in differences(before, after)}
        if changed:
            message = f"{request.remote} changed {', '.join(f'{key} = {value}' for key, value in changed.items())}"
            event(log, logging.INFO, "config.changed", message, client=request.remote, **changed)
        body, etag = self._shown(after)
        return web.Response(body=body, headers=_headers(etag), content_type=JSON)

    def _refuse_unless_matching(self, request: web.Request, config: Config) -> None:
        wanted = request.if_match
        if wanted is None:
            return
        etag = self._shown(config)[1]
        if not any(tag.value in (etag, "*") and not tag.is_weak for tag in wanted):
            raise api_error(
                412, "The settings were changed meanwhile, or If-Match is not the ETag of a GET. Read again."
            )

    def _shown(self, config: Config) -> tuple[bytes, str]:
        """The body for a snapshot, and its ETag."""
        body = msgspec.json.encode(SettingsAnswer(self._settings.shown(config), live_keys(), fixed_keys()))
        return body, hashlib.sha256(body).hexdigest()[:16]


def _headers(etag: str) -> dict[str, str]:
    return {hdrs.ETAG: f'"{etag}"', hdrs.CACHE_CONTROL: "no-store"}


def _decoded(body: bytes) -> Any:
    """What is in it.

    Raises:
        HTTPException: it is no JSON.
    """
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise api_error(400, f"The body is no JSON: {error}.", "no_json") from error
    except RecursionError as error:
        raise api_error(400, 'The body is nested too deeply, expected {"section": {"key": value}}.') from error
