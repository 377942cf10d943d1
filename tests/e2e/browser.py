"""A real browser, and what tests look at in it."""

import hashlib
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


def wait_for_cards(page: Any, count: int) -> None:
    page.wait_for_function("(n) => document.querySelectorAll('.card').length === n", arg=count, timeout=PATIENCE_MS)


def wait_for_picture(page: Any) -> None:
    page.wait_for_selector("#screen[data-state=live]", timeout=PATIENCE_MS)


def wait_for_text(page: Any, selector: str, text: str) -> None:
    script = "([selector, text]) => document.querySelector(selector)?.innerText === text"
    page.wait_for_function(script, arg=[selector, text], timeout=PATIENCE_MS)


def wait_for_change(look: Callable[[], Any], times: int, what: str) -> None:
    """Wait until `times` different values were seen."""
    seen = set()
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while len(seen) < times:
        assert time.monotonic() < deadline, f"{what}: {len(seen)} of {times}"
        seen.add(hashlib.sha256(str(look()).encode()).hexdigest())
