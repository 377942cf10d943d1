"""One side of the gate: a process that measures frames with the `edge` of one tree.

It is run as a file, with that tree first on its path, and imports nothing of `benchmarks`. It is told in JSON, a line
each, which frames to measure, and answers with a line: for each stage a list of what it took on each frame in
nanoseconds of the process's processor time, null where it did not run. At the end of its input it ends.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

WHOLE = "whole frame"
WALL_NS = time.perf_counter_ns
SPENT_NS = time.process_time_ns


def main() -> None:
    """Argument: JSON with the tree, the clips (name and folder), and what to slow down by which share."""
    task = json.loads(sys.argv[1])
    # what a library prints must not come between the answers
    answers = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)
    # time that others take is not counted; what is measured asks this clock by its name
    time.perf_counter_ns = SPENT_NS
    import edge  # noqa: PLC0415

    tree = Path(task["tree"]).resolve()
    if tree not in Path(edge.__file__ or "").resolve().parents:
        sys.exit(f"edge was imported from {edge.__file__}; expected one below {tree}")
    if task["slow"]:
        _slow(task["slow"], task["share"])
    benches = _benches(task["clips"])
    if task["slow"] == "start":
        spent_ns = SPENT_NS()
        while SPENT_NS() < (1 + task["share"]) * spent_ns:
            pass
    print(json.dumps({"start": [SPENT_NS()]}), file=answers, flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        frames = range(asked["first"], asked["first"] + asked["frames"])
        spent = [benches[asked["clip"]].whole(index) for index in frames]
        print(json.dumps(_by_stage(spent)), file=answers, flush=True)


def _slow(stage: str, share: float) -> None:
    # last, so that nothing beside this file takes the place of a module of the standard library
    sys.path.append(str(Path(__file__).parent))
    from slow import slow  # noqa: PLC0415

    try:
        slow(stage, share, WALL_NS)
    except (ImportError, LookupError) as error:
        sys.exit(f"{stage} cannot be slowed down: {error}")


def _benches(clips: list[dict[str, str]]) -> list[Any]:
    """All parts of the runtime, once for each clip."""
    try:
        from edge.bench.clip import Clip  # noqa: PLC0415
        from edge.bench.whole import Bench  # noqa: PLC0415
    except ImportError as error:
        sys.exit(f"it cannot be measured: {error}; expected edge.bench.clip.Clip and edge.bench.whole.Bench")
    missing = [name for name in ("whole",) if not hasattr(Bench, name)]
    if missing:
        sys.exit(f"it cannot be measured: edge.bench.whole.Bench has no {', '.join(missing)}")
    made = []
    for clip in clips:
        files = sorted(Path(clip["folder"]).glob("*.jpg"))
        try:
            made.append(Bench(Clip(clip["name"], tuple(file.read_bytes() for file in files))))
        except TypeError as error:
            sys.exit(f"it cannot be measured: {error}; expected Clip(name, jpegs) and Bench(clip)")
    return made


def _by_stage(spent: list[Any]) -> dict[str, list[int | None]]:
    """Each stage's figures on all frames."""
    names = dict.fromkeys(name for each in spent for name in each.stages_ns)
    return {name: [each.stages_ns.get(name) for each in spent] for name in names} | {
        WHOLE: [each.total_ns for each in spent]
    }


if __name__ == "__main__":
    main()
