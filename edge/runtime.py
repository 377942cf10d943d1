"""Which TFLite interpreter to use: the first that can really be constructed.

An import that works proves nothing: tflite-runtime beside numpy 2 imports and then fails in `Interpreter()`.
"""

import importlib
import importlib.metadata
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from edge.errors import PermanentError
from edge.legacy_xnnpack import int8_delegate
from edge.native_log import native_stderr

CANDIDATES = (
    ("ai-edge-litert", "ai_edge_litert.interpreter"),
    ("tflite-runtime", "tflite_runtime.interpreter"),
)
"""Distribution and module, best first."""

_with_xnnpack: set[str] = set()
"""Runtimes that said so: they do it once a process, for the first model only."""


class Interpreter(Protocol):
    """The part of `tf.lite.Interpreter` that we use; both runtimes have it."""

    def allocate_tensors(self) -> None: ...
    def get_input_details(self) -> list[dict[str, Any]]: ...
    def get_output_details(self) -> list[dict[str, Any]]: ...
    def tensor(self, tensor_index: int) -> Any: ...
    def set_tensor(self, tensor_index: int, value: Any) -> None: ...
    def get_tensor(self, tensor_index: int) -> Any: ...
    def invoke(self) -> None: ...


@dataclass(frozen=True, slots=True, eq=False)
class Loaded:
    """A model ready to be invoked.

    Attributes:
        interpreter: with its tensors allocated.
        runtime: name and version, "ai-edge-litert 2.3.0".
        xnnpack: whether the runtime said that it uses XNNPACK; int8 without it is several times slower.
        rejected: why each better runtime was not taken.
    """

    interpreter: Interpreter
    runtime: str
    xnnpack: bool
    rejected: tuple[str, ...]


def load(content: bytes, name: str, threads: int = 1) -> Loaded:
    """Construct an interpreter for a model.

    Args:
        content: the whole .tflite file; what is appended behind it does no harm.
        name: for messages.
        threads: of the interpreter; one is best for small models on a busy board.

    Raises:
        PermanentError: this is no TFLite model, or no runtime can run it.
    """
    if content[4:8] != b"TFL3":
        raise PermanentError(
            f"{name} is not a TFLite model: found {content[:8]!r} at its start, expected 'TFL3' at byte 4; "
            "give a .tflite file, such as `python -m convert quantize` writes"
        )
    rejected: list[str] = []
    for distribution, module_name in CANDIDATES:
        try:
            with native_stderr() as lines:
                module = importlib.import_module(module_name)
                interpreter = _construct(module, distribution, content, threads)
        except (ImportError, SystemError, ValueError, RuntimeError, AttributeError, TypeError) as error:
            rejected.append(f"{distribution}: {type(error).__name__}: {_first_line(error)}")
        else:
            version = importlib.metadata.version(distribution)
            if any("XNNPACK delegate" in line for line in lines):
                _with_xnnpack.add(distribution)
            return Loaded(interpreter, f"{distribution} {version}", distribution in _with_xnnpack, tuple(rejected))
    reasons = "; ".join(rejected)
    if "custom op" in reasons or "Select TensorFlow op" in reasons:
        advice = "Convert it with TFLite's built-in operators only"
    else:
        advice = "If another model runs, this file is broken or truncated; if none does, `pip install ai-edge-litert`"
    raise PermanentError(f"no TFLite runtime can run {name} ({len(content)} bytes): {reasons}. {advice}")


def _construct(module: Any, distribution: str, content: bytes, threads: int) -> Interpreter:
    """An interpreter with its tensors allocated, on XNNPACK wherever that can be had."""
    delegate = int8_delegate(distribution, threads)
    interpreter: Interpreter
    if delegate is not None:
        # a graph that the delegate refuses may still run without it
        with suppress(RuntimeError, ValueError):
            interpreter = module.Interpreter(
                model_content=content, num_threads=threads, experimental_delegates=[delegate]
            )
            interpreter.allocate_tensors()
            return interpreter
    interpreter = module.Interpreter(model_content=content, num_threads=threads)
    interpreter.allocate_tensors()
    return interpreter


def _first_line(error: BaseException) -> str:
    text = str(error).strip().splitlines()
    return text[0][:200] if text else "no message"
