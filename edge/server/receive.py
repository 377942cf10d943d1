"""`/api/v1/push`: a WebSocket by which a browser or a program sends pictures, and is told what was seen in them."""

import asyncio
import logging
from typing import Final

from aiohttp import WSCloseCode, web

from edge.events import SceneEvent
from edge.logs import event
from edge.server.errors import api_error
from edge.server.newest import Newest
from edge.server.sender import GOODBYE_S, Answer, Greeting, Hello, Sender, shorten_queue
from edge.server.settings import ServerSettings
from edge.server.view import Backstage
from edge.types import Scene

log = logging.getLogger(__name__)

HEARTBEAT_S: Final = 20.0
"""A sender is asked for a sign of life after so much silence, and dropped if none comes for half as long again."""


class Receive:
    """The handler for `/api/v1/push`."""

    def __init__(self, backstage: Backstage, settings: ServerSettings, heartbeat_s: float = HEARTBEAT_S) -> None:
        self._stage = backstage
        self._settings = settings
        self._heartbeat_s = heartbeat_s
        self._scenes = Newest(backstage.scenes)
        self._senders: set[Sender] = set()

    async def push(self, request: web.Request) -> web.StreamResponse:
        """GET: becomes a WebSocket; one JPEG in each binary message. One sender at a time."""
        mailbox = self._stage.mailbox
        if mailbox is None:
            name = self._stage.status().source.name
            message = (
                f"The source is {name}, which takes no pictures from outside. Start the program with "
                '`emotion-edge run --source push:`, or set source.uri = "push:".'
            )
            raise api_error(409, message, "no_push_source")
        socket = web.WebSocketResponse(
            timeout=GOODBYE_S,
            heartbeat=self._heartbeat_s,
            max_msg_size=mailbox.limits.max_bytes + 1,
            compress=False,  # JPEGs are compressed, and a small message could become a huge one
            writer_limit=0,
        )
        if not socket.can_prepare(request):
            message = "This is a WebSocket: connect with a client for those, and send one JPEG in each binary message."
            raise api_error(426, message, "upgrade_required", Upgrade="websocket", Connection="Upgrade")
        await socket.prepare(request)
        shorten_queue(request)
        with mailbox.sending(f"a sender at {request.remote}") as alone:
            if not alone:
                reason = f"{mailbox.sender} is connected already; try again when it has gone"
                await socket.close(code=WSCloseCode.TRY_AGAIN_LATER, message=reason.encode())
                return socket
            with self._stage.clients.served("push", request.remote) as client:
                sender = Sender(request, socket, mailbox, client, self._settings.send_timeout_s)
                self._senders.add(sender)
                event(log, logging.INFO, "push.connected", "a client sends pictures", client=request.remote)
                try:
                    await self._serve(sender)
                finally:
                    self._senders.discard(sender)
                    message = f"a client that sent {sender.seq} messages has gone"
                    event(log, logging.INFO, "push.left", message, client=request.remote, code=socket.close_code)
        return socket

    async def close(self) -> None:
        """Take leave of whoever sends: the server shuts down."""
        self._scenes.close()
        for sender in tuple(self._senders):
            await sender.leave(WSCloseCode.GOING_AWAY, "the program ends")

    async def _serve(self, sender: Sender) -> None:
        limits = sender.mailbox.limits
        await sender.say(Greeting(Hello(limits.max_bytes, limits.max_fps, limits.width, limits.height)))
        async with asyncio.TaskGroup() as tasks:
            answering = [tasks.create_task(self._tell_results(sender)), tasks.create_task(_tell_refusals(sender))]
            try:
                await sender.listen()
            finally:
                for task in answering:
                    task.cancel()

    async def _tell_results(self, sender: Sender) -> None:
        """Answer with the newest scene as soon as the one before is taken; only with those of its own pictures."""
        with self._scenes.reading():
            number = self._scenes.seq()
            while (found := await self._scenes.newer(number)) is not None:
                number, scene = found
                seq = sender.claim(scene.frame.t_ns)
                if seq is not None:
                    sender.broken = 0
                    await sender.say(Answer(seq, self._record(scene)))

    def _record(self, scene: Scene) -> SceneEvent | None:
        """What may be told of a scene: whoever may count people only must not be told of each of them here either."""
        faces = self._stage.settings.current.privacy.events == "faces"
        return self._stage.event(scene) if faces else None


async def _tell_refusals(sender: Sender) -> None:
    """Pass on what the decoder could not make sense of."""
    refusals = Newest(sender.mailbox.refusals)
    with refusals.reading():
        number = refusals.seq()
        while (found := await refusals.newer(number)) is not None:
            number, refusal = found
            seq = sender.claim(refusal.t_ns)
            if seq is not None:
                await sender.complain(seq, refusal.error)
