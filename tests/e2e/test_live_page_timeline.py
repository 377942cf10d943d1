"""The page's timeline: what it tells, how it is drawn, and what it forgets."""

from typing import Any

import pytest

from edge.contract.labels import FER2013_LABELS
from tests.e2e.browser import SAID, wait_for_change
from tests.wire import eventually

pytestmark = pytest.mark.browser


def test_the_timeline_tells_what_the_faces_showed(page: Any) -> None:
    shown: dict[str, set[str]] = {}

    def look() -> str:
        for face, label in page.evaluate(SAID).items():
            shown.setdefault(face, set()).add(label)
        return str(sorted(shown.items()))

    wait_for_change(look, 5, "expressions of faces")
    page.locator("#timeline-words summary").click()
    rows = """() => Object.fromEntries([...document.querySelectorAll("#timeline-rows tr")].map(
      (row) => [row.children[0].innerText.slice(5), row.children[1].innerText.toLowerCase()]))"""

    def told() -> bool:
        texts = page.evaluate(rows)
        return all(any(label in texts.get(face, "") for label in labels) for face, labels in shown.items())

    eventually(told, "each face's expressions in words")
    page.wait_for_timeout(2500)  # the page is to have seen what is asked for
    slider = page.get_by_role("slider")
    slider.focus()
    assert slider.get_attribute("aria-valuetext").startswith("Now: face ")
    page.keyboard.press("ArrowLeft")
    assert slider.get_attribute("aria-valuenow") == "-2"
    assert slider.get_attribute("aria-valuetext").startswith("2 s ago: face ")
    eventually(lambda: page.inner_text("#timeline-readout").startswith("2 s ago: face "), "the same for the eye")


def test_the_timeline_is_drawn_in_the_colours_of_its_legend(page: Any) -> None:
    page.wait_for_timeout(1500)
    found = page.evaluate("""() => {
      const canvas = document.getElementById("timeline-canvas"), context = canvas.getContext("2d");
      const { data } = context.getImageData(canvas.width - 12, 0, 8, canvas.height);
      const drawn = new Set();
      for (let at = 0; at < data.length; at += 4) drawn.add([data[at], data[at + 1], data[at + 2]].join(", "));
      const samples = [...document.querySelectorAll(".legend li")];
      const named = samples.filter((entry) => drawn.has(
        getComputedStyle(entry.firstChild).backgroundColor.replace("rgb(", "").replace(")", "")));
      const names = (entries) => entries.map((entry) => entry.innerText.toLowerCase());
      return [names(named), names(samples)];
    }""")
    drawn, legend = found
    assert legend == [*FER2013_LABELS, "uncertain"]
    assert drawn, "none of the colours at the newest moment"


def test_the_history_forgets(page: Any, url: str) -> None:
    faces, stretches, lane, burst = page.evaluate(
        """async (base) => {
      const { History } = await import(`${base}static/history.js`);
      const history = new History(), labels = ["happy", "sad"];
      const size = () => history.faces(1e9).reduce((sum, face) => sum + face.stretches.length, 0);
      for (let t = 0; t < 4e6; t += 100) {  // more than an hour at ten a second, a new face each second
        history.add([{ id: Math.floor(t / 1000), label: labels[(t / 100) % 2], misses: 0 }], t, t);
      }
      const many = [history.faces(1e9).length, size()];
      for (let t = 4e6; t < 8e6; t += 100) history.add([{ id: 1, label: labels[(t / 100) % 2], misses: 0 }], t, t);
      const before = size();
      history.add([{ id: 1, label: "happy", misses: 0 }], 7e6 + 999_000, 8e6);  // an old record sent again
      return [...many, before, size()];
    }""",
        url,
    )
    assert faces <= 32
    assert stretches <= 32 * 10
    assert lane <= 1800
    assert burst == lane


def test_what_was_not_seen_is_a_gap(page: Any, url: str) -> None:
    found = page.evaluate(
        """async (base) => {
      const { History } = await import(`${base}static/history.js`);
      const history = new History(), face = (label, misses = 0) => [{ id: 7, label, misses }];
      for (let t = 0; t <= 2000; t += 100) history.add(face("happy"), t, t);
      for (let t = 2100; t <= 6000; t += 100) history.add(face("happy", 1), t, t);
      for (let t = 6100; t <= 7000; t += 100) history.add(face(null), t, t);
      return history.faces()[0].stretches;
    }""",
        url,
    )
    assert found == [{"from": 0, "to": 2000, "label": "happy"}, {"from": 6100, "to": 7000, "label": "uncertain"}]
