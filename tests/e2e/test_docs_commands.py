"""The commands of the docs that take minutes, each typed as it stands there; the quick ones: tests/integration."""

import importlib.util
import re
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.manual.commands import ROOT, table
from tests.manual.place import Place, copy_checkout, place
from tests.manual.workshop import fill
from tests.tools import require_tool
from tests.torch_weights import state

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

COMMAND_S = 900
SOMEBODY = "-c user.name=somebody -c user.email=somebody@localhost"
TRAINS, TAKES_TORCH, MEASURES = table("trains"), table("torch"), table("measures")


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A checkout with little data and short recipes."""
    with place(tmp_path_factory.mktemp("workshop")) as here:
        fill(here.folder)
        yield here


def assert_does(here: Place, command: str, says: str, typed: str | None = None) -> None:
    said = here.typed(typed or command, timeout_s=COMMAND_S)
    assert re.search(says, said), f"{command} said:\n{said}"


@pytest.mark.parametrize("command", TRAINS)
def test_training_and_converting(command: str, workshop: Place) -> None:
    if "runs/a/model.keras" in command:  # two of anybody's
        for name in "ab":
            shutil.copytree(workshop.folder / "runs" / "compact", workshop.folder / "runs" / name)
    if "--out runs/lesson" in command:  # of other teachers
        shutil.rmtree(workshop.folder / "runs" / "lesson", ignore_errors=True)
    assert_does(workshop, command, TRAINS[command])


@pytest.mark.parametrize("command", TAKES_TORCH)
def test_what_takes_pytorch(command: str, workshop: Place) -> None:
    if importlib.util.find_spec("torch") is None:
        pytest.skip("needs PyTorch: pip install -e '.[torch]'")
    import torch

    weights = workshop.folder / "weights.pth"
    if not weights.exists():
        torch.save({name: torch.from_numpy(values) for name, values in state(side=48).items()}, weights)
    assert_does(workshop, command, TAKES_TORCH[command])


@pytest.mark.parametrize("command", MEASURES)
def test_measuring(command: str, workshop: Place) -> None:
    # a minute instead of six
    quick = " --quick" if "emotion-edge bench" in command and "--quick" not in command else ""
    assert_does(workshop, command, MEASURES[command], command + quick)


def test_in_a_fresh_checkout(tmp_path: Path) -> None:
    require_tool("make", "apt-get install -y make")
    require_tool("git", "apt-get install -y git")
    copy_checkout(tmp_path)
    here = Place(tmp_path)
    here.typed(f"git init --quiet && git add --all && git {SOMEBODY} commit --quiet --message=checkout")
    assert_each_does(here, "fresh")
    assert sorted(path.name.rpartition("_")[2] for path in (tmp_path / "dist").glob("*.deb"))[-1] == "arm64.deb"


def test_without_make(tmp_path: Path) -> None:
    copy_checkout(tmp_path)
    assert_each_does(Place(tmp_path), "laptop")


def assert_each_does(here: Place, section: str) -> None:
    """Those that run the program until it is stopped take any free port: 8080 may be in use on this machine."""
    for command, says in table(section).items():
        if command in ("make run", "emotion-edge run"):
            stopped = -signal.SIGTERM if command == "make run" else 0  # make ends as it was asked to
            said = here.watched(f"env EMOTION_EDGE_SERVER_PORT=0 {command}", "Open http", stopped)
        else:
            said = here.typed(command, timeout_s=COMMAND_S)
        assert re.search(says, said), f"{command} said:\n{said}"


def test_the_tests_are_run_by_what_the_page_says() -> None:
    assert set(table("itself")) == {"make test"}
    assert re.search(r"(?m)^make test\b", (ROOT / ".ci" / "run").read_text())
