"""What a person sees and does: the real program on its demo, in a real browser."""

import json
import time
from typing import Any

import pytest

from edge.contract.labels import FER2013_LABELS
from edge.sources.script import Script
from tests.e2e.browser import (
    BARS,
    HIDE,
    PATIENCE_MS,
    PICTURE,
    SAID,
    opened,
    wait_for_cards,
    wait_for_change,
    wait_for_complaints,
    wait_for_picture,
    wait_for_text,
)
from tests.e2e.program import Program, get, running
from tests.wire import eventually

pytestmark = pytest.mark.browser

LABELS = "() => [...document.querySelectorAll('.card .label')].map((label) => label.innerText.toLowerCase())"
SETTLED_S = 1.4
"""After a change of the demo's expression: blending, smoothing and the next record for the page."""
ENOUGH = 0.7
"""Share of the demo's faces that the page must name as drawn: the model reads most of them."""


def test_the_demo_moves_with_boxes_labels_and_bars_that_change(page: Any) -> None:
    wait_for_change(lambda: page.evaluate(PICTURE), 8, "pictures")
    wait_for_change(lambda: page.evaluate(BARS), 8, "positions of the bars")
    said: set[str] = set()

    def look() -> str:
        said.update(page.evaluate(LABELS))
        return str(sorted(said & set(FER2013_LABELS)))

    wait_for_change(look, 3, "expressions named so far")
    assert said <= {*FER2013_LABELS, "uncertain"}


def test_the_cards_follow_what_the_demo_draws(page: Any, url: str) -> None:
    script = Script()
    right = seen = 0
    end_s = time.monotonic() + PATIENCE_MS / 1000
    while seen < 24 and time.monotonic() < end_s:
        scene = json.loads(get(f"{url}snapshot.jpg?format=json"))
        scene = scene.get("result", scene)
        said = page.evaluate(SAID)
        t_s = (scene["seq"] - 1) / 30
        for face in scene["faces"]:
            x = face["box"][0] + face["box"][2] / 2
            drawn = min(script.at(t_s), key=lambda drawn: abs(drawn.box.x + drawn.box.w / 2 - x))
            steady = {script.at(t_s + shift_s)[drawn.id - 1].label for shift_s in (-SETTLED_S, 0.0, 0.4)}
            if len(steady) == 1 and str(face["id"]) in said:
                seen += 1
                right += said[str(face["id"])] == drawn.label
        page.wait_for_timeout(350)
    assert right / seen >= ENOUGH, f"{right} of {seen}"


def test_the_page_needs_one_stream_one_feed_and_nothing_but_the_program(
    browser: Any, program: Program, url: str
) -> None:
    asked: list[str] = []
    with opened(browser, "about:blank") as page:
        page.on("request", lambda request: asked.append(request.url))
        page.context.route(lambda wanted: not wanted.startswith(url), lambda route: route.abort())
        page.goto(url, wait_until="commit")
        wait_for_picture(page)
        wait_for_cards(page, 3)
        page.wait_for_timeout(4500)  # two rounds of status
        kinds = sorted(client["kind"] for client in program.state(url)["clients"])
        assert page.complaints == []
    assert kinds == ["events", "stream"]
    assert all(wanted.startswith(url) for wanted in asked), asked
    paths = [wanted.removeprefix(url) for wanted in asked]
    assert len([path for path in paths if path.startswith("stream.mjpg")]) == 1
    assert [path for path in paths if path.startswith("events")] == ["events?status=1"]
    assert "state" not in paths


def test_a_page_that_was_hidden_asks_for_what_it_missed(page: Any) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.evaluate(HIDE, True)
    page.evaluate(HIDE, False)
    eventually(lambda: page.evaluate("1") and any("&last_event_id=" in wanted for wanted in asked), "the feed again")
    wait_for_picture(page)


def test_pause_and_resume_by_click_and_by_key(page: Any, program: Program, url: str) -> None:
    page.get_by_role("button", name="Pause").click()
    wait_for_text(page, "#veil-title", "Paused")
    assert program.wait_for(url, "source.state", equals="paused")["control"]["paused"]
    page.wait_for_selector(".faces[data-old]")
    page.get_by_role("button", name="Resume").click()
    wait_for_picture(page)
    page.wait_for_selector("[aria-label=Pause][aria-disabled=false]", timeout=PATIENCE_MS)
    page.locator("#live").focus()
    page.keyboard.press("Space")
    wait_for_text(page, "#veil-title", "Paused")
    program.wait_for(url, "source.state", equals="paused")
    # the feed may tell of the pause before the answer to the order is there; until then no other is taken
    page.wait_for_selector("[aria-label=Resume][aria-disabled=false]", timeout=PATIENCE_MS)
    page.keyboard.press("Space")
    wait_for_picture(page)
    program.wait_for(url, "source.state", equals="online")
    wait_for_change(lambda: page.evaluate(PICTURE), 3, "pictures")
    page.wait_for_selector(".faces:not([data-old])", timeout=PATIENCE_MS)


