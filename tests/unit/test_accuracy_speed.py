"""Accuracy beside speed: which models compare, which of them none beats, and that the chart shows their figures."""

import shutil
from itertools import combinations, pairwise
from pathlib import Path

import msgspec
import pytest

from benchmarks.models.accuracy_speed import in_turn, main, spread
from benchmarks.models.accuracy_speed_page import document
from benchmarks.models.accuracy_speed_picture import SIZE_IN, draw
from benchmarks.models.label_places import Label, placed
from benchmarks.models.speeds import Model, Spread, Survey, front
from benchmarks.models.standings import FLIP, NETWORKS, OVERVIEW, ROOT, SHIPPED, Standing, standings
from edge.errors import ConfigError
from tests.benchmark_figures import MACHINE
from training.metrics import wilson_interval
from training.reporting.document import markdown
from training.reporting.style import new_figure


def model(name: str, ms: float, accuracy: float, schedule: str = "full", size_b: int = 700_000) -> Model:
    interval = wilson_interval(round(accuracy * 1000), 1000)
    standing = Standing(name, name, "int8", 1, schedule, accuracy, interval, f"{name}.json")
    return Model(standing, size_b, Spread(ms, ms * 0.9, ms * 1.2), Spread(ms / 0.1, ms / 0.11, ms / 0.09))


FOUND = Survey(
    machine=MACHINE,
    runtime="ai-edge-litert 9.9",
    rounds=7,
    split="PublicTest",
    pictures=1000,
    data_sha256="ab" * 32,
    short="3 epochs on 10 pictures",
    models=(
        model("quick", 0.1, 0.7),
        model("slow", 0.4, 0.75, size_b=9_000_000),
        model("beaten", 0.2, 0.65),
        model("learner", 0.05, 0.41, "short"),
    ),
)


def test_on_the_front_is_who_is_beaten_by_none():
    full = FOUND.trained("full")
    assert [each.standing.name for each in full] == ["quick", "beaten", "slow"]
    assert [each.standing.name for each in front(full)] == ["quick", "slow"]
    as_right = model("as right, but slower", 0.3, 0.7)
    assert as_right not in front((*full, as_right))
    as_fast = model("as fast, and better", 0.1, 0.71)
    assert [each.standing.name for each in front((*full, as_fast))] == ["as fast, and better", "slow"]


def test_all_take_turns_and_none_always_follows_the_same():
    called = []
    calls = {(name, "int8", 1): lambda name=name: called.append(name) for name in "abcd"}
    spent = in_turn(calls, 12)
    assert {len(values) for values in spent.values()} == {12}
    turns = [name for name, before in zip(called[1:], called[:-1], strict=True) if name != before]
    assert len(set(pairwise(turns))) >= 9  # of twelve possible
    assert all(value >= 0 for values in spent.values() for value in values)


def test_the_spread_is_the_middle_half():
    assert spread([5, 1, 2, 3, 4]) == Spread(3, 2, 4)


def test_the_page_keeps_the_two_ways_of_training_apart_and_states_its_conditions():
    text = markdown(document(FOUND))
    first, second = text.split("The same short schedule for all, 3 epochs on 10 pictures")
    assert "| quick | int8 | `quick.json` | 70.0% | 67.1%–72.8% | 0.100 | 0.090–0.120 | 1.00 | 700 | yes |" in first
    assert "| beaten | int8 | `beaten.json` | 65.0% | 62.0%–67.9% | 0.200 | 0.180–0.240 | 2.00 | 700 |  |" in first
    assert "learner" not in first
    assert "| learner |" in second
    assert "1,000 pictures of FER2013's PublicTest" in first
    assert "ai-edge-litert 9.9, the native calls alone, all models in turn in 7 rounds" in first
    assert "On Some CPU with 4 cores, load 0.25 before" in first


def test_marks_lie_at_their_figures_and_are_as_large_as_the_files():
    with new_figure(SIZE_IN) as figure:
        draw(figure, FOUND)
        _, full, short = figure.axes
        marks = {tuple(each.get_offsets()[0]): each.get_sizes()[0] for each in full.collections}
        assert set(marks) == {(0.1, 0.7), (0.4, 0.75), (0.2, 0.65)}
        assert marks[0.4, 0.75] / marks[0.1, 0.7] == pytest.approx(9_000_000 / 700_000)
        assert [tuple(each.get_offsets()[0]) for each in short.collections] == [(0.05, 0.41)]
        assert full.get_xlim() == short.get_xlim()
        assert {text.get_text() for text in full.texts} == {"quick", "slow", "beaten"}
        whiskers = [tuple(line.get_ydata()) for line in full.lines if len(set(line.get_xdata())) == 1]
        assert wilson_interval(700, 1000) in whiskers


def test_names_avoid_each_other_and_the_marks():
    crowded = [Label(f"network {index}", (1 + 0.02 * index, 1 + 0.01 * (index % 3)), 60) for index in range(6)]
    with new_figure((8, 5)) as figure:
        axes = figure.subplots()
        axes.set_xlim(0.5, 2)
        axes.set_ylim(0.9, 1.1)
        figure.draw_without_rendering()
        drawn = [
            axes.annotate(label.text, label.at, offset, textcoords="offset points", va="center", fontsize=Label.SIZE_PT)
            for label, offset in placed(axes, crowded)
        ]
        boxes = [each.get_window_extent().shrunk(0.95, 0.8) for each in drawn]
        assert len(boxes) == 6
        assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))
        middles = [axes.transData.transform(label.at) for label in crowded]
        assert not any(box.contains(*middle) for box in boxes for middle in middles)


def test_the_reports_in_this_checkout_are_about_the_shipped_file_and_the_same_pictures():
    found = standings()
    assert found.pictures == 3589
    names = {(each.name, each.kind, each.views) for each in found.models if each.schedule == "full"}
    assert {("shipped", "int8", 1), ("shipped", "int8", 2), ("shipped", "float32", 1)} <= names
    short = [each for each in found.models if each.schedule == "short"]
    assert len(short) == 16
    for each in found.models:
        assert each.interval[0] < each.accuracy < each.interval[1]
        assert (ROOT / each.report).is_file()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what is read."""
    for file in (SHIPPED, OVERVIEW, *(str(path.relative_to(ROOT)) for path in ROOT.glob("training/results/*/*.json"))):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, tmp_path / file)
    return tmp_path


def test_accuracies_on_other_pictures_are_not_put_into_one_chart(checkout: Path):
    networks = msgspec.json.decode((checkout / NETWORKS).read_bytes())
    (checkout / NETWORKS).write_bytes(msgspec.json.encode({**networks, "report": 3000}))
    with pytest.raises(ConfigError, match=r"3000 pictures .*expected 3589 .*do not compare"):
        standings(checkout)


def test_a_report_of_another_model_is_not_taken_for_the_shipped_one(checkout: Path):
    with (checkout / SHIPPED).open("ab") as model_file:
        model_file.write(b"more")
    with pytest.raises(ConfigError, match="make that report anew"):
        standings(checkout)


def test_a_missing_report_is_named(checkout: Path):
    (checkout / FLIP).unlink()
    with pytest.raises(ConfigError, match=r"int8-flip\.json: cannot be read"):
        standings(checkout)


def test_no_rounds_are_refused(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        main(["--rounds", "0"])
    assert "expected 1 or more" in capsys.readouterr().err
