"""A stop takes no more than two seconds, whoever watches and whatever is stuck."""

import selectors
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from tests.e2e.program import Program, get, running
from tests.films import film
from tests.uploading import ask
from tests.wire import Wire, watch

STOP_S = 2.0

STUCK = {
    "the analysis": "import time, edge.pipeline\nedge.pipeline.Pipeline.step = lambda *_: time.sleep(1e6)",
    # by waiting for a lock, which a signal has to interrupt
    "the event loop": "import threading, edge.supervisor\n"
    "edge.supervisor.Supervisor.alive = lambda _: threading.Event().wait()",
    "work beside the event loop": "import time, edge.app\nedge.app.App._registry = lambda _: time.sleep(1e6)",
    "an event log": "import time, edge.sinks.jsonl\nedge.sinks.jsonl.JsonlSink._append = lambda *_: time.sleep(1e6)",
}
"""Each by what makes it so."""


def port_of(url: str) -> int:
    return int(url.rstrip("/").rpartition(":")[2])


def stop(program: Program) -> float:
    """The seconds that a stop takes, which is to end the program as asked for."""
    code, took_s = program.terminate()
    assert code == 0, program.errors()
    return took_s


@contextmanager
def taking(clients: list[Wire]) -> Iterator[None]:
    """All that is sent to these is taken, on a thread."""
    over = threading.Event()
    selector = selectors.DefaultSelector()
    for client in clients:
        selector.register(client.sock, selectors.EVENT_READ)

    def take() -> None:
        while not over.is_set():
            for key, _ in selector.select(0.05):
                with suppress(OSError):
                    if not key.fileobj.recv(1 << 20):  # type: ignore[union-attr]
                        selector.unregister(key.fileobj)

    thread = threading.Thread(target=take, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        selector.close()


def test_with_fifty_viewers_one_who_takes_nothing_and_videos_on_their_way(tmp_path: Path):
    video = film(tmp_path / "film.mp4", 300).read_bytes()
    with running("--source", "demo", EMOTION_EDGE_SERVER_MAX_CLIENTS="64") as program, ExitStack() as stack:
        url = program.url()
        port = port_of(url)
        viewers = [stack.enter_context(watch(port)) for _ in range(50)]
        stack.enter_context(watch(port, receive_buffer=8192))
        stack.enter_context(Wire(port).send("/events"))
        arriving = stack.enter_context(Wire(port))
        arriving.sock.sendall(
            b"POST /api/v1/videos HTTP/1.1\r\nHost: localhost\r\nContent-Type: video/mp4\r\n"
            b"Content-Length: 50000000\r\n\r\n" + video
        )
        with taking(viewers):
            program.wait_for(url, "viewers", equals=51)
            program.wait_for(url, "uploads.waiting", equals=1)
            assert ask(port, "POST", "/api/v1/videos", video).status == 202
            program.wait_for(url, "uploads.running", equals=1)
            assert stop(program) <= STOP_S


@pytest.mark.parametrize("what", STUCK)
def test_with_something_stuck(what: str, tmp_path: Path):
    events = ("--events", str(tmp_path / "events.jsonl"))
    environment = {"EMOTION_EDGE_EVENTS_FLUSH_S": "0"}
    with running("--source", "demo", *events, before=STUCK[what], **environment) as program:
        url = program.url()
        if what == "work beside the event loop":
            with pytest.raises(OSError):
                get(f"{url}metrics", timeout_s=0.5)
        elif what != "the event loop":
            program.wait_for(url, "source.frames", above=20)
        else:
            time.sleep(0.5)
        assert stop(program) <= STOP_S
        program.end()
        # a stuck worker is left behind in good order; what is stuck in the program itself is cut off
        assert ("is cut off; its threads were here" in program.errors()) == ("event loop" in what)


def test_before_it_has_started():
    with running("--source", "demo", before="import time\ntime.sleep(0.3)") as program:
        time.sleep(0.5)
        took_s = program.terminate()[1]
    assert took_s <= STOP_S
