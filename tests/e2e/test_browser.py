"""The page in a real browser, in front of a program that only pretends to have a camera."""

from typing import Any

import pytest

from edge.palette import face_colour
from edge.server.settings import ServerSettings
from tests.e2e.browser import (
    BARS,
    HIDE,
    PATIENCE_MS,
    PICTURE,
    opened,
    other_site,
    wait_for_cards,
    wait_for_change,
    wait_for_picture,
)
from tests.serving import serve
from tests.stage import Stage
from tests.wire import eventually

pytestmark = pytest.mark.browser


def test_the_picture_and_the_bars_move_and_nothing_complains(browser: Any, stage: Stage) -> None:
    with serve(stage.backstage(), ServerSettings(port=0)) as served, opened(browser, served.url) as page:
        wait_for_picture(page)
        wait_for_cards(page, 2)
        wait_for_change(lambda: page.evaluate(PICTURE), 8, "pictures")
        wait_for_change(lambda: page.evaluate(BARS), 8, "positions of the bars")
        assert page.complaints == []


def test_a_card_has_the_colour_of_the_box_and_says_what_the_face_shows(browser: Any, stage: Stage) -> None:
    with serve(stage.backstage(), ServerSettings(port=0)) as served, opened(browser, served.url) as page:
        wait_for_cards(page, 2)
        for number in (1, 2):
            swatch = page.locator(f".card[data-face='{number}'] .swatch")
            colour = swatch.evaluate("(element) => getComputedStyle(element).backgroundColor")
            assert colour == "rgb({}, {}, {})".format(*face_colour(number))
        sure, unsure = (page.locator(f".card[data-face='{number}']") for number in (1, 2))
        assert unsure.locator(".label").inner_text() == "Uncertain"
        assert unsure.locator(".confidence").inner_text().startswith("perhaps ")
        assert sure.locator(".bar dt").all_inner_texts() == [label.capitalize() for label in stage.status().labels]
        stage.faces = 0
        page.get_by_text("No face in view").first.wait_for(timeout=PATIENCE_MS)
        assert page.locator(".card").count() == 0


def test_the_state_is_shown(browser: Any, stage: Stage) -> None:
    stage.notices = ("The detector file is missing.",)
    with serve(stage.backstage(), ServerSettings(port=0)) as served, opened(browser, served.url) as page:
        for text in ("The detector file is missing.", "demo camera", "chosen because no camera is connected", "7.4 ms"):
            page.get_by_text(text, exact=True).first.wait_for(timeout=PATIENCE_MS)
        page.locator("#details > summary").press("Enter")
        for text in ("blazeface-full", "LiteRT 2.3.0", "Find faces", "2.6", "3.4"):
            page.get_by_text(text, exact=True).first.wait_for(timeout=PATIENCE_MS)
        stage.notices = ()
        page.wait_for_selector("#notices", state="hidden", timeout=PATIENCE_MS)
        assert page.get_by_text("Apparent expression, not felt emotion.").is_visible()


def test_the_page_opens_one_stream_and_one_feed(browser: Any, stage: Stage) -> None:
    with serve(stage.backstage(), ServerSettings(port=0)) as served, opened(browser, "about:blank") as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(served.url, wait_until="commit")
        wait_for_cards(page, 2)
        wait_for_picture(page)
        assert len([url for url in asked if "/stream.mjpg" in url]) == 1
        assert len([url for url in asked if "/events?" in url]) == 1
        assert all(url.startswith(served.url) for url in asked)
        assert stage.audience.count == 1


def test_a_hidden_page_lets_the_encoder_sleep_and_comes_back(browser: Any, stage: Stage) -> None:
    with serve(stage.backstage(), ServerSettings(port=0)) as served, opened(browser, served.url) as page:
        wait_for_picture(page)
        page.evaluate(HIDE, True)
        eventually(lambda: stage.audience.count == 0, "no viewer")
        page.evaluate(HIDE, False)
        eventually(lambda: stage.audience.count == 1, "the viewer again")
        wait_for_picture(page)
        wait_for_change(lambda: page.evaluate(PICTURE), 3, "pictures")


def test_nothing_foreign_runs_on_the_page(browser: Any, stage: Stage) -> None:
    with serve(stage.backstage(), ServerSettings(port=0)) as served, opened(browser, served.url) as page:
        wait_for_cards(page, 2)
        page.evaluate("""() => {
          const script = document.createElement("script");
          script.textContent = "window.intruded = true";
          document.head.append(script);
          document.body.insertAdjacentHTML("beforeend", "<img src='x' onerror='window.intruded = true'>");
        }""")
        refusals = lambda: "".join(page.complaints).count("Content Security Policy")  # noqa: E731
        # playwright hands out what the page has said only while it is asked for something
        eventually(lambda: page.evaluate("true") and refusals() >= 2, "both refusals")
        assert page.evaluate("window.intruded") is None


