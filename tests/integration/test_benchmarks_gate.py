"""The regression gate: the trees it takes, the processes it runs, and a real run from end to end."""

import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import msgspec
import pytest

import edge.encode
from benchmarks.gate import __main__ as gate
from benchmarks.gate import proof as gate_proof
from benchmarks.gate import run as gate_run
from benchmarks.gate import sides as gate_sides
from benchmarks.gate.found import Compared, Found, Verdict
from benchmarks.gate.sides import Side, pairs, write_clip
from benchmarks.gate.slow import PLACES, slow
from benchmarks.gate.stats import Ratio
from benchmarks.gate.trees import ROOT, Tree, revision, working_tree
from edge.bench.clip import Clip, load_clip
from edge.errors import ConfigError, TemporaryError
from edge.machine import describe

in_a_checkout = pytest.mark.skipif(not (ROOT / ".git").exists(), reason="only in a checkout that git keeps")
CLIP = """
class Clip:
    def __init__(self, name, jpegs):
        self.jpegs = jpegs
"""
WHOLE = """
class Spent:
    total_ns = 300
    stages_ns = {"decode": 200, "encode": 100}
class Bench:
    def __init__(self, clip):
        self.clip = clip
    def whole(self, index):
        print("what a library says")
        return Spent()
"""


@pytest.fixture
def shown(tmp_path: Path) -> tuple[str, Path]:
    return write_clip(Clip("drawn", (b"one", b"two")), tmp_path / "clip")


def tree(folder: Path, whole: str = WHOLE, clip: str = CLIP) -> Path:
    for name, text in (("__init__", ""), ("bench/__init__", ""), ("bench/clip", clip), ("bench/whole", whole)):
        path = folder / "edge" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text), encoding="utf-8")
    return folder


def git(folder: Path, *words: str) -> None:
    known = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", "-C", str(folder), *known, *words], check=True, capture_output=True)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    root = tree(tmp_path / "checkout")
    (root / ".gitignore").write_text("*.tmp\n", encoding="utf-8")
    git(root, "init", "--initial-branch=main")
    git(root, "add", "--all")
    git(root, "commit", "--message=first")
    return root


def test_a_revision_is_taken_as_it_was_and_the_working_tree_as_it_is(checkout: Path, tmp_path: Path):
    (checkout / "edge" / "new.py").write_text("", encoding="utf-8")
    (checkout / "edge" / "left.tmp").write_text("", encoding="utf-8")
    (checkout / "edge" / "bench" / "whole.py").write_text("changed = True", encoding="utf-8")
    (checkout / "edge" / "bench" / "__init__.py").unlink()
    before, after = revision("main", tmp_path / "0", checkout), working_tree(tmp_path / "1", checkout)
    assert (before.name, before.changed, after.name, after.changed) == ("main", False, "working tree", True)
    assert before.commit == after.commit
    assert (tmp_path / "0/edge/bench/whole.py").read_text(encoding="utf-8") == dedent(WHOLE)
    assert (tmp_path / "1/edge/bench/whole.py").read_text(encoding="utf-8") == "changed = True"
    assert not (tmp_path / "0/edge/new.py").exists()
    assert (tmp_path / "1/edge/new.py").exists()
    assert not (tmp_path / "1/edge/left.tmp").exists()
    assert not (tmp_path / "1/edge/bench/__init__.py").exists()


@pytest.mark.parametrize("name", ["nowhere", "--output=x", "", "HEAD~7"])
def test_an_unknown_revision_is_refused(name: str, checkout: Path, tmp_path: Path):
    with pytest.raises(ConfigError, match="git knows no revision"):
        revision(name, tmp_path / "0", checkout)


def test_a_revision_without_a_bench_is_refused(checkout: Path, tmp_path: Path):
    git(checkout, "rm", "-r", "edge/bench")
    git(checkout, "commit", "--message=no bench")
    with pytest.raises(ConfigError, match=r"HEAD \(\w{10}\) cannot be measured: it has no edge/bench/clip.py, no "):
        revision("HEAD", tmp_path / "0", checkout)
    git(checkout, "rm", "-r", "edge")
    git(checkout, "commit", "--message=nothing")
    with pytest.raises(ConfigError, match=r"cannot be measured: it has no edge/__init__.py"):
        revision("HEAD", tmp_path / "1", checkout)


