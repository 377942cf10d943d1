"""`emotion-edge analyze --engine ray` on a cluster of two nodes, of which one is lost."""

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clips import FPS, drawn, picture
from tests.films import written

pytestmark = pytest.mark.slow

COMMAND = [sys.executable, "-m", "edge", "analyze"]
CUT = ("--segment-s", "10")
WAIT_S = 60.0


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Two nodes of one core each."""
    if importlib.util.find_spec("ray") is None:
        reason = "needs Ray: pip install -e '.[dev]'"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    from tests import ray_cluster

    with ray_cluster.cluster() as made:
        yield made


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures, what is none, a film of 80 s, one of 30 s, and one that is none."""
    folder = tmp_path_factory.mktemp("files")
    for number in (1, 2, 3):
        picture(folder / f"a{number}.png", seed=number)
    (folder / "b.jpg").write_bytes(b"\xff\xd8\xff\xe0 this is broken")
    frames = drawn(250)
    written(folder / "c.mp4", frames * 8, FPS)
    written(folder / "d.avi", frames * 3, FPS)
    (folder / "e.mp4").write_bytes(bytes(range(256)) * 8)
    picture(folder / "f.png", seed=4)
    return folder


def analyze(*arguments: object, code: int = 1, **more: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [*COMMAND, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=2 * WAIT_S,
        env={**os.environ, "RAY_USAGE_STATS_ENABLED": "0", **more},
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done


@pytest.fixture(scope="module")
def expected(files: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What this machine makes of the same plan."""
    out = tmp_path_factory.mktemp("expected") / "out"
    analyze(files, "--out", out, *CUT)
    return out


def summary(out: Path) -> dict[str, Any]:
    """Without how long it took, and whether it was done in one go."""
    found = json.loads((out / "summary.json").read_bytes())
    return {key: value for key, value in found.items() if key not in ("seconds", "seconds_per_frame", "earlier")}


def same(out: Path, expected: Path) -> None:
    assert (out / "records.jsonl").read_bytes() == (expected / "records.jsonl").read_bytes()
    assert summary(out) == summary(expected)
    assert sorted(path.name for path in out.iterdir()) == ["records.jsonl", "state.json", "summary.json"]


def begun(cluster: Any, files: Path, out: Path) -> subprocess.Popen[str]:
    command = [*COMMAND, files, "--out", out, "--engine", "ray", "--address", cluster.address, *CUT]
    return subprocess.Popen(
        list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def wait_until(holds: Callable[[], bool], process: subprocess.Popen[str] | None = None) -> None:
    end_s = time.monotonic() + WAIT_S
    while not holds():
        assert process is None or process.poll() is None, "it ended before"
        assert time.monotonic() < end_s
        time.sleep(0.005)


def test_a_cluster_gives_what_this_machine_gives(cluster: Any, files: Path, expected: Path, tmp_path: Path):
    done = analyze(files, "--out", tmp_path / "out", "--engine", "ray", "--address", cluster.address, *CUT)
    same(tmp_path / "out", expected)
    assert done.stderr.splitlines()[0] == "Ray: 2 nodes, 2 processor cores."
    assert "Analysed 4 pictures and 2 videos: 2754 frames" in done.stderr
    assert f"{files / 'b.jpg'}: the JPEG picture is broken" in done.stderr
    for line in done.stderr.splitlines():
        known = ("Ray: ", "Analysed", "Failed", "Results", "  /", str(files))
        assert line.startswith(known) or "%" in line or " of 8 files done; " in line, line
    on_stdout = analyze(files, *CUT, "--engine", "ray", "--format", "csv", RAY_ADDRESS=cluster.address).stdout
    assert on_stdout == analyze(files, *CUT, "--format", "csv").stdout


def test_relative_paths_and_models_are_found(
    cluster: Any, files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    from edge.classifier import SHIPPED

    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    monkeypatch.chdir(files)
    Path(tmp_path / "m.tflite").write_bytes(SHIPPED.read_bytes())
    model = os.path.relpath(tmp_path / "m.tflite", files)
    one, other = (
        analyze("a1.png", "d.avi", *CUT, "--model", model, *how, code=0).stdout
        for how in ((), ("--engine", "ray", "--address", cluster.address))
    )
    assert one == other != ""
    assert json.loads(one.splitlines()[0])["source"] == "images:a1.png"


def test_whole_files_may_be_given_out_too(cluster: Any, files: Path, tmp_path: Path):
    whole = ("--segment-s", "0")
    analyze(files, "--out", tmp_path / "ray", "--engine", "ray", "--address", cluster.address, *whole)
    analyze(files, "--out", tmp_path / "local")
    same(tmp_path / "ray", tmp_path / "local")


def test_a_node_that_is_lost_loses_nothing(cluster: Any, files: Path, expected: Path, tmp_path: Path):
    process = begun(cluster, files, tmp_path / "out")
    try:
        wait_until(cluster.other.at_work, process)
        cluster.other.kill()
        began_s = time.monotonic()
        output, errors = process.communicate(timeout=2 * WAIT_S)
    finally:
        process.kill()
        cluster.add()
    print(f"\nended {time.monotonic() - began_s:.1f} s after a node was lost")
    assert process.returncode == 1  # two files are broken
    assert "Traceback" not in errors
    assert output == "", "what Ray says in passing got among the records"
    same(tmp_path / "out", expected)


def test_a_segment_that_kills_its_process_fails_its_file_alone(
    cluster: Any, files: Path, expected: Path, tmp_path: Path
):
    from edge.batch.inputs import find_inputs
    from edge.batch.ray_engine import RayEngine
    from edge.batch.run import Batch
    from edge.batch.settings import BatchSettings
    from tests.integration.test_batch_segments import Told
    from tests.ray_cluster import DEADLY_S, dying

    settings = BatchSettings(segment_s=10.0)
    with RayEngine(settings, cluster.address, dying) as engine:
        found = find_inputs([files])
        done = Batch(found, settings, Told(), folder=tmp_path / "out", engine=engine).run()
    failed = {Path(problem.path).name: problem.reason for problem in done.failed}
    assert set(failed) == {"b.jpg", "c.mp4", "d.avi", "e.mp4"}
    assert f"the segment from {DEADLY_S:g} s to 30 s was given up" in failed["c.mp4"]
    assert "lost, and in 3 more tries too" in failed["d.avi"]
    kept = [json.loads(line)["source"] for line in (tmp_path / "out" / "records.jsonl").read_bytes().splitlines()]
    assert [source.rpartition("/")[2] for source in kept] == ["a1.png", "a2.png", "a3.png", "f.png"]
    # the same command with nobody who kills goes on where it was, here or there; what failed comes last
    analyze(files, "--out", tmp_path / "out", *CUT)
    lines, wanted = ((out / "records.jsonl").read_bytes().splitlines() for out in (tmp_path / "out", expected))
    assert sorted(lines) == sorted(wanted)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_run_that_is_ended_leaves_no_work_behind_and_goes_on(
    number: signal.Signals, cluster: Any, files: Path, expected: Path, tmp_path: Path
):
    out = tmp_path / "out"
    process = begun(cluster, files, out)
    try:
        wait_until(lambda: (out / "records.jsonl").exists() and (out / "records.jsonl").stat().st_size > 0, process)
        process.send_signal(number)
        _, errors = process.communicate(timeout=WAIT_S)
    finally:
        process.kill()
    assert "Traceback" not in errors
    if number != signal.SIGKILL:
        assert process.returncode == 1
        assert "Interrupted: the same command goes on where it was." in errors
    wait_until(lambda: not cluster.head.at_work() and not cluster.other.at_work())
    analyze(files, "--out", out, "--engine", "ray", "--address", cluster.address, *CUT)
    same(out, expected)


def test_without_a_cluster_none_is_started(files: Path):
    done = analyze(files, "--engine", "ray", "--address", "127.0.0.1:1", code=78)
    assert (
        "there is no Ray cluster at 127.0.0.1:1 (Connection refused); start one with `ray start --head`" in done.stderr
    )
    done = analyze(files, "--engine", "ray", "--address", "local", code=78)
    assert "--address (or RAY_ADDRESS) is HOST:PORT" in done.stderr
    done = analyze(files, "--address", "127.0.0.1:1", code=78)
    assert "give --engine ray with it" in done.stderr