@pytest.mark.parametrize("width", [320, 390, 768])
def test_nothing_sticks_out_on_a_phone(browser: Any, stage: Stage, width: int) -> None:
    stage.notices = ("A-notice-with-a-very-long-word-" + "a" * 60,)
    small = {"viewport": {"width": width, "height": 760}, "is_mobile": True, "has_touch": True}
    with serve(stage.backstage(), ServerSettings(port=0)) as served, opened(browser, served.url, **small) as page:
        wait_for_cards(page, 2)
        wait_for_picture(page)
        page.locator("#details > summary").tap()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        image = page.locator("#picture").bounding_box()
        assert image["width"] > 0.85 * min(width, 760)
        assert image["y"] < 250  # the picture comes first


def test_a_lost_connection_is_shown_and_heals(browser: Any, stage: Stage) -> None:
    with browser.new_context() as session:
        page = session.new_page()
        with serve(stage.backstage(), ServerSettings(port=0)) as served:
            page.goto(served.url, wait_until="commit")
            wait_for_picture(page)
            wait_for_cards(page, 2)
        page.get_by_text("Connection lost").wait_for(timeout=PATIENCE_MS)
        assert page.locator(".faces").get_attribute("data-old") is not None
        with serve(stage.backstage(), ServerSettings(port=served.port)):
            wait_for_picture(page)
            eventually(lambda: stage.audience.count == 1, "the viewer again")
            wait_for_change(lambda: page.evaluate(PICTURE), 5, "pictures")
            page.wait_for_selector(".faces:not([data-old])", timeout=PATIENCE_MS)


def test_a_stream_that_broke_off_alone_is_noticed(browser: Any, stage: Stage) -> None:
    with serve(stage.backstage(), ServerSettings(port=0)) as served, opened(browser, served.url) as page:
        wait_for_picture(page)
        # the browser is left with its last picture and no event, as when a proxy or a stall ends the stream
        page.evaluate("""() => {
          const image = document.getElementById("picture"), canvas = document.createElement("canvas");
          [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
          canvas.getContext("2d").drawImage(image, 0, 0);
          window.still = canvas;
          CanvasRenderingContext2D.prototype.drawImage = new Proxy(CanvasRenderingContext2D.prototype.drawImage, {
            apply: (draw, context, [source, ...rest]) =>
              Reflect.apply(draw, context, [source === image ? window.still : source, ...rest]),
          });
        }""")
        before = page.locator("#picture").get_attribute("src")
        page.wait_for_function(
            "(before) => document.getElementById('picture').getAttribute('src') !== before",
            arg=before,
            timeout=PATIENCE_MS,
        )
        eventually(lambda: stage.audience.count == 1, "one viewer: the old stream is closed")


def test_faces_are_not_shown_as_live_when_nothing_new_comes(browser: Any) -> None:
    stage = Stage()
    with serve(stage.backstage(), ServerSettings(port=0)) as served, opened(browser, served.url) as page:
        with stage.running(20):
            wait_for_cards(page, 2)
            page.wait_for_selector(".faces:not([data-old])", timeout=PATIENCE_MS)
        page.wait_for_selector(".faces[data-old]", timeout=PATIENCE_MS)


def test_signing_in_with_the_form_and_staying_signed_in(browser: Any, stage: Stage) -> None:
    settings = ServerSettings(port=0, token="let-me-see-it")
    with serve(stage.backstage(), settings) as served, opened(browser, served.url) as page:
        page.get_by_label("Token").fill("not-the-token")
        page.get_by_role("button").click()
        page.get_by_text("That was not the token").wait_for(timeout=PATIENCE_MS)
        page.get_by_label("Token").fill("let-me-see-it")
        page.get_by_role("button").click(no_wait_after=True)
        wait_for_cards(page, 2)
        wait_for_picture(page)
        assert page.url == served.url
        page.goto(served.url, wait_until="commit")
        wait_for_cards(page, 2)


def test_a_link_on_another_site_signs_in(browser: Any, stage: Stage) -> None:
    settings = ServerSettings(port=0, token="let-me-see-it")
    with (
        serve(stage.backstage(), settings) as served,
        other_site(f'<a href="{served.url}?token=let-me-see-it">Look at my camera</a>') as chat,
        opened(browser, chat) as page,
    ):
        page.get_by_role("link").click(no_wait_after=True)
        wait_for_cards(page, 2)
        assert page.url == served.url


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_reads_in_both_themes(browser: Any, stage: Stage, scheme: str) -> None:
    texts = (".label", ".confidence", ".bar dt", ".source-reason", ".caption", ".legend li", "#latency", ".affect")
    dressed = {"color_scheme": scheme}
    with serve(stage.backstage(), ServerSettings(port=0)) as served, opened(browser, served.url, **dressed) as page:
        wait_for_cards(page, 2)
        wait_for_picture(page)
        for selector in texts:
            ratio = page.locator(selector).first.evaluate(CONTRAST)
            assert ratio >= 4.5, f"{selector}: {ratio:.1f}"


CONTRAST = """(element) => {
  const parse = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const luminance = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  let ground = element;
  while (ground && (parse(getComputedStyle(ground).backgroundColor)[3] ?? 1) === 0) ground = ground.parentElement;
  const pair = [getComputedStyle(element).color, getComputedStyle(ground ?? document.body).backgroundColor];
  const [light, dark] = pair.map((colour) => luminance(parse(colour)) + 0.05).sort((a, b) => b - a);
  return light / dark;
}"""
