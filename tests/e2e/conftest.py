"""What the end-to-end tests share."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.browser import ARGUMENTS
from tests.tools import require_tool


@pytest.fixture(scope="module")  # its event loop runs for as long: other modules need one of their own
def browser() -> Iterator[Any]:
    chromium = require_tool("chromium", "apt-get install -y --no-install-recommends chromium")
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install -e '.[dev]'")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=str(chromium), args=ARGUMENTS)
        yield browser
        browser.close()
