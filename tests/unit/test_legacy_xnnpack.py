"""When tflite-runtime is given a delegate that takes int8."""

import ctypes
from types import SimpleNamespace
from typing import Any

import pytest

from edge import legacy_xnnpack, runtime
from edge.legacy_xnnpack import SIGNED_8_BIT, Int8Delegate, int8_delegate

MODEL = b"\x1c\x00\x00\x00TFL3 and so on"
ADDRESS = 4096


class Function:
    """A C function that keeps what it was called with."""

    def __init__(self, result: int | None) -> None:
        self.result = result
        self.calls: list[Any] = []

    def __call__(self, argument: Any) -> int | None:
        self.calls.append(argument)
        return self.result


def library(address: int | None = ADDRESS) -> Any:
    return SimpleNamespace(TfLiteXNNPackDelegateCreate=Function(address), TfLiteXNNPackDelegateDelete=Function(None))


def installed(monkeypatch: pytest.MonkeyPatch, version: str, found: Any) -> None:
    """Pretend that this version of tflite-runtime is here, with this library."""
    monkeypatch.setattr("importlib.metadata.version", lambda _: version)
    monkeypatch.setattr("importlib.import_module", lambda _: SimpleNamespace(__file__="wrapper.so"))
    monkeypatch.setattr(ctypes, "CDLL", lambda _: found)


def test_a_delegate_takes_signed_8_bit_operators_and_is_given_back_once():
    found = library()
    delegate = Int8Delegate(found, threads=1)
    options = found.TfLiteXNNPackDelegateCreate.calls[0]._obj
    assert (options.flags, options.num_threads) == (SIGNED_8_BIT, 1)
    assert delegate._get_native_delegate_pointer() == ADDRESS
    del delegate
    assert found.TfLiteXNNPackDelegateDelete.calls == [ADDRESS]


def test_the_last_tflite_runtime_is_given_one(monkeypatch: pytest.MonkeyPatch):
    installed(monkeypatch, "2.14.0", library())
    assert int8_delegate("tflite-runtime", 1) is not None


def test_litert_needs_none(monkeypatch: pytest.MonkeyPatch):
    installed(monkeypatch, "2.14.0", library())
    assert int8_delegate("ai-edge-litert", 1) is None


@pytest.mark.parametrize(
    ("version", "found"),
    [("2.13.0", library()), ("2.14.0", SimpleNamespace()), ("2.14.0", library(address=None))],
    ids=["another version", "no XNNPACK in it", "XNNPACK does not work here"],
)
def test_where_none_can_be_made_there_is_none(monkeypatch: pytest.MonkeyPatch, version: str, found: Any):
    installed(monkeypatch, version, found)
    assert int8_delegate("tflite-runtime", 1) is None


class RefusesDelegates:
    """An interpreter whose graph no delegate can take."""

    def __init__(self, model_content: bytes, num_threads: int, experimental_delegates: Any = None) -> None:
        if experimental_delegates:
            raise RuntimeError("the delegate takes static tensors only")

    def allocate_tensors(self) -> None:
        """Nothing to do."""


def test_a_graph_that_the_delegate_refuses_runs_without_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(runtime, "int8_delegate", lambda _distribution, _threads: object())
    monkeypatch.setattr("importlib.metadata.version", lambda _: "1.0")
    monkeypatch.setattr("importlib.import_module", lambda _: SimpleNamespace(Interpreter=RefusesDelegates))
    assert isinstance(runtime.load(MODEL, "model").interpreter, RefusesDelegates)


def test_options_are_as_large_as_in_the_header():
    assert ctypes.sizeof(legacy_xnnpack._Options) == 24
