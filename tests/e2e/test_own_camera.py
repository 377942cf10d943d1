"""The browser's own camera as the program's source, with a film in the camera's place."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edge.encode import encode_jpeg
from edge.sources import open_source
from tests.e2e.browser import ARGUMENTS, PATIENCE_MS, opened, wait_for_cards, wait_for_change
from tests.e2e.program import running
from tests.tools import require_tool

pytestmark = pytest.mark.browser

MARKS = """() => {
  const marks = document.querySelector(".own canvas");
  return marks ? marks.toDataURL() : "";
}"""


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two drawn people, in the format Chromium takes for a camera."""
    path = tmp_path_factory.mktemp("camera") / "people.mjpeg"
    source = open_source("demo:?size=640x480&faces=2&realtime=0")
    path.write_bytes(b"".join(encode_jpeg(source.read(5).bgr, 85) for _ in range(90)))
    return path


@pytest.fixture(scope="module")
def browser(film: Path) -> Iterator[Any]:
    """With that film as its camera, which every page may use."""
    chromium = require_tool("chromium", "apt-get install -y --no-install-recommends chromium")
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install -e '.[dev]'")
    camera = [
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={film}",
    ]
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=str(chromium), args=[*ARGUMENTS, *camera])
        yield browser
        browser.close()


def test_the_browsers_camera_is_analysed_and_the_answer_drawn_on_it(browser: Any) -> None:
    with running("--source", "push:") as program:
        url = program.url()
        with opened(browser, url) as page:
            button = page.locator("#own-camera")
            button.wait_for(timeout=PATIENCE_MS)
            assert program.state(url)["source"]["state"] in ("starting", "waiting")
            button.click()
            wait_for_cards(page, 2)
            wait_for_change(lambda: page.evaluate(MARKS), 8, "boxes on the browser's own picture")
            state = program.wait_for(url, "faces", equals=2)
            assert [client["kind"] for client in state["clients"]].count("push") == 1
            assert state["source"]["state"] == "online"

            page.get_by_role("button", name="Stop this device's camera").click()
            program.wait_for(url, "source.state", equals="waiting")
            assert page.locator(".own").count() == 0
            button.click()  # and once more
            program.wait_for(url, "source.state", equals="online")
            assert page.complaints == []


def test_the_camera_is_sent_over_tls_to_a_page_that_needs_a_token(browser: Any, tmp_path: Path) -> None:
    environment = {"XDG_STATE_HOME": str(tmp_path), "EMOTION_EDGE_SERVER_TOKEN": "a-token-for-tests"}
    with running("--source", "push:", "--tls", **environment) as program:
        url = program.url()
        assert url.startswith("https://")
        with opened(browser, f"{url}?token=a-token-for-tests", ignore_https_errors=True) as page:
            page.locator("#own-camera").wait_for(timeout=PATIENCE_MS)
            page.locator("#own-camera").click()
            wait_for_cards(page, 2)
            wait_for_change(lambda: page.evaluate(MARKS), 4, "boxes on the browser's own picture")


def test_a_second_browser_is_told_that_somebody_sends_already(browser: Any) -> None:
    with running("--source", "push:") as program:
        url = program.url()
        with opened(browser, url) as first, opened(browser, url) as second:
            first.locator("#own-camera").wait_for(timeout=PATIENCE_MS)
            first.locator("#own-camera").click()
            program.wait_for(url, "source.state", equals="online")
            second.locator("#own-camera").wait_for(timeout=PATIENCE_MS)
            second.locator("#own-camera").click()
            second.get_by_text("connected already").wait_for(timeout=PATIENCE_MS)
            assert second.locator(".own").count() == 0


def test_other_sources_do_not_offer_the_browsers_camera(browser: Any) -> None:
    with running("--source", "demo") as program, opened(browser, program.url()) as page:
        wait_for_cards(page, 3)
        assert page.locator("#own-camera").is_hidden()
