"""`python -m benchmarks.peers.programs.invoker MODULE FILE…`: invokes models on one runtime, when it is told to.

Prints "ready" when all are loaded. For each line "INDEX COUNT" on its standard input it invokes that model so many
times, after a few more to warm up, and prints the median in microseconds.
"""

import importlib
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np

WARM_UP = 20


def serve(module: str, files: list[str]) -> None:
    """Answer until the input ends."""
    runtime = importlib.import_module(module)
    make = runtime.lite.Interpreter if module == "tensorflow" else runtime.Interpreter
    interpreters = []
    for file in files:
        interpreter = make(model_path=file, num_threads=1)
        interpreter.allocate_tensors()
        taken = interpreter.get_input_details()[0]
        chip = np.random.default_rng(1).integers(0, 127, taken["shape"]).astype(taken["dtype"])
        interpreter.set_tensor(taken["index"], chip)
        interpreters.append(interpreter)
    print("ready", flush=True)
    for line in sys.stdin:
        index, count = map(int, line.split())
        print(_median_us(interpreters[index].invoke, count), flush=True)


def _median_us(invoke: Callable[[], None], count: int) -> float:
    for _ in range(WARM_UP):
        invoke()
    spent = []
    for _ in range(count):
        start = time.perf_counter_ns()
        invoke()
        spent.append(time.perf_counter_ns() - start)
    return statistics.median(spent) / 1e3


if __name__ == "__main__":
    serve(sys.argv[1], sys.argv[2:])
