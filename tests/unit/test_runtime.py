"""Which TFLite interpreter is taken, and what is said of the others."""

import sys
from types import ModuleType
from typing import Any

import pytest

from edge import runtime
from edge.errors import PermanentError

MODEL = b"\x1c\x00\x00\x00TFL3 and so on"


class Works:
    """An interpreter that can be constructed."""

    def __init__(self, model_content: bytes, num_threads: int) -> None:
        self.model_content = model_content
        self.num_threads = num_threads

    def allocate_tensors(self) -> None:
        """Nothing to do."""


class Fails:
    """An interpreter as tflite-runtime's beside numpy 2: it imports, and that is all."""

    def __init__(self, **_: Any) -> None:
        raise SystemError("numpy.core.multiarray failed to import\nand a second line")


def installed(monkeypatch: pytest.MonkeyPatch, **interpreters: type | None) -> None:
    """Pretend that these packages hold these interpreters; None: not installed."""
    for package, interpreter in interpreters.items():
        module = None
        if interpreter is not None:
            module = ModuleType(f"{package}.interpreter")
            module.Interpreter = interpreter  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, f"{package}.interpreter", module)
    monkeypatch.setattr("importlib.metadata.version", lambda _: "1.0")


def test_litert_is_taken_where_it_can_be_constructed(monkeypatch: pytest.MonkeyPatch):
    installed(monkeypatch, ai_edge_litert=Works, tflite_runtime=Works)
    loaded = runtime.load(MODEL, "model", threads=2)
    assert (loaded.runtime, loaded.rejected) == ("ai-edge-litert 1.0", ())
    assert loaded.interpreter.num_threads == 2  # type: ignore[attr-defined]


def test_one_that_imports_but_cannot_be_constructed_is_passed_over_with_its_reason(monkeypatch: pytest.MonkeyPatch):
    installed(monkeypatch, ai_edge_litert=Fails, tflite_runtime=Works)
    loaded = runtime.load(MODEL, "model")
    assert loaded.runtime == "tflite-runtime 1.0"
    assert loaded.rejected == ("ai-edge-litert: SystemError: numpy.core.multiarray failed to import",)


def test_where_none_works_every_reason_is_told(monkeypatch: pytest.MonkeyPatch):
    installed(monkeypatch, ai_edge_litert=None, tflite_runtime=Fails)
    with pytest.raises(PermanentError, match=r"ai-edge-litert: ModuleNotFoundError.*tflite-runtime: SystemError"):
        runtime.load(MODEL, "model")


def test_what_is_no_tflite_file_is_not_even_tried(monkeypatch: pytest.MonkeyPatch):
    installed(monkeypatch, ai_edge_litert=Fails, tflite_runtime=Fails)
    with pytest.raises(PermanentError, match="is not a TFLite model: found b'GIF89a'"):
        runtime.load(b"GIF89a", "picture.gif")
