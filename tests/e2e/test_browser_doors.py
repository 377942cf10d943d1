"""Signing in, https and foreign pages, in a real browser."""

from pathlib import Path
from typing import Any

import pytest

from edge.server import lockout, origin
from edge.server.settings import ServerSettings
from edge.server.tls import Tls
from tests.e2e.browser import PATIENCE_MS, PICTURE, opened, other_site, wait_for_change, wait_for_picture
from tests.serving import serve
from tests.stage import Stage

pytestmark = pytest.mark.browser

TOKEN = "open-sesame"
SOCKET = """async (address) => {
  const broken = [];
  document.addEventListener("securitypolicyviolation", (event) => broken.push(event.blockedURI));
  const state = await new Promise((resolve) => {
    const socket = new WebSocket(address);
    socket.onopen = () => resolve("open");
    socket.onerror = () => resolve("failed");
  });
  return [state, broken];
}"""
FOREIGN = """<!doctype html><title>foreign</title><form id="form" method="post" action="{url}logout"></form>"""
ATTACKS = """async (url) => {
  const tried = [];
  const attempt = (path, options) => fetch(url + path, {mode: "no-cors", credentials: "include", ...options})
    .then(() => tried.push("sent"), () => tried.push("blocked"));
  await attempt("api/v1/control", {method: "POST", body: '{"action": "stop"}'});
  await attempt("api/v1/control", {method: "POST", body: new Blob(['{"action": "stop"}'])});
  await attempt("api/v1/config", {method: "PATCH", mode: "cors", body: "{}"});
  await attempt("api/v1/analyze", {method: "POST", body: new Blob(["x"])});
  await attempt("login", {method: "POST", body: new URLSearchParams({token: "guess"})});
  return tried;
}"""


def test_a_person_signs_in_and_the_token_stays_out_of_the_address(browser: Any, stage: Stage) -> None:
    settings = ServerSettings(port=0, token=TOKEN)
    with serve(stage.backstage(), settings) as served, opened(browser, served.url) as page:
        page.get_by_text("This camera is private").wait_for(timeout=PATIENCE_MS)
        page.get_by_label("Token").fill("guess")
        page.get_by_role("button").click()
        page.get_by_text("That was not the token").wait_for(timeout=PATIENCE_MS)
        page.get_by_label("Token").fill(TOKEN)
        page.get_by_role("button").click()
        wait_for_picture(page)
        assert page.url == served.url
        cookies = page.context.cookies()
        assert [(cookie["httpOnly"], cookie["sameSite"]) for cookie in cookies] == [(True, "Strict")]
        out = page.evaluate("fetch('logout', {method: 'POST'}).then((answer) => answer.status)")
        assert out == 401  # the redirect leads to the sign-in page
        assert page.context.cookies() == []


def test_too_many_mistakes_are_told_and_the_form_comes_back_by_itself(
    browser: Any, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lockout, "FIRST_WAIT_S", 3.0)
    settings = ServerSettings(port=0, token=TOKEN)
    with serve(stage.backstage(), settings) as served, opened(browser, served.url) as page:
        for _ in range(lockout.FREE_TRIES):
            page.get_by_label("Token").fill("guess")
            with page.expect_navigation():
                page.get_by_role("button").click()
        page.get_by_text("Too many wrong tokens").wait_for(timeout=PATIENCE_MS)
        page.get_by_text("This camera is private").wait_for(timeout=PATIENCE_MS)
        page.get_by_label("Token").fill(TOKEN)
        page.get_by_role("button").click()
        wait_for_picture(page)


def test_by_https_everything_works_and_the_policy_lets_our_own_socket_through(
    browser: Any, stage: Stage, tmp_path: Path
) -> None:
    settings = ServerSettings(port=0, tls=True)
    with (
        serve(stage.backstage(), settings, tls=Tls(settings, tmp_path)) as served,
        opened(browser, served.url, ignore_https_errors=True) as page,
    ):
        wait_for_picture(page)
        wait_for_change(lambda: page.evaluate(PICTURE), 5, "pictures")
        assert page.evaluate("isSecureContext")
        assert page.complaints == []
        own = served.url.replace("https", "wss")
        assert page.evaluate(SOCKET, f"{own}no-such-socket") == ["failed", []]
        _, broken = page.evaluate(SOCKET, "wss://127.0.0.1:1/elsewhere")
        assert broken, "the policy would let the page talk to anybody"


def test_whoever_types_http_is_led_to_https(browser: Any, stage: Stage, tmp_path: Path) -> None:
    settings = ServerSettings(port=0, tls=True)
    with (
        serve(stage.backstage(), settings, tls=Tls(settings, tmp_path)) as served,
        opened(browser, served.url.replace("https", "http"), ignore_https_errors=True) as page,
    ):
        wait_for_picture(page)
        assert page.url == served.url


def test_a_foreign_page_can_do_nothing_in_its_visitors_name(
    browser: Any, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged, really = list[bool](), origin.is_own

    def is_own(*headers: Any) -> bool:
        judged.append(really(*headers))
        return judged[-1]

    monkeypatch.setattr(origin, "is_own", is_own)
    with (
        serve(stage.backstage(), ServerSettings(port=0)) as served,
        other_site(FOREIGN.format(url=served.url)) as foreign,
    ):
        with opened(browser, foreign) as page:
            page.wait_for_selector("#form", state="attached", timeout=PATIENCE_MS)
            tried = page.evaluate(ATTACKS, served.url)
            assert len(tried) == 5
            assert len(judged) == 4, "all but the PATCH, for which the browser asked leave first, in vain"
            page.evaluate("document.getElementById('form').submit()")
            page.get_by_text("only the page of this server").wait_for(timeout=PATIENCE_MS)
        with opened(browser, foreign) as page:
            own = served.url.replace("http", "ws")
            assert page.evaluate(SOCKET, f"{own}api/v1/push")[0] == "failed"
        assert judged == [False] * 6
