"""Who gets in, over real sockets."""

import base64
from collections.abc import Iterator

import pytest

from edge.server.settings import ServerSettings
from tests.serving import Served, serve
from tests.stage import Stage
from tests.wire import get

TOKEN = "open-sesame/åß"  # not only ASCII, and not safe in a URL
QUOTED = "open-sesame%2F%C3%A5%C3%9F"
PRIVATE = ["/", "/state", "/events", "/metrics", "/stream.mjpg", "/snapshot.jpg", "/static/app.js", "/no-such-page"]
OPEN = ["/livez", "/readyz", "/favicon.svg", "/favicon.ico"]


def basic(password: str, user: str = "anybody") -> str:
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


@pytest.fixture(scope="module")
def guarded() -> Iterator[Served]:
    with serve(Stage().backstage(), ServerSettings(port=0, token=TOKEN)) as served:
        yield served


@pytest.fixture(scope="module")
def local() -> Iterator[Served]:
    with serve(Stage().backstage(), ServerSettings(port=0)) as served:
        yield served


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", PRIVATE)
def test_nothing_is_shown_without_the_token(guarded: Served, path: str, method: str) -> None:
    status, headers, body = get(guarded.port, path, method)
    assert status == 401
    assert "www-authenticate" in headers
    assert method == "HEAD" or b"token" in body


@pytest.mark.parametrize("path", OPEN)
def test_supervisors_and_browsers_may_ask_without(guarded: Served, path: str) -> None:
    assert get(guarded.port, path)[0] == 200


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Bearer open-sesame",
        "Bearer open-sesame/åß2",
        "Basic",
        "Basic !!!",
        "Basic //79",
        "Digest x",
        basic(""),
        basic("open-sesame"),
        base64.b64encode(b"no scheme").decode(),
    ],
)
def test_a_wrong_token_is_refused(guarded: Served, authorization: str) -> None:
    assert get(guarded.port, "/state", Authorization=authorization)[0] == 401


@pytest.mark.parametrize("authorization", [f"Bearer {TOKEN}", f"bearer {TOKEN}", basic(TOKEN), basic(TOKEN, user="")])
def test_the_token_opens_everything(guarded: Served, authorization: str) -> None:
    assert get(guarded.port, "/state", Authorization=authorization)[0] == 200


@pytest.mark.parametrize("path", ["/state", "/snapshot.jpg", "/static/app.js"])
def test_the_token_in_the_query_opens_addresses_that_can_send_no_header(guarded: Served, path: str) -> None:
    assert get(guarded.port, f"{path}?token={QUOTED}", "HEAD")[0] == 200
    assert get(guarded.port, f"{path}?token=open-sesame", "HEAD")[0] == 401


def test_opening_the_link_sets_a_cookie_and_takes_the_token_out_of_the_address(guarded: Served) -> None:
    status, headers, _ = get(guarded.port, f"/?token={QUOTED}&big=1")
    assert status == 303
    assert headers["location"] == "./?big=1"
    cookie = headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert "open-sesame" not in cookie
    assert QUOTED not in cookie
    pair = cookie.partition(";")[0]
    assert get(guarded.port, "/", Cookie=pair)[0] == 200
    assert get(guarded.port, "/state", Cookie=pair)[0] == 200
    assert get(guarded.port, "/state", Cookie=f"{pair}0")[0] == 401
    assert get(guarded.port, "/state", Cookie=f"{pair.partition('=')[0]}={QUOTED}")[0] == 401


def test_a_wrong_link_sets_no_cookie(guarded: Served) -> None:
    status, headers, _ = get(guarded.port, "/?token=guess")
    assert status == 401
    assert "set-cookie" not in headers


def test_the_cookie_is_of_no_use_with_another_token(guarded: Served) -> None:
    pair = get(guarded.port, f"/?token={QUOTED}")[1]["set-cookie"].partition(";")[0]
    with serve(Stage().backstage(), ServerSettings(port=0, token="another-token")) as other:
        assert get(other.port, "/state", Cookie=pair)[0] == 401


def test_mjpg_streamers_address_streams_without_a_detour(guarded: Served) -> None:
    assert get(guarded.port, f"/?action=stream&token={QUOTED}", "HEAD")[0] == 200


def test_a_link_on_another_site_gets_in_too(guarded: Served) -> None:
    # a redirect would still count as cross-site, so that the Strict cookie would not be sent
    status, headers, body = get(guarded.port, f"/?token={QUOTED}", Sec_Fetch_Site="cross-site")
    assert status == 200
    assert "set-cookie" in headers
    assert b'content="0; url=./"' in body


def test_a_person_gets_a_page_and_a_player_a_challenge(guarded: Served) -> None:
    _, headers, body = get(guarded.port, "/", Accept="text/html,*/*", Sec_Fetch_Mode="navigate")
    assert headers["content-type"].startswith("text/html")
    assert b"<form" in body
    assert not headers["www-authenticate"].startswith("Basic")
    _, headers, body = get(guarded.port, "/stream.mjpg")
    assert headers["www-authenticate"].startswith("Basic")
    assert b"Bearer" in body


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8080", "127.0.0.1", "[::1]:80", "cam.localhost", "127.0.0.2:9"]
)
def test_this_machine_may_be_asked_by_its_own_names(local: Served, host: str) -> None:
    assert get(local.port, "/state", Host=host)[0] == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8080", "127.0.0.1.evil.example", "192.168.1.7", "[fd00::1]", ""]
)
@pytest.mark.parametrize("path", ["/", "/state", "/snapshot.jpg", "/livez"])
def test_a_foreign_name_that_points_here_is_refused(local: Served, host: str, path: str) -> None:
    status, _, body = get(local.port, path, Host=host)
    assert status == 403
    assert b"--insecure" in body


def test_insecure_answers_to_every_name() -> None:
    with serve(Stage().backstage(), ServerSettings(port=0, insecure=True)) as served:
        assert get(served.port, "/state", Host="cam.example")[0] == 200


def test_with_a_token_every_name_will_do(guarded: Served) -> None:
    assert get(guarded.port, "/state", Host="pi.local:8080", Authorization=f"Bearer {TOKEN}")[0] == 200
