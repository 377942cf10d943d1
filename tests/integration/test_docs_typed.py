"""The commands that the docs tell people to type do what they are there for: each is typed as it stands there.

What takes minutes, or a machine to install on, is typed by `tests/e2e/test_docs_*.py`.
"""

import argparse
import re
import shlex
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from edge.cli import _parser
from tests.manual.commands import PAGES, ROOT, commands, inline, table, typed
from tests.manual.place import Place, place

SAYS = table("here")
ASKS = table("asked")
"""Of a running program, on the page of the API; ID is that of the video sent last."""
ENDLESS = {"emotion-edge run": ("Open ", 0), "curl -N": ("data: ", -signal.SIGTERM)}
"""How those begin that go on until they are stopped, the sign that they are at work, and how they end."""


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with place(tmp_path_factory.mktemp("manual")) as here:
        yield here


@contextmanager
def program(here: Place) -> Iterator[None]:
    """A program on the demo, at the port of the docs."""
    process = here.start("exec emotion-edge run --source demo")
    assert process.stdout is not None
    try:
        while "Open http://127.0.0.1:8080/" not in (line := process.stdout.readline()):
            assert line, "the program has ended"
        yield
    finally:
        process.kill()
        process.communicate()


def typed_in(here: Place, command: str) -> str:
    """What it prints."""
    for beginning, (sign, ends) in ENDLESS.items():
        if command.startswith(beginning):
            return here.watched(command, sign, ends)
    return here.typed(command)


def written() -> list[tuple[str, str]]:
    """Page and command of all that is typed here or elsewhere."""
    return [(page, command) for page in PAGES for command in commands(page)]


def test_every_command_is_typed_somewhere_and_no_others() -> None:
    assert [(page, command) for page, command in written() if command not in typed()] == []
    assert typed() - {command for _, command in written()} == set()


@pytest.mark.parametrize("command", SAYS)
def test_it_does_what_it_says(command: str, here: Place) -> None:
    said = typed_in(here, command)
    assert re.search(SAYS[command], said), said


def test_what_was_asked_for_lies_there(here: Place) -> None:
    here.typed("emotion-edge analyze film.mp4 --format csv > film.csv")
    assert (here.folder / "film.csv").read_text().startswith("file,frame,")
    shutil.rmtree(here.folder / "results", ignore_errors=True)
    here.typed("emotion-edge analyze holiday/ --out results --annotate")
    written = (here.folder / "results" / "annotated").rglob("*.jpg")
    assert sorted(path.name for path in written) == ["1.jpg.jpg", "2.jpg.jpg"]


def test_a_running_program_answers_all_that_the_page_on_the_api_asks_it(here: Place) -> None:
    video = ""
    with program(here):
        for command in commands("docs/api.md"):
            said = typed_in(here, command.replace("ID", video) if video else command)
            assert re.search(ASKS[command], said), f"{command}: {said}"
            if "-X POST" in command:
                video = re.findall(r'"id":"([^"]+)"', said)[0]
            if command == "curl http://127.0.0.1:8080/api/v1/videos/ID":
                wait_for_video(here, video)
    assert (here.folder / "now.jpg").read_bytes().startswith(b"\xff\xd8")


def wait_for_video(here: Place, video: str) -> None:
    end_s = time.monotonic() + 60
    while '"state":"done"' not in (said := here.typed(f"curl -s http://127.0.0.1:8080/api/v1/videos/{video}")):
        assert time.monotonic() < end_s, said
        time.sleep(0.2)


@pytest.mark.parametrize(("page", "command"), [(page, each) for page in PAGES for each in inline(page)])
def test_a_command_within_a_sentence_is_one_that_there_is(page: str, command: str) -> None:
    words = shlex.split(command)
    if words[0] == "make":
        targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
        assert [word for word in words[1:] if "=" not in word and word not in targets] == []
    elif words[0] == "emotion-edge":
        assert_known(words[1:])
    else:
        assert any((ROOT / Path(*words[2].split("."))).with_suffix(suffix).exists() for suffix in ("", ".py")), command


def assert_known(words: list[str]) -> None:
    """Its action and options are declared; what stands for a value, in capitals or as dots, may be left open."""
    parser: argparse.ArgumentParser = _parser()
    for word in words:
        if word.startswith("-"):
            known = {option for action in parser._actions for option in action.option_strings}
            assert word.partition("=")[0] in known, f"{word} is not among {sorted(known)}"
            continue
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction) and word in action.choices:
                parser = action.choices[word]
                break
