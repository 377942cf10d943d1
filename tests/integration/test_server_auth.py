"""Who gets in, over real sockets."""

import asyncio
import base64
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from edge.server import lockout
from edge.server.auth import Gate
from edge.server.lockout import FREE_TRIES
from edge.server.settings import ServerSettings
from tests.serving import Served, serve
from tests.stage import Stage
from tests.wire import Wire, get

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


def sign_in(server: Served, *tokens: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """What the sign-in page sends, which is one token."""
    body = urlencode([("token", token) for token in tokens]).encode()
    with Wire(server.port) as wire:
        kind = {"Content_Type": "application/x-www-form-urlencoded", **headers}
        wire.send("/login", "POST", Content_Length=str(len(body)), **kind)
        wire.sock.sendall(body)
        got = wire.read_headers()
        return int(got["status"]), got, wire.read_all()


@pytest.fixture
def besieged() -> Iterator[Served]:
    """One of its own: mistakes are remembered."""
    with serve(Stage().backstage(), ServerSettings(port=0, token=TOKEN)) as served:
        yield served


def test_signing_in_sets_the_cookie_and_leads_to_the_page(besieged: Served) -> None:
    status, headers, _ = sign_in(besieged, TOKEN)
    assert (status, headers["location"]) == (303, "./")
    cookie = headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert "Secure" not in cookie  # plain http: the browser would not keep it
    assert get(besieged.port, "/state", Cookie=cookie.partition(";")[0])[0] == 200


def test_a_wrong_or_empty_form_shows_the_page_again(besieged: Served) -> None:
    status, headers, body = sign_in(besieged, "guess", Accept="text/html")
    assert (status, "set-cookie" in headers) == (401, False)
    assert b"not the token" in body
    assert b'method="post"' in body
    assert b"private" in sign_in(besieged, "", Accept="text/html")[2]


def test_a_form_with_several_tokens_is_one_try(besieged: Served) -> None:
    assert sign_in(besieged, "guess", TOKEN)[0] == 401


def test_signing_out_takes_the_cookie_away(besieged: Served) -> None:
    status, headers, _ = get(besieged.port, "/logout", "POST")
    assert (status, headers["location"]) == (303, "./")
    name = sign_in(besieged, TOKEN)[1]["set-cookie"].partition("=")[0]
    assert headers["set-cookie"].startswith(f'{name}=""')
    assert "Max-Age=0" in headers["set-cookie"]


@pytest.mark.parametrize(("path", "root"), [("/", "./"), ("/static/app.js", "../"), ("/a/b/c", "../../")])
def test_the_sign_in_page_finds_its_way_from_everywhere(guarded: Served, path: str, root: str) -> None:
    body = get(guarded.port, path, Accept="text/html")[2].decode()
    assert f'action="{root}login"' in body
    assert f'href="{root}favicon.svg"' in body


def test_a_large_form_is_no_form(besieged: Served) -> None:
    assert sign_in(besieged, "x" * 10_000)[0] == 413
    assert get(besieged.port, "/login", "POST", Content_Type="application/json")[0] == 415


def locked(server: Served) -> None:
    """Be wrong until it costs something."""
    for _ in range(FREE_TRIES + 6):
        if get(server.port, "/state", Authorization="Bearer guess")[0] == 429:
            return
    raise AssertionError("never locked")


def test_after_some_wrong_tokens_even_the_right_one_has_to_wait(
    besieged: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lockout, "FIRST_WAIT_S", 100.0)  # not over before the test is
    cookie = sign_in(besieged, TOKEN)[1]["set-cookie"].partition(";")[0]
    statuses = [get(besieged.port, "/state", Authorization="Bearer guess")[0] for _ in range(FREE_TRIES)]
    assert statuses == [401] * FREE_TRIES
    locked(besieged)
    wrong = get(besieged.port, "/state", Authorization="Bearer guess")
    right = get(besieged.port, "/state", Authorization=f"Bearer {TOKEN}")
    assert wrong[0] == right[0] == 429
    assert wrong[2] == right[2]
    assert 1 <= int(right[1]["retry-after"]) <= 300
    assert get(besieged.port, f"/?token={QUOTED}")[0] == 429
    assert sign_in(besieged, TOKEN)[0] == 429
    page = sign_in(besieged, TOKEN, Accept="text/html")[2]
    assert b"Too many wrong tokens" in page
    assert b'http-equiv="refresh"' in page
    # who is in stays in, and the supervisors' questions are answered
    assert get(besieged.port, "/state", Cookie=cookie)[0] == 200
    assert get(besieged.port, "/state?token=guess", Cookie=cookie)[0] == 200
    assert get(besieged.port, "/livez")[0] == 200
    # no token at all is no attempt, and is told about the wait
    assert get(besieged.port, "/state")[0] == 401
    assert b"Too many wrong tokens" in get(besieged.port, "/", Accept="text/html")[2]


def test_the_right_token_makes_up_for_mistakes(besieged: Served) -> None:
    for _ in range(4):
        for _ in range(FREE_TRIES - 1):
            assert get(besieged.port, "/state", Authorization="Bearer guess")[0] == 401
        assert get(besieged.port, "/state", Authorization=f"Bearer {TOKEN}")[0] == 200


def test_asking_without_a_token_is_never_punished(besieged: Served) -> None:
    for number in range(20):
        headers = {"Authorization": ["", "Bearer ", basic("")][number % 3]}
        assert get(besieged.port, "/state?token=", **headers)[0] == 401
    assert get(besieged.port, "/state", Authorization=f"Bearer {TOKEN}")[0] == 200


def test_the_wait_is_as_long_as_it_says() -> None:
    now_s = 0.0

    async def asked(token: str) -> int:
        request = make_mocked_request("GET", "/state", headers={"Authorization": f"Bearer {token}"})

        async def handler(_request: web.Request) -> web.StreamResponse:
            return web.Response()

        return (await gate.middleware(request, handler)).status

    async def scenario() -> None:
        nonlocal now_s
        assert [await asked("guess") for _ in range(FREE_TRIES + 1)] == [401] * FREE_TRIES + [429]
        now_s += 0.9
        assert await asked("open-sesame") == 429
        now_s += 0.2
        assert await asked("guess") == 401
        now_s += 1.9
        assert await asked("guess") == 429
        now_s += 0.2
        assert await asked("open-sesame") == 200

    gate = Gate(ServerSettings(token="open-sesame"), clock_s=lambda: now_s)
    asyncio.run(scenario())


@pytest.mark.parametrize("upgrade", ["websocket", "WebSocket"])
def test_no_page_of_another_site_opens_a_websocket(local: Served, upgrade: str) -> None:
    headers = {"Connection": "Upgrade", "Upgrade": upgrade, "Host": "localhost"}
    assert get(local.port, "/no-such-socket", Origin="http://evil.example", **headers)[0] == 403
    assert get(local.port, "/no-such-socket", Origin="http://localhost", **headers)[0] == 404
    assert get(local.port, "/no-such-socket", **headers)[0] == 404


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
def test_what_any_page_could_send_is_no_api_request(local: Served, kind: str) -> None:
    status, headers, body = get(local.port, "/api/v1/config", "PATCH", Host="localhost", Content_Type=kind)
    assert (status, headers["content-type"].partition(";")[0]) == (415, "application/json")
    assert b"application/octet-stream" in body


def test_no_other_site_is_ever_allowed_to_read(local: Served) -> None:
    for path in ("/state", "/events", "/api/v1/config", "/no-such-page"):
        for method in ("HEAD", "OPTIONS"):
            headers = get(local.port, path, method, Host="localhost", Origin="http://evil.example")[1]
            assert not [name for name in headers if name.startswith("access-control-")]
            assert headers["cross-origin-resource-policy"] == "same-origin"