def test_without_a_checkout_or_git_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(ConfigError, match="not a git repository"):
        revision("HEAD", tmp_path / "0", tmp_path)
    with pytest.raises(ConfigError, match="not a git repository"):
        working_tree(tmp_path / "0", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match="git is not installed"):
        revision("HEAD", tmp_path / "0", tmp_path)


def test_both_sides_answer_in_turn_and_what_is_printed_does_not_come_between(tmp_path: Path, shown: tuple[str, Path]):
    at = tree(tmp_path / "tree")
    said: list[str] = []
    found = pairs(lambda: Side("one", at, [shown]), lambda: Side("two", at, [shown]), ["drawn"], 0, said.append)
    assert set(found) == {("", "start"), ("drawn", "decode"), ("drawn", "encode"), ("drawn", "whole frame")}
    assert found["drawn", "decode"].before.shape == (gate_sides.LEAST_PAIRS, gate_sides.FRAMES)
    assert (found["drawn", "decode"].after == 200).all()
    assert (found["", "start"].before > 0).all()
    assert len(said) == gate_sides.LEAST_PAIRS


@pytest.mark.parametrize(
    ("whole", "said"),
    [
        ("", "expected edge.bench.clip.Clip and edge.bench.whole.Bench"),
        ("class Bench: pass", "edge.bench.whole.Bench has no whole"),
        ("class Bench:\n    def whole(self, index): ...", r"expected Clip\(name, jpegs\) and Bench\(clip\)"),
        ("import nothing_of_that_name", "nothing_of_that_name"),
        ("1 / 0", "ZeroDivisionError"),
    ],
)
def test_a_tree_with_another_bench_is_refused_by_name(whole: str, said: str, tmp_path: Path, shown: tuple[str, Path]):
    with pytest.raises(ConfigError, match=f"measures v1 ended at start with code 1: .*{said}"):
        Side("v1", tree(tmp_path / "tree", whole), [shown])


def test_a_tree_that_is_not_there_is_not_replaced_by_what_is_installed(tmp_path: Path, shown: tuple[str, Path]):
    (tmp_path / "tree").mkdir()
    with pytest.raises(ConfigError, match=r"edge was imported from .*; expected one below|No module named 'edge'"):
        Side("v1", tmp_path / "tree", [shown])


def test_a_process_that_dies_says_why(tmp_path: Path, shown: tuple[str, Path]):
    whole = WHOLE.replace(
        'print("what a library says")', "import os, sys; print('out of luck', file=sys.stderr); os._exit(3)"
    )
    with (
        Side("v1", tree(tmp_path / "tree", whole), [shown]) as side,
        pytest.raises(TemporaryError, match="measures v1 ended at frames 0 to 1 with code 3: out of luck"),
    ):
        side.measure(0, 0, 2)