def test_the_camera_stops_and_starts_and_says_so(page: Any, program: Program, url: str) -> None:
    page.get_by_role("button", name="Stop camera").click()
    wait_for_text(page, "#veil-title", "The camera is off")
    program.wait_for(url, "source.state", equals="stopped")
    wait_for_cards(page, 0)
    pause = page.get_by_role("button", name="Pause")
    assert pause.get_attribute("aria-disabled") == "true"
    assert pause.get_attribute("title") == "The camera is off"
    pause.click(force=True)
    page.get_by_role("alert").get_by_text("Not possible now: the camera is off.").wait_for(timeout=PATIENCE_MS)
    eventually(lambda: not any(client["kind"] == "stream" for client in program.state(url)["clients"]), "no stream")
    page.get_by_role("button", name="Start camera").press("Enter")
    wait_for_picture(page)
    wait_for_cards(page, 3)


def test_another_persons_pause_is_seen(browser: Any, page: Any, url: str) -> None:
    with opened(browser, url) as other:
        wait_for_picture(other)
        other.get_by_role("button", name="Pause").click()
        wait_for_text(page, "#veil-title", "Paused")
        page.get_by_role("button", name="Resume").click()
        wait_for_picture(other)


def test_an_order_that_fails_is_told(page: Any) -> None:
    refusal = {"error": {"code": "not_possible", "message": "This camera cannot be paused."}}
    page.route("**/api/v1/control", lambda route: route.fulfill(status=409, json=refusal))
    page.get_by_role("button", name="Pause").click()
    page.get_by_role("alert").get_by_text("This camera cannot be paused.").wait_for(timeout=PATIENCE_MS)
    page.unroute("**/api/v1/control")
    page.route("**/api/v1/control", lambda route: route.abort())
    page.get_by_role("button", name="Pause").click()
    page.get_by_role("alert").get_by_text("The device did not pause").wait_for(timeout=PATIENCE_MS)
    assert page.get_by_role("button", name="Pause").get_attribute("aria-disabled") == "false"
    wait_for_complaints(page, "409", "ERR_FAILED")  # the browser's own words on the two


def test_everything_comes_back_after_the_program_was_restarted(browser: Any) -> None:
    with running("--source", "demo") as first:
        url = first.url()
        with opened(browser, url) as page:
            wait_for_picture(page)
            wait_for_cards(page, 3)
            first.terminate()
            wait_for_text(page, "#veil-title", "Connection lost")
            assert page.inner_text("#source-reason") == "No connection"
            pause = page.get_by_role("button", name="Pause")
            assert pause.get_attribute("title") == "No connection to the device"
            with running("--source", "demo", "--port", url.rstrip("/").rpartition(":")[2]) as second:
                second.url()
                wait_for_picture(page)
                wait_for_change(lambda: page.evaluate(PICTURE), 3, "pictures")
                page.wait_for_selector(".faces:not([data-old])", timeout=PATIENCE_MS)
                wait_for_cards(page, 3)
                page.wait_for_selector("#pause[aria-disabled=false]", timeout=PATIENCE_MS)


def test_a_page_that_stays_open_grows_in_nothing(page: Any) -> None:
    watch = page.context.new_cdp_session(page)
    watch.send("Performance.enable")

    def alive(kind: str) -> int:
        kinds = watch.send("Runtime.evaluate", {"expression": f"{kind}.prototype"})["result"]["objectId"]
        found = watch.send("Runtime.queryObjects", {"prototypeObjectId": kinds})["objects"]["objectId"]
        count = {"functionDeclaration": "function () { return this.length; }", "objectId": found, "returnByValue": True}
        number = watch.send("Runtime.callFunctionOn", count)["result"]["value"]
        watch.send("Runtime.releaseObject", {"objectId": found})
        return int(number)

    def held() -> dict[str, int]:
        watch.send("HeapProfiler.collectGarbage")
        metrics = watch.send("Performance.getMetrics")["metrics"]
        counted = {kind: alive(kind) for kind in ("HTMLImageElement", "EventSource")}
        return {metric["name"]: int(metric["value"]) for metric in metrics} | counted

    def come_and_go() -> None:
        for _ in range(6):  # what a page does each time somebody looks at another one
            page.evaluate(HIDE, True)
            page.evaluate(HIDE, False)
            wait_for_picture(page)

    page.locator("#details > summary").click()
    page.locator("#timeline-words summary").click()
    come_and_go()
    before = held()
    come_and_go()
    after = held()
    for kind in ("Documents", "JSEventListeners", "HTMLImageElement", "EventSource"):
        assert after[kind] <= before[kind] + 2, (kind, before[kind], after[kind])
    assert after["Nodes"] <= before["Nodes"] * 1.1
    assert after["JSHeapUsedSize"] <= before["JSHeapUsedSize"] + 1_000_000
