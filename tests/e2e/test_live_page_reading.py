"""How the page is read: colours, keys, details, screen readers, small screens; the real program, in a real browser."""

from pathlib import Path
from typing import Any

import pytest

from tests.e2e.browser import PATIENCE_MS, opened, wait_for_cards, wait_for_picture
from tests.e2e.program import running
from tests.tiny_models import Tiny
from tests.wire import eventually

pytestmark = pytest.mark.browser

NAMES = "() => [...document.querySelector('.card').querySelectorAll('.bar dt')].map((name) => name.innerText)"


def test_the_theme_follows_the_system_until_somebody_chooses(browser: Any, url: str) -> None:
    ground = "() => getComputedStyle(document.body).backgroundColor"
    with opened(browser, url, color_scheme="dark") as page:
        wait_for_picture(page)
        dark = page.evaluate(ground)
        page.emulate_media(color_scheme="light")
        eventually(lambda: page.evaluate(ground) != dark, "light")
        light = page.evaluate(ground)
        button = page.locator("#theme")
        button.click()
        assert button.get_attribute("aria-label") == "Colours: light"
        button.click()
        assert page.evaluate(ground) == dark
        page.reload(wait_until="commit")
        page.wait_for_function("() => document.body && document.documentElement.dataset.theme === 'dark'")
        button.click()
        assert button.get_attribute("aria-label") == "Colours: as the system has them"
        eventually(lambda: page.evaluate(ground) == light, "light, as the system has it")


def test_the_page_works_where_storage_is_blocked(browser: Any, url: str) -> None:
    with opened(browser, "about:blank") as page:
        page.add_init_script(
            """Object.defineProperty(window, "localStorage",
              { get() { throw new DOMException("not here", "SecurityError"); } })"""
        )
        page.goto(url, wait_until="commit")
        wait_for_picture(page)
        page.locator("#theme").click()
        assert page.locator("#theme").get_attribute("aria-label") == "Colours: light"
        page.keyboard.press("?")
        page.get_by_label("Listen to these keys").uncheck()
        assert page.complaints == []


def test_the_details_tell_where_the_time_goes_and_why_it_searched(page: Any) -> None:
    page.locator("#details > summary").click()
    panels = page.locator("#panels")
    for text in (
        "Find faces",
        "Read expressions",
        "From the camera to a viewer",
        "Not searched: faces are where they were",
    ):
        panels.get_by_text(text).first.wait_for(timeout=PATIENCE_MS)
    shares = "() => [...document.querySelectorAll('#panels section')][1].innerText.match(/\\d+(?=% of frames)/g)"
    assert 95 <= sum(map(int, page.evaluate(shares))) <= 105
    assert page.locator(".stack .part").count() >= 5


def test_keys_can_be_looked_up_and_switched_off(page: Any) -> None:
    page.keyboard.press("?")
    help_dialog = page.get_by_role("dialog", name="How to read this page")
    page.keyboard.press("Space")  # presses what has the focus, and does not pause what lies behind
    help_dialog.wait_for(state="hidden", timeout=PATIENCE_MS)
    page.keyboard.press("?")
    page.get_by_label("Listen to these keys").uncheck()
    page.get_by_role("button", name="Close").click()
    page.locator("#live").focus()
    page.keyboard.press("Space")
    page.keyboard.press("?")
    assert not help_dialog.is_visible()
    page.wait_for_timeout(500)
    assert page.locator("#pause").get_attribute("aria-label") == "Pause"
    page.get_by_role("button", name="Help and keyboard shortcuts").click()
    page.get_by_label("Listen to these keys").check()


def test_the_picture_can_be_saved(page: Any) -> None:
    with page.expect_download() as started:
        page.locator("#live").focus()
        page.keyboard.press("s")
    assert Path(started.value.path()).read_bytes()[:2] == b"\xff\xd8"
    assert started.value.suggested_filename.endswith(".jpg")


