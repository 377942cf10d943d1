"""Who gets where: every route of the application itself, with every kind of credentials, in every mode."""

import re
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import pytest

from edge.server.app import make_app
from edge.server.credentials import derived
from edge.server.settings import ServerSettings
from tests.serving import Served, serve
from tests.stage import Stage
from tests.wire import Wire

TOKEN = "open-sesame"
REFUSED = {401, 429}
OPEN = {"/livez", "/readyz", "/favicon.svg", "/favicon.ico", "/login", "/logout"}
"""A new route is not open unless it is put here, on purpose."""


class Route(NamedTuple):
    """One way to ask the server for something."""

    method: str
    path: str


def routes() -> list[Route]:
    """All there are, with something in the place of variables."""
    app = make_app(Stage().backstage(), ServerSettings(port=0, token=TOKEN))
    found = set()
    for route in app.router.routes():
        assert route.resource is not None
        found.add(Route(route.method, re.sub(r"\{[^}]*\}", "x", route.resource.canonical)))
    return sorted(found)


ROUTES = routes()
COOKIE = f"emotion_edge_{derived(TOKEN, 'cookie name')[:8]}={derived(TOKEN, 'cookie')}"
RIGHT = {
    "bearer": {"Authorization": f"Bearer {TOKEN}"},
    "basic": {"Authorization": f"Basic {b64encode(f'anybody:{TOKEN}'.encode()).decode()}"},
    "cookie": {"Cookie": COOKIE},
    "query": {},
}
WRONG = {
    "no credentials": {},
    "wrong bearer": {"Authorization": "Bearer open-sesam"},
    "wrong basic": {"Authorization": f"Basic {b64encode(b'anybody:open').decode()}"},
    "wrong cookie": {"Cookie": COOKIE[:-1] + ("0" if COOKIE[-1] != "0" else "1")},
    "wrong query": {},
}


@contextmanager
def served(**settings: object) -> Iterator[Served]:
    with Stage().running(30) as stage, serve(stage.backstage(), ServerSettings(port=0, **settings)) as server:
        yield server


@pytest.fixture(scope="module")
def guarded() -> Iterator[Served]:
    with served(token=TOKEN) as server:
        yield server


@pytest.fixture(scope="module")
def besieged() -> Iterator[Served]:
    """A server of its own for wrong tokens: after some of them even right ones would have to wait."""
    with served(token=TOKEN) as server:
        yield server


@pytest.fixture(scope="module")
def local() -> Iterator[Served]:
    with served() as server:
        yield server


@pytest.fixture(scope="module")
def insecure() -> Iterator[Served]:
    with served(insecure=True) as server:
        yield server


def status(server: Served, route: Route, headers: dict[str, str], kind: str = "", host: str = "localhost") -> int:
    query = {"query": f"?token={TOKEN}", "wrong query": "?token=open"}.get(kind, "")
    with Wire(server.port) as wire:
        wire.send(f"{route.path}{query}", route.method, Host=host, **headers)
        return int(wire.read_headers()["status"])


def test_the_table_is_the_whole_of_it() -> None:
    paths = {route.path for route in ROUTES}
    assert paths >= {"/", "/stream.mjpg", "/snapshot.jpg", "/events", "/state", "/metrics", "/api/v1/config"}
    assert paths >= OPEN, "an open path that no longer exists"
    assert all(route.method != "*" for route in ROUTES), "a route for every method escapes the check of origins"


@pytest.mark.parametrize("kind", WRONG)
def test_without_the_token_nothing_opens_but_what_is_listed(besieged: Served, kind: str) -> None:
    expected = {Route("POST", "/login"): {415}, Route("GET", "/login"): {303}, Route("HEAD", "/login"): {303}}
    for route in ROUTES:
        found = status(besieged, route, WRONG[kind], kind)
        if route.path in OPEN:
            assert found in expected.get(route, {200, 303}), route
        else:
            assert found in REFUSED, route


@pytest.mark.parametrize("kind", RIGHT)
def test_the_token_opens_all(guarded: Served, kind: str) -> None:
    found = {route: status(guarded, route, RIGHT[kind], kind) for route in ROUTES}
    assert {route: code for route, code in found.items() if code in {*REFUSED, 403}} == {}


@pytest.mark.parametrize("kind", [*RIGHT, *WRONG])
def test_on_loopback_without_a_token_the_host_decides(local: Served, kind: str) -> None:
    headers = {**RIGHT, **WRONG}[kind]
    for route in ROUTES:
        assert status(local, route, headers, kind) not in {*REFUSED, 403}, route
        assert status(local, route, headers, kind, host="evil.example") == 403, route


@pytest.mark.parametrize("kind", [*RIGHT, *WRONG])
def test_insecure_lets_everybody_in(insecure: Served, kind: str) -> None:
    for route in ROUTES:
        code = status(insecure, route, {**RIGHT, **WRONG}[kind], kind, host="cam.example")
        assert code not in {*REFUSED, 403}, route


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:1"},
        {"Origin": "https://localhost"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site", "Origin": "http://localhost"},
    ],
    ids=str,
)
def test_no_page_of_another_site_changes_anything(
    local: Served, guarded: Served, insecure: Served, headers: dict[str, str]
) -> None:
    changing = [route for route in ROUTES if route.method not in {"GET", "HEAD"}]
    assert len(changing) >= 3
    for route in changing:
        for server in (local, guarded, insecure):
            assert status(server, route, {**headers, **RIGHT["cookie"]}) == 403, route