def test_a_process_that_hangs_is_ended(tmp_path: Path, shown: tuple[str, Path], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(gate_sides, "PATIENCE_S", 2.0)
    whole = WHOLE.replace('print("what a library says")', "import time; time.sleep(60)")
    with (
        Side("v1", tree(tmp_path / "tree", whole), [shown]) as side,
        pytest.raises(TemporaryError, match="did not answer within 2 s"),
    ):
        side.measure(0, 0, 2)


def test_a_function_that_is_no_longer_there_cannot_be_slowed(tmp_path: Path, shown: tuple[str, Path]):
    with pytest.raises(ConfigError, match=r"encode cannot be slowed down: No module named 'edge.encode'"):
        Side("v1", tree(tmp_path / "tree"), [shown], "encode", 1.0)
    with pytest.raises(ConfigError, match=r"edge.bench.clip has no Clip.frame: benchmarks/gate/slow.py names"):
        Side("v1", tree(tmp_path / "tree"), [shown], "decode", 1.0)


def test_a_stage_is_slowed_by_the_share_asked_for(monkeypatch: pytest.MonkeyPatch):
    now_ns = 0

    def clock() -> int:
        nonlocal now_ns
        now_ns += 1
        return now_ns

    def encode() -> str:
        nonlocal now_ns
        now_ns += 1000
        return "jpeg"

    monkeypatch.setattr(edge.encode, "encode_jpeg", encode)
    slow("encode", 0.2, clock)
    assert edge.encode.encode_jpeg() == "jpeg"
    assert now_ns == pytest.approx(1200, abs=5)


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that is over soon, and that only doubling gets past."""
    monkeypatch.setattr(gate_sides, "LEAST_PAIRS", 3)
    monkeypatch.setattr(gate_sides, "FRAMES", 30)
    monkeypatch.setattr(gate_sides, "BLOCK", 15)
    monkeypatch.setattr(gate_sides, "WARM_FRAMES", 5)
    monkeypatch.setattr(gate_run, "TOLERANCE", 0.4)
    monkeypatch.setattr(gate_proof, "TOLERANCE", 0.4)
    monkeypatch.setattr(gate_run, "load", lambda _: (load_clip(None, 30),))
    monkeypatch.setattr(gate_proof, "load", lambda _: (load_clip(None, 30),))


def test_double_the_time_is_caught_and_an_unchanged_tree_passes(short: None):
    said: list[str] = []
    found = gate_proof.survey(("encode",), 0.001, said.append, share=1.0)
    unchanged, slowed = found.runs
    assert not unchanged.alarms(), unchanged.text()
    assert slowed.caught(), slowed.text()
    assert {row.stage for row in slowed.rows} >= {*PLACES, "whole frame", "start"}
    assert slowed.pairs[1] >= 3, "it was measured again"
    assert said[1].startswith("  2 of 2: encode slowed by 100%: worse: encode, generated clip ")


RATIO = Ratio(1.2, 1.17, 1.23, 0.1, 0.12, 8)


@pytest.mark.parametrize(("verdict", "code"), [("worse", 1), ("once slower", 0), ("better", 0), ("", 0)])
def test_the_command_ends_with_1_if_something_is_slower(
    verdict: Verdict, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    one = Tree("main", "0123456789abcdef")
    rows = (Found("drawn", "track", RATIO, verdict),)
    found = Compared(describe(), one, one, 0.05, 300, (8, 0), 30.0, rows)
    monkeypatch.setattr(gate, "copied", lambda *_: gate_run.Trees(one, tmp_path, one, tmp_path))
    monkeypatch.setattr(gate, "load", lambda _: ())
    monkeypatch.setattr(gate, "compare", lambda *_, **given: found)
    assert gate.main(["main", "--json", str(tmp_path / "found.json"), "--out", str(tmp_path / "page")]) == code
    out = capsys.readouterr().out
    assert ("worse: track, drawn 1.20 (1.17–1.23)" in out) is (code == 1)
    assert msgspec.json.decode((tmp_path / "found.json").read_bytes(), type=Compared) == found
    assert (tmp_path / "page/compare.md").is_file()


@in_a_checkout
def test_the_command_refuses_what_cannot_be_done(capsys: pytest.CaptureFixture[str]):
    assert gate.main(["no-such-revision"]) == 78
    assert "git knows no revision 'no-such-revision'" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        gate.main(["HEAD", "--minutes", "0"])


@in_a_checkout
def test_nothing_is_left_if_it_is_ended_from_outside(tmp_path: Path):
    code = (
        "import sys; from benchmarks.gate import __main__ as gate, run, sides; run.FRAMES = sides.FRAMES = 30;"
        "sys.exit(gate.main(['HEAD']))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env={**os.environ, "TMPDIR": str(tmp_path)}
    ) as process:
        out = process.stdout
        assert out
        assert any("pair 1" in line for line in out)
        process.terminate()
        assert process.wait(30) == 128 + 15
    assert list(tmp_path.iterdir()) == []
