"""The engine without Ray: what it says when there is none, and what it makes of Ray's answers."""

import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from edge.batch.bench import Bench
from edge.batch.plan import Segment
from edge.batch.ray_engine import AHEAD, RETRIES, RayEngine
from edge.batch.ray_node import Order, Refusal, parts, perform
from edge.batch.settings import BatchSettings
from edge.batch.shares import Piece, Share
from edge.config import Config
from edge.errors import ConfigError, PermanentError
from tests.clips import picture

PIECE = Piece(1, b"", (), {}, 0.1)
SHARE = Share("film.mp4", "video", Segment(60.0, 120.0))


class RayError(Exception):
    pass


class RayTaskError(RayError):
    pass


class WorkerCrashedError(RayError):
    pass


class NodeDiedError(RayError):
    pass


class OutOfMemoryError(RayError):
    pass


class FakeRay:
    """What the engine uses of Ray; answers of tasks are given beforehand."""

    def __init__(self) -> None:
        kinds = (RayError, RayTaskError, WorkerCrashedError, NodeDiedError)
        self.exceptions = SimpleNamespace(**{kind.__name__: kind for kind in kinds})
        self.answers: list[Any] = []
        self.refused: Exception | None = None
        self.started: dict[str, Any] = {}
        self.options: dict[str, Any] = {}
        self.tasks: list[tuple[Any, ...]] = []
        self.cancelled: list[Any] = []
        self.left = False
        self.waiting = False
        self.cores = 2.0

    def init(self, **how: Any) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)  # as Ray does
        self.started = how
        if self.refused:
            raise self.refused

    def remote(self, **options: Any) -> Callable[[Any], Any]:
        self.options = options

        def call(*arguments: Any) -> int:
            self.tasks.append(arguments)
            return len(self.tasks) - 1

        return lambda work: SimpleNamespace(remote=call)

    def wait(self, tasks: list[Any], timeout: float) -> tuple[list[Any], list[Any]]:
        return ([], tasks) if self.waiting else (tasks, [])

    def get(self, task: int) -> Any:
        answer = self.answers[task]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def cancel(self, task: int, *, force: bool) -> None:
        assert force
        self.cancelled.append(task)

    def cluster_resources(self) -> dict[str, float]:
        return {"CPU": self.cores}

    def nodes(self) -> list[dict[str, bool]]:
        return [{"Alive": True}, {"Alive": False}, {"Alive": True}]

    def shutdown(self) -> None:
        self.left = True


@pytest.fixture
def ray(monkeypatch: pytest.MonkeyPatch) -> FakeRay:
    fake = FakeRay()
    monkeypatch.setitem(sys.modules, "ray", fake)  # type: ignore[arg-type]
    monkeypatch.setitem(sys.modules, "ray.exceptions", fake.exceptions)  # type: ignore[arg-type]
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    return fake


