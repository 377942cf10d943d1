"""How long one chip takes on each TFLite runtime: each in its own process and environment, all in turn."""

import importlib.metadata
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import msgspec

from benchmarks.peers.environments import Made
from benchmarks.peers.running import ROOT
from edge.errors import PermanentError

INVOKER = "benchmarks.peers.programs.invoker"


class Runtime(NamedTuple):
    """A TFLite interpreter for Python.

    Attributes:
        name: for people.
        environment: it is in; the program's own if empty.
        module: to import.
        distribution: whose version counts.
    """

    name: str
    environment: str
    module: str
    distribution: str

    def title(self, made: Made | None) -> str:
        """With its version.

        Args:
            made: its environment; None: the program's own.
        """
        if made is None:
            return f"{self.name} {importlib.metadata.version(self.distribution)}"
        versions = dict(package.split("==", 1) for package in made.packages if "==" in package)
        return f"{self.name} {versions.get(self.distribution, '')}".rstrip()


RUNTIMES = (
    Runtime("LiteRT", "", "ai_edge_litert.interpreter", "ai-edge-litert"),
    Runtime("tf.lite", "tensorflow", "tensorflow", "tensorflow"),
    Runtime("tflite-runtime", "tflite-runtime", "tflite_runtime.interpreter", "tflite-runtime"),
)


class Invoked(msgspec.Struct, frozen=True):
    """One model on one runtime.

    Attributes:
        runtime: its name and version.
        model: `int8` or `float32`.
        us: microseconds of a call, the median of each turn.
    """

    runtime: str
    model: str
    us: tuple[float, ...]


def float32_model(folder: Path) -> Path:
    """Make the float32 sibling of the shipped model.

    Raises:
        PermanentError: TensorFlow is not in the program's environment, or cannot convert.
    """
    path = folder / "float32.tflite"
    command = [sys.executable, "-m", "benchmarks.peers.programs.float32", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        raise PermanentError(f"the float32 model cannot be made: {lines[-1] if lines else done.returncode}")
    return path


def take_turns(
    runtimes: Mapping[str, Sequence[str]], models: Mapping[str, Path], *, turns: int, count: int
) -> tuple[Invoked, ...]:
    """Time every model on every runtime.

    Args:
        runtimes: name and version → command up to the models.
        models: name → file.
        turns: of each pair.
        count: calls in a turn.

    Raises:
        PermanentError: a runtime cannot load the models, or ended.
    """
    spent: dict[tuple[str, str], list[float]] = {(runtime, model): [] for runtime in runtimes for model in models}
    with ExitStack() as stack:
        started = {name: stack.enter_context(_started(command, models)) for name, command in runtimes.items()}
        for name, process in started.items():
            if _line(process) != "ready":
                raise PermanentError(f"{name} cannot load the models {', '.join(map(str, models.values()))}")
        for _ in range(turns):
            for index, model in enumerate(models):
                for name, process in started.items():
                    spent[name, model].append(_asked(name, process, index, count))
        for process in started.values():
            if process.stdin:
                process.stdin.close()
    return tuple(Invoked(name, model, tuple(round(us, 2) for us in each)) for (name, model), each in spent.items())


def invoker(python: str, runtime: Runtime) -> tuple[str, ...]:
    """The command up to the models."""
    return python, "-m", INVOKER, runtime.module


def _started(command: Sequence[str], models: Mapping[str, Path]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*command, *map(str, models.values())],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=ROOT,
    )


def _line(process: subprocess.Popen[str]) -> str:
    return process.stdout.readline().strip() if process.stdout else ""


def _asked(name: str, process: subprocess.Popen[str], index: int, count: int) -> float:
    if process.stdin:
        process.stdin.write(f"{index} {count}\n")
        process.stdin.flush()
    answer = _line(process)
    if not answer:
        raise PermanentError(f"{name} ended while it was measured")
    return float(answer)
