"""What a plain `run` does without: looked at from within its own process, once it is over."""

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from tests.films import film

ROOT = Path(__file__).parents[2]
NOT_FOR_ALL = (
    "cryptography",  # with --tls
    "edge.bench",
    "edge.metrics",  # with the first scrape
    "edge.server.operations_api",  # with the first who asks for the document
    "edge.sources.cameras",  # for `sources`
    "edge.sources.demo",
    "edge.uploads.stills",  # in a child process
    "http.server",  # prometheus_client's
    "numpy.ma",
    "numpy.random",
    "prometheus_client",
    "tqdm",
)
RUN = """
import os, ssl, sys
from edge.cli import main
sys.stdout = open(os.devnull, "w")
code = main(sys.argv[1:])
aiohttp = [each for name, module in sys.modules.items() if name.startswith("aiohttp") for each in vars(module).values()]
trusted = [len(each.get_ca_certs()) for each in aiohttp if isinstance(each, ssl.SSLContext)]
import json
found = {"code": code, "modules": sorted(sys.modules), "trusted": trusted, "blas": os.environ["OPENBLAS_NUM_THREADS"]}
print(json.dumps(found), file=sys.__stdout__)
"""


class Found(msgspec.Struct):
    """What was found at the end: the exit code, what was loaded, authorities in each context of aiohttp's."""

    code: int
    modules: tuple[str, ...]
    trusted: tuple[int, ...]
    blas: str


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Found:
    path = film(tmp_path_factory.mktemp("film") / "film.avi", 20)
    environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    arguments = ["run", "--source", f"file:{path}", "--port", "0", "--duration", "1"]
    done = subprocess.run(
        [sys.executable, "-c", RUN, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        cwd=ROOT,
        env=environment,
    )
    return msgspec.json.decode(done.stdout, type=Found)


def test_what_only_some_need_is_not_loaded(found: Found):
    assert found.code == 0
    assert {"aiohttp", "cv2", "edge.app", "numpy"} < set(found.modules)
    assert not set(NOT_FOR_ALL) & set(found.modules)


def test_no_authorities_are_read_for_a_client_that_nobody_uses(found: Found):
    assert found.trusted
    assert set(found.trusted) == {0}


def test_no_threads_for_large_matrices_are_started(found: Found):
    assert found.blas == "1"


def test_the_command_line_is_understood_before_anything_large_is_loaded():
    code = """
import sys
from edge.cli import main
try:
    main(["run", "--help"])
finally:
    print(sorted({"aiohttp", "cv2", "numpy"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="threads are counted by /proc")
def test_the_number_of_threads_is_said_before_the_libraries_look():
    code = "import os; from edge.cli import main; main(['models', 'list']); import numpy, cv2;"
    environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    done = subprocess.run(
        [sys.executable, "-c", f"{code} print(len(os.listdir('/proc/self/task')))"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        cwd=ROOT,
        env=environment,
    )
    assert done.stdout.splitlines()[-1] == "1"