@pytest.fixture
def head() -> Iterator[str]:
    """Something that listens where a cluster's head would."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def outcome(engine: RayEngine, share: Share = SHARE, *, cancelled: bool = False) -> Piece | Exception | None:
    return engine.result(engine.begin(share), lambda _: None, lambda: cancelled)


def test_without_ray_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ConfigError, match=r"needs Ray .*pip install 'emotion-edge\[ray\]'"):
        RayEngine(BatchSettings())


@pytest.mark.parametrize(
    "address",
    [
        "local",
        "ray://127.0.0.1:10001",
        "127.0.0.1",
        "host:port",
        ":6379",
        "a..b:6379",
        f"{'a' * 64}:6379",
        f"127.0.0.1:{'9' * 30}",
    ],
)
def test_what_is_no_address_of_a_head_is_refused_and_none_is_started(
    address: str, ray: FakeRay, monkeypatch: pytest.MonkeyPatch
):
    expected = rf"--address \(or RAY_ADDRESS\) is HOST:PORT .*found '{address}'"
    with pytest.raises(ConfigError, match=expected):
        RayEngine(BatchSettings(), address)
    monkeypatch.setenv("RAY_ADDRESS", address)
    with pytest.raises(ConfigError, match=expected):
        RayEngine(BatchSettings())
    assert not ray.started


def test_where_nobody_listens_it_says_so_at_once(ray: FakeRay, monkeypatch: pytest.MonkeyPatch):
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
    expected = rf"no Ray cluster at {address} \(Connection refused\); start one with `ray start --head`"
    with pytest.raises(ConfigError, match=expected):
        RayEngine(BatchSettings(), address)
    monkeypatch.setenv("RAY_ADDRESS", address)
    with pytest.raises(ConfigError, match=expected):
        RayEngine(BatchSettings())
    assert not ray.started


def test_without_a_cluster_on_this_machine_none_is_started(ray: FakeRay):
    ray.refused = ConnectionError("Could not find any running Ray instance.")
    with pytest.raises(ConfigError, match=r"no Ray cluster that this machine is a node of.*`ray start --head`"):
        RayEngine(BatchSettings())
    assert ray.started["address"] == "auto"


def test_a_model_that_is_not_there_is_told_before_anything_is_joined(ray: FakeRay):
    config = msgspec.convert({"expression": {"model": "no.tflite"}}, Config)
    with pytest.raises(ConfigError, match=r"the model no\.tflite cannot be read: No such file"):
        RayEngine(BatchSettings(config=config))
    assert not ray.started


def test_other_versions_on_the_cluster_are_told(ray: FakeRay, head: str):
    ray.refused = RuntimeError("Version mismatch: The cluster was started with:\n    Ray: 2.9.0\n    Python: 3.13.1")
    with pytest.raises(ConfigError, match=r"runs other versions .*Ray: 2\.9\.0 Python: 3\.13\.1; install the same"):
        RayEngine(BatchSettings(), head)


def test_the_programs_own_answer_to_sigterm_stays(ray: FakeRay):
    mine = signal.getsignal(signal.SIGTERM)
    own = lambda *_: None  # noqa: E731
    signal.signal(signal.SIGTERM, own)
    try:
        RayEngine(BatchSettings())
        assert signal.getsignal(signal.SIGTERM) is own
    finally:
        signal.signal(signal.SIGTERM, mine)


def test_it_says_how_large_the_cluster_is_and_begins_shares_for_all_of_it(ray: FakeRay):
    ray.cores = 12.0
    engine = RayEngine(BatchSettings())
    assert engine.notice == "Ray: 2 nodes, 12 processor cores."
    assert engine.ahead() == 12 * AHEAD
    ray.cores = 0.0
    assert RayEngine(BatchSettings()).ahead() > 1


def test_a_share_takes_one_core_and_is_done_again_a_few_times(ray: FakeRay, tmp_path: Path):
    film = tmp_path / "film.mp4"
    film.write_bytes(b"12345")
    ray.answers = [PIECE, PIECE]
    with RayEngine(BatchSettings()) as engine:
        assert outcome(engine, Share(str(film), "video")) == PIECE
        assert outcome(engine, Share(str(tmp_path / "gone"), "video")) == PIECE
    assert (ray.options["num_cpus"], ray.options["max_retries"]) == (1, RETRIES)
    assert [task[2] for task in ray.tasks] == [5, None]
    assert ray.left


def test_no_secret_leaves_the_machine(ray: FakeRay):
    config = msgspec.convert({"server": {"token": "s3cret" * 4}, "detector": {"min_face_px": 31}}, Config)
    engine = RayEngine(BatchSettings(config=config, threshold=0.6))
    engine.begin(SHARE)
    order = ray.tasks[0][0]
    assert b"s3cret" not in order.settings
    sent = msgspec.json.decode(order.settings, type=BatchSettings)
    assert (sent.config.detector.min_face_px, sent.threshold) == (31, 0.6)


def test_what_a_file_lacks_fails_the_file_and_what_a_node_lacks_ends_the_run(ray: FakeRay):
    engine = RayEngine(BatchSettings())
    ray.answers = [Refusal("holds no frame"), Refusal("the node a cannot take part", by_node=True)]
    found = outcome(engine)
    assert isinstance(found, PermanentError)
    assert str(found) == "holds no frame"
    with pytest.raises(ConfigError, match="the node a cannot take part"):
        outcome(engine)


def test_a_share_that_never_comes_back_is_told_with_its_segment(ray: FakeRay):
    engine = RayEngine(BatchSettings())
    ray.answers = [WorkerCrashedError("The worker died unexpectedly.\nmore")] * 2 + [NodeDiedError("gone")]
    found = outcome(engine)
    assert isinstance(found, PermanentError)
    assert str(found) == (
        "the segment from 60 s to 120 s was given up: the process or node that had it was lost, and in 3 more tries "
        "too; at last: WorkerCrashedError: The worker died unexpectedly."
    )
    assert str(outcome(engine, Share("f", "video", Segment(60.0)))).startswith("the segment from 60 s to its end was")
    assert str(outcome(engine, Share("a.png", "picture"))) == (
        "it was given up: the process or node that had it was lost, and in 3 more tries too; at last: NodeDiedError: "
        "gone"
    )


def test_what_ray_gives_up_for_another_reason_is_told_as_that(ray: FakeRay):
    ray.answers = [OutOfMemoryError("Task was killed due to the node running low on memory.\nmore")]
    assert str(outcome(RayEngine(BatchSettings()))) == (
        "the segment from 60 s to 120 s was given up by Ray, the same command tries again: OutOfMemoryError: Task was "
        "killed due to the node running low on memory."
    )


def test_a_node_without_the_program_is_told(ray: FakeRay):
    ray.answers = [RayTaskError("a traceback\nModuleNotFoundError: No module named 'edge'")]
    with pytest.raises(
        ConfigError, match="cannot run emotion-edge: ModuleNotFoundError: No module named 'edge'; install"
    ):
        outcome(RayEngine(BatchSettings()))


def test_what_is_begun_is_called_back(ray: FakeRay):
    ray.answers = [PIECE] * 4
    with RayEngine(BatchSettings()) as engine:
        begun = [engine.begin(SHARE) for _ in range(4)]
        assert engine.result(begun[0], lambda _: None, lambda: False) == PIECE
        engine.drop(begun[1])
        engine.drop(begun[1])
        assert ray.cancelled == begun[1:2]
        ray.waiting = True
        assert engine.result(begun[2], lambda _: None, lambda: True) is None
    assert ray.cancelled == begun[1:]
    assert ray.left


def test_what_ray_says_in_passing_does_not_get_among_the_records(
    ray: FakeRay, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    with RayEngine(BatchSettings()):
        print("(raylet) A worker died.")
    print("a record")
    assert capsys.readouterr() == ("a record\n", "")
    assert "(raylet) A worker died." in caplog.text


@pytest.fixture
def order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Order:
    """Given in a folder with a picture."""
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.chdir(Path.cwd())
    picture(tmp_path / "a.png")
    content = msgspec.json.encode(BatchSettings())
    return Order(content, str(tmp_path), parts(content))


def test_a_node_does_what_this_machine_does(order: Order):
    share = Share("a.png", "picture")
    found = perform(order, share, Path(order.folder, "a.png").stat().st_size)
    assert isinstance(found, Piece)
    assert os.getcwd() == order.folder  # noqa: PTH109
    expected = Bench(BatchSettings()).analyse(share)
    assert expected is not None
    assert found.records == expected.records != b""


def test_a_node_that_does_not_see_a_file_says_which_node_and_which_file(order: Order, tmp_path: Path):
    gone = perform(order, Share("gone.png", "picture"), 10)
    assert isinstance(gone, Refusal)
    assert not gone.by_node
    assert gone.reason == (
        f"the node {socket.gethostname()} (127.0.0.1) cannot read {tmp_path}/gone.png: No such file or directory; all "
        "nodes need the file under this path: share a file system among them"
    )
    size_b = (tmp_path / "a.png").stat().st_size
    other = perform(order, Share("a.png", "picture"), size_b + 1)
    assert isinstance(other, Refusal)
    assert (
        f"has another file at {tmp_path}/a.png: {size_b} bytes, expected {size_b + 1}; all nodes need the file under "
        "this path: share a file system among them; or it is being written just now: run the same command when it is "
        "complete"
    ) in other.reason


def test_a_file_that_could_not_be_looked_at_where_the_order_was_given_is_no_matter_of_file_systems(
    order: Order, tmp_path: Path
):
    gone = perform(order, Share("gone.png", "picture"), None)
    assert isinstance(gone, Refusal)
    assert gone.reason.endswith(f"cannot read {tmp_path}/gone.png: No such file or directory")


def test_a_node_of_another_kind_says_in_what_it_differs(order: Order):
    others = {**order.parts, "emotion-edge": "9.9", "face_detection_other.tflite": "0" * 64}
    found = perform(msgspec.structs.replace(order, parts=others), Share("a.png", "picture"), None)
    assert isinstance(found, Refusal)
    assert found.by_node
    assert f"emotion-edge {order.parts['emotion-edge']}, expected 9.9" in found.reason
    assert "face_detection_other.tflite is missing, expected 000000000000" in found.reason
    assert "install the same on all machines, this one too" in found.reason


def test_a_file_that_is_no_picture_is_refused_with_its_reason(order: Order, tmp_path: Path):
    (tmp_path / "b.jpg").write_bytes(b"\xff\xd8\xff\xe0 this is broken")
    found = perform(order, Share("b.jpg", "picture"), None)
    assert isinstance(found, Refusal)
    assert found.reason.startswith("the JPEG picture is broken")
