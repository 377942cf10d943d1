"""The table of networks is made of what was trained and measured."""

import json
import os
from pathlib import Path

import pytest

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

from benchmarks.models.networks import main, shortened
from convert.latency import timed
from edge.classifier import SHIPPED, TfliteClassifier
from tests.training_fakes import RECIPES, fer_rows, write_fer
from training.recipe import load_recipe


def test_networks_are_trained_quantised_and_put_in_one_table(tmp_path: Path):
    csv = write_fer(tmp_path / "fer2013.csv", fer_rows(280, 35))
    other = tmp_path / "other.toml"
    other.write_text((RECIPES / "tiny.toml").read_text().replace('"tiny"', '"other"').replace("stem = 4", "stem = 8"))
    asked = ["--data", str(csv), "--recipes", str(RECIPES / "tiny.toml"), str(other), "--shares", "2", "--epochs", "2"]
    asked += ["--out", str(tmp_path / "out"), "--cache", str(tmp_path / "cache")]
    assert main(asked) == 0
    figures = json.loads((tmp_path / "out" / "networks.json").read_text())
    lines = {line["recipe"]: line for line in figures["networks"]}
    assert lines.keys() == {"tiny", "other"}
    assert lines["other"]["parameters"] > lines["tiny"]["parameters"]
    assert [line["accuracy"] for line in figures["networks"]] == sorted(
        (line["accuracy"] for line in lines.values()), reverse=True
    )
    assert 110 <= figures["train"] <= 140  # half of 280 but the tenth held out
    page = (tmp_path / "out" / "networks.md").read_text()
    assert f"| {lines['tiny']['accuracy']:.4f} |" in page
    assert "2 epochs" in page


def test_a_recipe_keeps_its_network_and_size_but_not_its_classes():
    recipe = shortened(load_recipe(RECIPES / "rgb-128.toml"), 8)
    assert (recipe.data.loader, recipe.data.options.size, recipe.data.options.channels) == ("fer2013-csv", 128, 3)
    assert recipe.data.options.labels == ()
    assert (recipe.optimiser.epochs, recipe.optimiser.method) == (8, "adamw")
    assert recipe.network == load_recipe(RECIPES / "rgb-128.toml").network


def test_nobody_learns_from_teachers_who_have_seen_more(tmp_path: Path):
    taught = tmp_path / "taught.toml"
    taught.write_text((RECIPES / "tiny.toml").read_text() + '\n[soft_labels]\npath = "answers.npz"\n')
    assert load_recipe(taught).soft_labels is not None
    assert shortened(load_recipe(taught), 2).soft_labels is None


def test_times_are_of_each_file():
    times = timed({"a": TfliteClassifier(SHIPPED), "b": TfliteClassifier(SHIPPED)})
    assert times["a"] == pytest.approx(times["b"], rel=0.5)


def test_a_wrong_file_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["--data", str(tmp_path / "absent.csv"), "--out", str(tmp_path)]) == 78
    assert "absent.csv" in capsys.readouterr().err
