"""What a new user sees: the real program on its demo, in a real browser."""

from typing import Any

import pytest

from edge.contract.labels import FER2013_LABELS
from tests.e2e.browser import BARS, PICTURE, opened, wait_for_change, wait_for_picture
from tests.e2e.program import running

pytestmark = pytest.mark.browser

LABELS = "() => [...document.querySelectorAll('.card .label')].map((label) => label.innerText.toLowerCase())"


def test_the_demo_moves_with_boxes_labels_and_bars_that_change(browser: Any) -> None:
    with running("--source", "demo") as program, opened(browser, program.url()) as page:
        wait_for_picture(page)
        page.wait_for_selector(".card")
        wait_for_change(lambda: page.evaluate(PICTURE), 8, "pictures")
        wait_for_change(lambda: page.evaluate(BARS), 8, "positions of the bars")
        said: set[str] = set()

        def look() -> str:
            said.update(page.evaluate(LABELS))
            return str(sorted(said & set(FER2013_LABELS)))

        wait_for_change(look, 3, "expressions named so far")
        assert said <= {*FER2013_LABELS, "uncertain"}
        assert page.complaints == []
