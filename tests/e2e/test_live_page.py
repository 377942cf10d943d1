"""What a new user sees: the real program on its demo, in a real browser."""

from pathlib import Path
from typing import Any

import pytest

from edge.contract.labels import FER2013_LABELS
from tests.e2e.browser import BARS, PICTURE, opened, wait_for_change, wait_for_picture
from tests.e2e.program import running
from tests.tiny_models import Tiny

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


NAMES = "() => [...document.querySelector('.card').querySelectorAll('.bar dt')].map((name) => name.innerText)"


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
        assert page.complaints == []
