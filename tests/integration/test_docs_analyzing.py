"""What docs/analyzing.md promises."""

import argparse
import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.batch.records import FACE_COLUMNS, FIRST_COLUMNS
from edge.cli_analyze import add_analyze
from tests.clips import picture

TEXT = (Path(__file__).parents[2] / "docs" / "analyzing.md").read_text(encoding="utf-8")


def test_the_example_in_python_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (code,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    wall = cv2.imencode(".png", np.full((60, 80, 3), 90, np.uint8))[1].tobytes()
    exec(compile(code, "analyzing.md", "exec"), {"picture": picture(tmp_path / "people.png"), "bytes_of_a_wall": wall})
    said = capsys.readouterr().out.splitlines()
    assert len(said) == 3
    assert re.fullmatch(r"1 \w+ \d+% \(.*\)", said[0])
    assert said[-1] == "(240, 320, 3) 0 whole"


def test_the_table_of_columns_is_that_of_the_file():
    table = TEXT.split("| column | meaning |")[1].split("\n\n")[0]
    named = [name for row in table.splitlines() for name in re.findall(r"`(\w+)`", row.split("|")[1] if row else "")]
    assert named == [*FIRST_COLUMNS, *FACE_COLUMNS, "score_angry"]


def test_the_table_of_options_is_that_of_the_command():
    parser = argparse.ArgumentParser(add_help=False)
    add_analyze(parser)
    known = {option for action in parser._actions for option in action.option_strings}
    table = TEXT.split("| option | meaning |")[1].split("\n\n")[0]
    assert (
        set(re.findall(r"--[a-z][a-z-]*", "\n".join(row.split("|")[1] for row in table.splitlines() if row))) == known
    )
