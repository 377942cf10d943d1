"""What the end-to-end tests share."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.e2e.browser import ARGUMENTS, opened, wait_for_cards, wait_for_picture
from tests.e2e.installed import installed, service_on
from tests.e2e.program import Program, running
from tests.e2e.throwaway_systemd import Machine
from tests.service import Service
from tests.stage import Stage
from tests.tools import require_tool


@pytest.fixture(scope="module")  # its event loop runs for as long: other modules need one of their own
def browser() -> Iterator[Any]:
    chromium = require_tool("chromium", "apt-get install -y --no-install-recommends chromium")
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install -e '.[dev]'")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=str(chromium), args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def program() -> Iterator[Program]:
    """The real program on its demo."""
    with running("--source", "demo") as program:
        yield program


@pytest.fixture(scope="module")
def url(program: Program) -> str:
    """Where it is."""
    return program.url()


@pytest.fixture
def page(browser: Any, url: str) -> Iterator[Any]:
    """The page, with a live picture and all faces; it must not have complained at the end."""
    with opened(browser, url) as page:
        wait_for_picture(page)
        wait_for_cards(page, 3)
        yield page
        assert page.complaints == []


@pytest.fixture
def stage() -> Iterator[Stage]:
    """A program that only pretends to have a camera, at work."""
    with Stage().running(20) as stage:
        yield stage


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    """A systemd of its own, with the service installed."""
    with installed() as machine:
        yield machine


@pytest.fixture
def service(machine: Machine) -> Iterator[Service]:
    """The service there, configured for the demo and not started."""
    with service_on(machine) as service:
        yield service


@pytest.fixture
def show(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Prints, whether the test passes or not."""

    def show(text: str) -> None:
        with capsys.disabled():
            print("\n" + text)

    return show
