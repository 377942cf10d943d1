"""Pictures and videos that a person brings to the page: sent, analysed by the real program, shown in a real browser."""

import base64
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edge.contract.labels import FER2013_LABELS
from edge.sources import open_source
from tests.e2e.browser import PATIENCE_MS, opened
from tests.films import written

pytestmark = pytest.mark.browser

FPS, FRAMES = 25, 50


@pytest.fixture
def view(url: str) -> str:
    """Where the page's view of files is."""
    return f"{url}#files"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures and a video of two drawn people, a picture of nobody, and something else."""
    folder = tmp_path_factory.mktemp("files")
    source = open_source("demo:?size=640x480&faces=2&realtime=0")
    frames = [source.read(5).bgr for _ in range(FRAMES)]
    cv2.imwrite(str(folder / "two.jpg"), frames[30])
    cv2.imwrite(str(folder / "nobody.png"), np.full((200, 300, 3), 90, np.uint8))
    written(folder / "film.avi", frames, FPS)
    (folder / "notes.txt").write_text("this is no picture")
    return folder


def bring(page: Any, *paths: Path) -> None:
    page.wait_for_selector(".files-drop", timeout=PATIENCE_MS)
    page.set_input_files(".files-input", [str(path) for path in paths])


def item(page: Any, name: str) -> Any:
    return page.locator(".item", has=page.locator(".item-name", has_text=name))


def test_a_picture_comes_back_with_its_faces_drawn_and_a_table(browser: Any, view: str, files: Path) -> None:
    with opened(browser, view) as page:
        bring(page, files / "two.jpg", files / "nobody.png")
        two = item(page, "two.jpg")
        two.locator(".scores").wait_for(timeout=PATIENCE_MS)
        names = two.locator(".scores tbody th").all_inner_texts()
        assert [name.lower() for name in names] == ["expression", *FER2013_LABELS]
        assert two.locator(".scores thead th").all_inner_texts() == ["Face 1", "Face 2"]
        assert two.locator(".most").count() == 2
        shown = page.evaluate(
            "(image) => [image.naturalWidth, image.naturalHeight]", two.locator("img").element_handle()
        )
        assert shown == [640, 480]
        nobody = item(page, "nobody.png")
        nobody.get_by_text("No face was found").wait_for(timeout=PATIENCE_MS)
        assert nobody.locator(".scores").count() == 0
        assert page.complaints == []


def test_the_whole_picture_is_read_only_on_request(browser: Any, view: str, files: Path) -> None:
    with opened(browser, view) as page:
        page.wait_for_selector(".files-whole", timeout=PATIENCE_MS)
        page.check(".files-whole")
        bring(page, files / "nobody.png")
        item(page, "nobody.png").locator(".scores").wait_for(timeout=PATIENCE_MS)


def test_below_the_threshold_an_expression_is_uncertain_and_said_to_be(browser: Any, view: str, files: Path) -> None:
    with opened(browser, view) as page:
        page.wait_for_selector(".files-threshold", timeout=PATIENCE_MS)
        page.fill(".files-threshold", "100")
        bring(page, files / "two.jpg")
        two = item(page, "two.jpg")
        two.locator(".scores").wait_for(timeout=PATIENCE_MS)
        assert two.locator(".verdict-row td").all_inner_texts() == ["Uncertain", "Uncertain"]
        assert "100 %" in two.locator(".item-line").inner_text()


def test_a_video_is_played_with_what_was_found_and_its_chart_goes_to_a_moment(
    browser: Any, view: str, files: Path, tmp_path: Path
) -> None:
    with opened(browser, view) as page:
        bring(page, files / "film.avi")
        film = item(page, "film.avi")
        film.locator("video").wait_for(timeout=4 * PATIENCE_MS)
        video = film.locator("video").element_handle()
        page.wait_for_function("(video) => video.readyState >= 2", arg=video, timeout=PATIENCE_MS)
        assert page.evaluate("(video) => [video.error, video.videoWidth]", video) == [None, 640]
        seconds = page.evaluate("(video) => video.duration", video)
        assert seconds == pytest.approx(FRAMES / FPS, abs=0.2)

        film.locator(".chart").focus()
        page.keyboard.press("ArrowRight")
        page.wait_for_function("(video) => Math.abs(video.currentTime - 1) < 0.1", arg=video, timeout=PATIENCE_MS)
        film.locator(".card").nth(1).wait_for(timeout=PATIENCE_MS)
        assert "face 1" in film.locator(".chart").get_attribute("aria-valuetext")

        page.evaluate("(video) => video.play()", video)
        page.wait_for_function("(video) => video.ended", arg=video, timeout=PATIENCE_MS)
        for name, kind in (("Save CSV", "csv"), ("Save JSONL", "jsonl"), ("Save video", "webm")):
            with page.expect_download(timeout=PATIENCE_MS) as download:
                film.get_by_role("link", name=name).click()
            download.value.save_as(tmp_path / kind)
        records = [json.loads(line) for line in (tmp_path / "jsonl").read_text().splitlines()]
        assert len(records) == FRAMES
        assert {face["id"] for record in records for face in record["faces"]} == {1, 2}
        assert len((tmp_path / "csv").read_text().splitlines()) > FRAMES
        assert (tmp_path / "webm").read_bytes().startswith(b"\x1a\x45\xdf\xa3")
        assert page.complaints == []

        page.reload(wait_until="commit")
        item(page, "film.avi").locator("video").wait_for(timeout=PATIENCE_MS)
        item(page, "film.avi").get_by_role("button", name="Remove").click()
        page.wait_for_function("() => fetch('api/v1/videos').then((r) => r.json()).then((jobs) => jobs.length === 0)")
        page.complaints.clear()  # the video that plays is deleted under it


DROP = """([name, base64]) => {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([bytes], name, { type: "image/jpeg" }));
  const options = { dataTransfer, bubbles: true, cancelable: true };
  const happen = (kind) => document.body.dispatchEvent(new DragEvent(kind, options));
  happen("dragover");
  const invited = !document.getElementById("drop").hidden;
  happen("drop");
  return invited;
}"""


def test_a_picture_dropped_on_the_live_view_is_analysed_in_the_other(browser: Any, url: str, files: Path) -> None:
    with opened(browser, url) as page:
        page.wait_for_selector("#views:not([hidden])", timeout=PATIENCE_MS)
        content = base64.b64encode((files / "two.jpg").read_bytes()).decode()
        assert page.evaluate(DROP, ["dropped.jpg", content])
        item(page, "dropped.jpg").locator(".scores").wait_for(timeout=PATIENCE_MS)
        assert page.locator("#live").is_hidden()


def test_what_is_no_picture_is_refused_in_words_and_the_next_file_goes_on(browser: Any, view: str, files: Path) -> None:
    with opened(browser, view) as page:
        bring(page, files / "notes.txt", files / "two.jpg")
        refused = item(page, "notes.txt").locator(".item-line")
        item(page, "two.jpg").locator(".scores").wait_for(timeout=PATIENCE_MS)
        assert "expected a video" in refused.inner_text()


def test_the_files_view_fits_a_phone(browser: Any, view: str, files: Path) -> None:
    with opened(browser, view, viewport={"width": 320, "height": 640}) as page:
        bring(page, files / "two.jpg")
        item(page, "two.jpg").locator(".scores").wait_for(timeout=PATIENCE_MS)
        assert page.evaluate("() => document.documentElement.scrollWidth") == 320
