"""A real browser, and what tests look at in it."""

import hashlib
import http.server
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

PATIENCE_MS = 30_000
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-quic",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
]
PICTURE = """() => {
  const image = document.getElementById("picture"), canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [64, 48];
  canvas.getContext("2d").drawImage(image, 0, 0, 64, 48);
  return canvas.toDataURL();
}"""
BARS = """() => [...document.querySelectorAll(".card")].map(
  (card) => [...card.querySelectorAll(".fill")].map((fill) => getComputedStyle(fill).transform).join())"""
SAID = """() => Object.fromEntries([...document.querySelectorAll('.card')].map(
  (card) => [card.dataset.face, card.querySelector('.label').innerText.toLowerCase()]))"""
"""By the face's number, what its card says it shows, in small letters."""
HIDE = """(hidden) => {
  Object.defineProperty(document, "hidden", { get: () => hidden, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""
"""To the page, its tab is hidden now, or shown again."""


@contextmanager
def opened(browser: Any, url: str, **context: Any) -> Iterator[Any]:
    """A page; what it complained about is in `page.complaints`."""
    with browser.new_context(viewport=context.pop("viewport", {"width": 1280, "height": 800}), **context) as session:
        page = session.new_page()
        page.complaints = []
        page.on("console", lambda message: page.complaints.append(message.text))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.goto(url, wait_until="commit")  # `load` may never come beside an endless picture
        yield page


@contextmanager
def other_site(document: str) -> Iterator[str]:
    """A page of HTML, on a host that is another site for browsers than 127.0.0.1."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(document.encode())

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://localhost:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


def wait_for_cards(page: Any, count: int) -> None:
    page.wait_for_function("(n) => document.querySelectorAll('.card').length === n", arg=count, timeout=PATIENCE_MS)


def wait_for_picture(page: Any) -> None:
    page.wait_for_selector("#screen[data-state=live]", timeout=PATIENCE_MS)


def wait_for_text(page: Any, selector: str, text: str) -> None:
    script = "([selector, text]) => document.querySelector(selector)?.innerText === text"
    page.wait_for_function(script, arg=[selector, text], timeout=PATIENCE_MS)


def wait_for_complaints(page: Any, *parts: str) -> None:
    """Wait until the page has complained so often, each time with that in it; the browser tells of it when it likes."""
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while len(page.complaints) < len(parts):
        assert time.monotonic() < deadline, f"expected {parts}, found {page.complaints}"
        page.wait_for_timeout(20)  # lets events in
    assert all(part in said for part, said in zip(parts, page.complaints, strict=True)), page.complaints
    page.complaints.clear()


def wait_for_change(look: Callable[[], Any], times: int, what: str) -> None:
    """Wait until `times` different values were seen."""
    seen = set()
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while len(seen) < times:
        assert time.monotonic() < deadline, f"{what}: {len(seen)} of {times}"
        seen.add(hashlib.sha256(str(look()).encode()).hexdigest())
