"""The runner of the peers: programs, environments, and what happens where one cannot be had."""

import sys
from pathlib import Path

import pytest

from benchmarks.peers import survey as surveying
from benchmarks.peers.catalogue import CATALOGUE, Peer, Place
from benchmarks.peers.environments import Environment, provide, python_of
from benchmarks.peers.found import OWN
from benchmarks.peers.peers_page import document
from benchmarks.peers.running import run_alone, run_watched
from benchmarks.peers.survey import Plan, survey
from edge import model_store
from edge.detectors.blazeface import VARIANTS
from edge.errors import PermanentError, TemporaryError
from training.reporting.document import write

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="needs clocks of other processes, as Linux has"
)
FAKE = """
from benchmarks.peers.programs.stage import Found, play

def load():
    return lambda frame: [Found((10, 10, 60, 60), "happy")]

play(load)
"""
FRAMES = 45
"""A second and a half: the viewer of a busy machine may come late."""
NOWHERE = Environment("nowhere", (("--no-index", "no-such-package"),), "a package that is not there")


def fake(folder: Path) -> Peer:
    script = folder / "fake.py"
    script.write_text(FAKE, encoding="utf-8")

    def command(place: Place) -> tuple[str, ...]:
        return sys.executable, str(script), str(place.film), str(place.events)

    return Peer("fake", "the same box on every frame", "", command)


def test_our_program_and_a_peer_are_measured_in_turn_and_a_peer_without_its_environment_is_left_out(tmp_path: Path):
    if model_store.find(VARIANTS["blazeface-full"].file) is None:
        pytest.skip("needs the detector's file: emotion-edge models fetch")
    away = Peer("away", "cannot be had", "nowhere", lambda _: ("false",))
    own = next(peer for peer in CATALOGUE if peer.name == OWN)
    said: list[str] = []
    plan = Plan(
        peers=(own, fake(tmp_path), away),
        environments=(NOWHERE,),
        folder=tmp_path / "environments",
        frames=FRAMES,
        rounds=1,
        turns=0,
    )
    found = survey(plan, said.append)
    assert [program.name for program in found.programs] == [OWN, "fake"]
    for program in found.programs:
        (turn,) = program.turns
        assert 0 < turn.cost.start_s < turn.cost.wall_s
        assert 0 < turn.cost.start_cpu_s < turn.cost.cpu_s
        assert turn.cost.steady_ms > 0
        assert turn.cost.peak_mib > 10
        assert 1 < turn.cost.pictures <= FRAMES
    peer = found.programs[1]
    assert peer.turns[0].cost.pictures == FRAMES
    assert peer.sight.found + peer.sight.false_alarms == FRAMES
    assert found.ratio("fake", "cpu_s") is not None
    assert "no-such-package" in found.left_out["away"]
    assert any("no-such-package" in line for line in said)
    assert not (tmp_path / "environments" / "nowhere").exists()
    page = write(document(found), tmp_path / "page").read_text(encoding="utf-8")
    assert "left out: away" in page
    assert str(tmp_path) not in page


def test_a_peer_that_fails_is_left_out_and_our_own_program_may_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(surveying, "reference", lambda _: ((),) * 2)
    broken = Peer("broken", "ends at once", "", lambda _: (sys.executable, "-c", "raise SystemExit('no camera')"))
    plan = Plan(peers=(broken,), environments=(), folder=tmp_path, frames=2, rounds=1, turns=0)
    with pytest.raises(PermanentError, match="no camera"):
        survey(plan, lambda _: None)


def test_what_a_process_without_a_viewer_costs_is_its_own_and_its_childrens():
    busy = "import time\nwhile time.process_time() < 0.3: pass"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {busy!r}], check=True)"
    cost = run_alone((sys.executable, "-c", parent))
    assert cost.cpu_s >= 0.3
    assert cost.peak_mib > 1
    assert cost.start_s is None


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("print('hello')", "did not print its URL"),
        ("import sys; sys.exit('the film is gone')", "the film is gone"),
    ],
)
def test_a_program_that_shows_nothing_is_refused_with_what_it_said(code: str, reason: str):
    with pytest.raises(PermanentError, match=reason):
        run_watched((sys.executable, "-c", code))


def test_a_program_that_is_through_before_the_viewer_saw_anything_still_has_its_cost():
    code = "print('http://127.0.0.1:9/', flush=True)"
    cost = run_watched((sys.executable, "-c", code), waits=False)
    assert cost.cpu_s > 0
    assert (cost.pictures, cost.start_s, cost.peak_mib) == (0, None, None)
    with pytest.raises(PermanentError, match="cannot be watched"):
        run_watched((sys.executable, "-c", code))


def test_an_environment_is_made_once_kept_and_made_anew_when_something_else_is_asked_for(tmp_path: Path):
    empty = Environment("empty", (), "nothing")
    said: list[str] = []
    made = provide(empty, tmp_path, said.append)
    assert python_of(tmp_path, "empty").exists()
    assert provide(empty, tmp_path, said.append) == made
    assert "as it was made before" in said[-1]
    with pytest.raises(TemporaryError, match="no-such-package"):
        provide(Environment("empty", NOWHERE.steps, "changed"), tmp_path, said.append)
    assert not python_of(tmp_path, "empty").exists()