def test_full_screen_keeps_the_buttons(page: Any) -> None:
    page.locator("#live").focus()
    page.keyboard.press("f")
    page.wait_for_function("() => document.fullscreenElement?.id === 'stage'", timeout=PATIENCE_MS)
    assert page.get_by_role("button", name="Pause").is_visible()
    page.keyboard.press("f")
    page.wait_for_function("() => document.fullscreenElement === null", timeout=PATIENCE_MS)


def test_a_screen_reader_finds_its_way(page: Any) -> None:
    told = page.locator("body").aria_snapshot()
    for part in (
        "- banner:",
        '- heading "emotion-edge" [level=1]',
        "- main",
        'img "Live picture from demo 640×480 with 3 faces"',
        '- button "Pause"',
        '- button "Stop camera"',
        '- link "Save picture"',
        '- button "Full screen"',
        '- heading "The last minutes" [level=2]',
        '- slider "A moment of the last minutes"',
        '- heading "Faces 3" [level=2]',
        '- heading "Face ',
        "- contentinfo:",
        '- button "More about what the labels mean"',
    ):
        assert part in told, f"{part}\n{told}"
    unnamed = page.evaluate("""() => [...document.querySelectorAll("button, a[href], input, [tabindex='0']")]
      .filter((element) => element.checkVisibility())
      .filter((element) => !(element.getAttribute("aria-label") || element.innerText.trim() || element.labels?.length))
     .map((element) => element.outerHTML)""")
    assert unnamed == []


def test_what_the_labels_mean_is_a_click_away(page: Any) -> None:
    assert page.get_by_text("Apparent expression, not felt emotion.").is_visible()
    page.get_by_role("button", name="More about what the labels mean").click()
    dialog = page.get_by_role("dialog", name="What the labels mean")
    for text in ("An expression is not a feeling.", "Art. 5(1)(f)", "seven in ten"):
        assert dialog.get_by_text(text).is_visible()
    page.keyboard.press("Escape")


@pytest.mark.parametrize("width", [320, 390])
def test_a_phone_shows_all_of_it_with_room_for_thumbs(browser: Any, url: str, width: int) -> None:
    phone = {"viewport": {"width": width, "height": 740}, "is_mobile": True, "has_touch": True}
    with opened(browser, url, **phone) as page:
        wait_for_picture(page)
        wait_for_cards(page, 3)
        page.locator("#details > summary").tap()
        page.locator("#timeline-words summary").tap()
        page.wait_for_timeout(500)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        small = page.evaluate("""() => [...document.querySelectorAll("button, a[href], summary")]
          .filter((element) => element.checkVisibility() && !element.matches(".skip"))
          .map((element) => [element.id || element.innerText, element.getBoundingClientRect()])
          .filter(([, { width, height }]) => width < 44 || height < 44).map(([name]) => name)""")
        assert small == []
        for opener in ("#watchers", "#help", "#meaning"):
            page.locator(opener).tap()
            dialog = page.locator("dialog[open]")
            box = dialog.bounding_box()
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= width
            dialog.get_by_role("button", name="Close").tap()


def test_the_page_shows_the_classes_of_a_model_from_elsewhere(browser: Any, tmp_path: Path) -> None:
    tiny = Tiny(64, 3, tuple(f"mood {number}" for number in range(1, 10)), -1, 1)
    model = tiny.write(tmp_path / "moods.tflite")
    config = tmp_path / "config.toml"
    config.write_text(tiny.toml())
    arguments = ("--source", "demo", "--model", str(model), "--config", str(config))
    with running(*arguments) as program, opened(browser, program.url()) as page:
        page.wait_for_selector(".card .bar")
        assert page.evaluate(NAMES) == [f"Mood {number}" for number in range(1, 10)]
        assert "moods.tflite" in page.inner_text("#summary")
        assert page.locator(".legend li").count() == 10
        assert page.complaints == []
