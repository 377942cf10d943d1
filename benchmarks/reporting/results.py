"""The figures that are kept in this checkout: which there can be, and how they are read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import Any, Final

import msgspec

from benchmarks.device import page as device_page
from benchmarks.gate import page as gate_page
from benchmarks.gate.found import Compared, Proof
from benchmarks.models import accuracy_speed_page
from benchmarks.models.speeds import Survey
from benchmarks.peers import peers_page
from benchmarks.peers.found import Peers
from benchmarks.soak import page as soak_page
from benchmarks.soak.found import Soak
from benchmarks.streaming import viewers_page
from benchmarks.streaming.crowds import Crowds
from edge.bench.figures import Figures
from edge.errors import ConfigError
from edge.machine import Machine
from training.reporting.document import Section

RESULTS = Path(__file__).parents[1] / "results"


@dataclass(frozen=True, slots=True)
class Part:
    """One of the benchmarks whose figures are kept.

    Attributes:
        kind: of its figures.
        sections: of the report.
        command: that measures it.
        machine: that it was measured on.
    """

    kind: type[msgspec.Struct]
    sections: Callable[[Any], tuple[Section, ...]]
    command: str
    machine: Callable[[Any], Machine] = attrgetter("machine")


def _compared(found: Compared) -> tuple[Section, ...]:
    return (Section("Against the last time", *(section.blocks for section in gate_page.document(found).sections)),)


def _proving(found: Proof) -> Machine:
    return found.runs[0].machine


PARTS: Final[Mapping[str, Part]] = {
    "device": Part(Figures, device_page.sections, "emotion-edge bench --json FILE", attrgetter("whole.machine")),
    "peers": Part(Peers, peers_page.sections, "python -m benchmarks.peers"),
    "streaming": Part(Crowds, viewers_page.sections, "python -m benchmarks.streaming.viewers"),
    "accuracy_speed": Part(Survey, accuracy_speed_page.sections, "python -m benchmarks.models.accuracy_speed"),
    "compare": Part(Compared, _compared, "make bench-compare REV=…"),
    "gate": Part(Proof, gate_page.sections, "python -m benchmarks.gate.proof", _proving),
    "soak": Part(Soak, soak_page.sections, "make soak", attrgetter("start.machine")),
    "soak_small": Part(Soak, soak_page.sections, "make soak ARGS=--small", attrgetter("start.machine")),
}
"""By the name of the file, in the order of the report."""

Results = Mapping[str, Any]
"""Figures by their part's name, in the order of the parts; only those that there are."""


def read(folder: Path = RESULTS) -> Results:
    """All that there are.

    Raises:
        ConfigError: a file is none of these, or not what it should be.
    """
    files = {path.stem: path for path in sorted(folder.glob("*.json"))}
    if unknown := sorted(files.keys() - PARTS.keys()):
        raise ConfigError(f"{folder} has {', '.join(unknown)}; expected figures of {', '.join(PARTS)}")
    return {name: decoded(files[name], part.kind) for name, part in PARTS.items() if name in files}


def decoded(path: Path, kind: type[msgspec.Struct]) -> msgspec.Struct:
    """The figures in a file.

    Raises:
        ConfigError: they are not there, or of another kind.
    """
    try:
        found: msgspec.Struct = msgspec.json.decode(path.read_bytes(), type=kind)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from error
    except msgspec.MsgspecError as error:
        raise ConfigError(
            f"{path}: not figures as this version measures them ({error}); measure anew, and put the JSON there"
        ) from error
    return found
