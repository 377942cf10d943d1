"""Networks are rebuilt, and every model is timed, put into a page and drawn."""

from pathlib import Path

import cv2
import msgspec
import pytest

from benchmarks.models import accuracy_speed, rebuilt
from benchmarks.models.speeds import Survey
from edge.classifier import SHIPPED
from edge.runtime import load
from tests.training_fakes import RECIPES


def test_all_models_are_timed_and_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    files = {(recipe.stem, kind): SHIPPED for recipe in rebuilt.recipes() for kind in rebuilt.KINDS}
    monkeypatch.setattr(accuracy_speed, "rebuilt", lambda folder: files)
    assert accuracy_speed.main(["--rounds", "2", "--out", str(tmp_path)]) == 0
    found = msgspec.json.decode((tmp_path / "accuracy_speed.json").read_bytes(), type=Survey)
    assert len(found.models) == 25
    assert found.runtime.startswith("ai-edge-litert")
    times = {(each.standing.name, each.standing.kind, each.standing.views): each.times for each in found.models}
    assert times["shipped", "int8", 1].median == 1
    assert times["shipped", "int8", 2].median == pytest.approx(2, rel=0.6)  # twice the same file
    assert cv2.imread(str(tmp_path / "accuracy-speed.png")).std() > 5


def test_a_recipe_that_is_gone_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture):
    files = {(recipe.stem, kind): SHIPPED for recipe in rebuilt.recipes()[1:] for kind in rebuilt.KINDS}
    monkeypatch.setattr(accuracy_speed, "rebuilt", lambda folder: files)
    assert accuracy_speed.main(["--rounds", "1", "--out", str(tmp_path)]) == 78
    assert "training/recipes has no compact, of which the reports tell" in capsys.readouterr().err


def test_a_network_is_rebuilt_once_in_both_kinds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    monkeypatch.setattr(rebuilt, "recipes", lambda: (RECIPES / "tiny.toml",))
    assert rebuilt.main([str(tmp_path)]) == 0
    assert capsys.readouterr().out.count("tiny, ") == 2
    int8, float32 = (rebuilt.file_of(tmp_path, RECIPES / "tiny.toml", kind) for kind in rebuilt.KINDS)
    assert int8.stat().st_size < float32.stat().st_size
    (end,) = load(int8.read_bytes(), "tiny").interpreter.get_input_details()
    assert (end["dtype"].__name__, tuple(end["shape"])) == ("int8", (1, 48, 48, 1))
    assert rebuilt.rebuilt(tmp_path) == {("tiny", "int8"): int8, ("tiny", "float32"): float32}
    assert rebuilt.main([str(tmp_path)]) == 0
    assert capsys.readouterr().out == ""


def test_a_changed_recipe_is_another_file(tmp_path: Path):
    recipe = tmp_path / "tiny.toml"
    recipe.write_text((RECIPES / "tiny.toml").read_text())
    before = rebuilt.file_of(tmp_path, recipe, "int8")
    recipe.write_text(recipe.read_text().replace("stem = 4", "stem = 8"))
    assert rebuilt.file_of(tmp_path, recipe, "int8") != before
