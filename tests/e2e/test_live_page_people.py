"""Who watches, and what is kept from them: the real program on its demo, in a real browser."""

from pathlib import Path
from typing import Any

import pytest

from tests.e2e.browser import PATIENCE_MS, opened, wait_for_cards, wait_for_picture, wait_for_text
from tests.e2e.program import running

pytestmark = pytest.mark.browser


def test_it_is_always_seen_who_watches(browser: Any, page: Any, url: str) -> None:
    with opened(browser, url) as other:
        wait_for_picture(other)
        wait_for_text(page, "#watching", "2")
        page.get_by_role("button", name="2 viewers").click()
        dialog = page.get_by_role("dialog", name="Who is watching")
        rows = dialog.locator("tbody tr")
        rows.nth(3).wait_for(timeout=PATIENCE_MS)  # the other page's feed may come a moment later
        assert rows.count() == 4
        assert rows.filter(has_text="127.0.0.1").filter(has_text="Picture").count() == 2
        assert dialog.get_by_text("The picture is sent as the camera sees it.").is_visible()
        page.keyboard.press("Escape")
        assert not dialog.is_visible()
        assert page.evaluate("document.activeElement.id") == "watchers"
    wait_for_text(page, "#watching", "1")


def test_a_device_that_shares_no_picture_is_asked_for_none(browser: Any) -> None:
    asked: list[str] = []
    with (
        running("--source", "demo", EMOTION_EDGE_PRIVACY_VIDEO="none") as program,
        opened(browser, "about:blank") as page,
    ):
        page.on("request", lambda request: asked.append(request.url))
        page.goto(program.url(), wait_until="commit")
        wait_for_text(page, "#veil-title", "This device shares numbers only")
        wait_for_cards(page, 3)
        page.wait_for_timeout(1500)
        assert page.locator("#snapshot").is_hidden()
        assert page.complaints == []
    assert not [wanted for wanted in asked if "stream" in wanted or "snapshot" in wanted]


def test_a_device_that_tells_totals_only_shows_no_single_face(browser: Any) -> None:
    settings = {"EMOTION_EDGE_PRIVACY_EVENTS": "aggregate", "EMOTION_EDGE_PRIVACY_AGGREGATE_S": "2"}
    with running("--source", "demo", **settings) as program, opened(browser, program.url()) as page:
        wait_for_picture(page)
        page.get_by_role("heading", name="Totals").wait_for(timeout=PATIENCE_MS)
        page.wait_for_function("() => document.querySelector('#totals-period').innerText.includes('at most')")
        assert page.locator("#totals tbody tr").count() >= 1
        assert not page.locator(".faces").is_visible()
        assert not page.locator(".timeline").is_visible()
        assert page.complaints == []


def test_what_is_kept_out_of_the_picture_is_said(browser: Any, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[privacy]\nvideo = "blurred"\nmasks = [[0.0, 0.0, 0.2, 0.2]]\n')
    with running("--source", "demo", "--config", str(config)) as program, opened(browser, program.url()) as page:
        wait_for_picture(page)
        wait_for_text(page, "#shade", "Blurred: nobody can be recognised · 1 region is blacked out")
        assert page.locator("#shade").is_visible()
