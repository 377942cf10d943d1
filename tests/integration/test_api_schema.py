"""The running program against its own description, by requests that were made from it: right ones and wrong ones.

Endless answers (the stream, events, WebSocket) have tests of their own.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.program import Program, running, status_of

pytest.importorskip("schemathesis")

ENDLESS = r"^/(stream|stream\.mjpg|events)?$"
CHANGING = r"^/api/v1/(config|control)$"

CONFIG = """
[generation]
database = "none"

[checks]
# whether a token is needed is up to the settings; tests/integration/test_server_auth.py looks into that
ignored_auth.enabled = false

# any bytes are within the description, which cannot tell that they are no picture
[[operations]]
include-path-regex = "^/api/v1/(analyze|videos)$"
checks.positive_data_acceptance.enabled = false

# without a token in the settings, everybody is signed in
[[operations]]
include-path = "/login"
checks.negative_data_rejection.enabled = false

# a made-up ETag is never that of the settings
[[operations]]
include-path = "/api/v1/config"
checks.positive_data_acceptance.expected-statuses = ["2xx", "304", "403", "412"]
checks.negative_data_rejection.expected-statuses = ["400", "412", "413", "415", "422"]
"""


@pytest.fixture(scope="module")
def program() -> Iterator[Program]:
    with running("--source", "demo") as program:
        yield program


@pytest.fixture(scope="module")
def url(program: Program) -> str:
    url = program.url()
    program.wait_for(url, "faces", above=0)
    return url


def figures(url: str, folder: Path, *options: str) -> dict[str, Any]:
    """What the tool counts; fails with all it says where a check does."""
    (folder / "schemathesis.toml").write_text(CONFIG)
    report = folder / "report.json"
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(folder / "schemathesis.toml"), "run"]
    command += [f"{url}api/v1/openapi.json", "--url", url, "--phases", "coverage,fuzzing", "--max-examples", "5"]
    command += ["--seed", "1", "--generation-deterministic", "--no-shrink", "--continue-on-failure", "--no-color"]
    command += ["--max-redirects", "0", "--request-timeout", "20", "--warnings", "off"]
    command += ["--report", "json", "--report-json-path", str(report), *options]
    result = subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=200, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    found: dict[str, Any] = json.loads(report.read_text())
    assert not found["failures"]
    assert not found["errors"]
    return found


def test_what_only_asks_is_as_described(url: str, tmp_path: Path):
    found = figures(url, tmp_path, "--exclude-path-regex", f"{ENDLESS}|{CHANGING}")
    assert found["operations"]["tested"] == found["operations"]["selected"] >= 17
    assert found["test_cases"]["generated"] > 300


def test_what_changes_the_program_is_as_described(program: Program, url: str, tmp_path: Path):
    found = figures(url, tmp_path, "--include-path-regex", CHANGING)
    assert found["operations"]["tested"] == 3
    assert found["test_cases"]["generated"] > 100
    assert "config.changed" in program.errors(), "some of the changes are right ones"


def test_the_program_has_survived_all_of_it(program: Program, url: str):
    assert status_of(f"{url}livez") == 200
    assert " failed" not in program.errors()
    assert "Traceback" not in program.errors()
    assert program.terminate()[0] == 0
