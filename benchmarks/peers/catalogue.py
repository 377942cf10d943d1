"""Which programs are compared, and how each is started."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers.environments import python_of
from benchmarks.peers.found import COARSE, FILM, OWN
from edge import model_store
from edge.classifier import SHIPPED
from edge.detectors.blazeface import VARIANTS
from edge.errors import ConfigError

PROGRAMS = "benchmarks.peers.programs"
NEAR = VARIANTS["blazeface-short"].file
"""What MediaPipe's own examples detect faces with."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where things lie while it is measured.

    Attributes:
        environments: the folder of all of them.
        film: what is shown.
        folder: for what is made on the way.
    """

    environments: Path
    film: Path
    folder: Path

    @property
    def events(self) -> Path:
        """What the program that runs writes down: JSON lines."""
        return self.folder / "events" / "records.jsonl"


@dataclass(frozen=True, slots=True)
class Peer:
    """A program.

    Attributes:
        name: for people.
        about: what it does, in a line.
        environment: it runs in; the program's own if empty.
        command: from where things lie.
        prepare: commands that make the files it needs, once, not measured.
        watched: whether it has a viewer.
        waits: whether it cannot be at its end before the viewer has seen something.
        every: it has its turn in one of so many rounds.
    """

    name: str
    about: str
    environment: str
    command: Callable[[Place], tuple[str, ...]]
    prepare: Callable[[Place], tuple[tuple[str, ...], ...]] = lambda _: ()
    watched: bool = True
    waits: bool = True
    every: int = 1


def _own(query: str) -> Callable[[Place], tuple[str, ...]]:
    def command(place: Place) -> tuple[str, ...]:
        uri = f"file:{place.film}{query}"
        return sys.executable, "-m", "edge", "run", "--port", "0", "--source", uri, "--events", str(place.events)

    return command


def _batch(place: Place) -> tuple[str, ...]:
    # it writes `records.jsonl` into the folder
    return sys.executable, "-m", "edge", "analyze", str(place.film), "--out", str(place.events.parent)


def _peer(environment: str, program: str, *more: Callable[[Place], str]) -> Callable[[Place], tuple[str, ...]]:
    def command(place: Place) -> tuple[str, ...]:
        python = str(python_of(place.environments.absolute(), environment))
        found = str(place.film), str(place.events)
        return python, "-m", f"{PROGRAMS}.{program}", *found, *(each(place) for each in more)

    return command


def _film_alone(place: Place) -> tuple[str, ...]:
    return sys.executable, "-m", f"{PROGRAMS}.film_alone", str(place.film), str(place.events)


def _network(place: Place) -> str:
    return str(place.folder / "vgg.keras")


def _detector(place: Place) -> str:
    return str(place.folder / "described.tflite")


def _make_network(place: Place) -> tuple[tuple[str, ...], ...]:
    return ((str(python_of(place.environments.absolute(), "tensorflow")), "-m", f"{PROGRAMS}.vgg", _network(place)),)


def _describe_detector(place: Place) -> tuple[tuple[str, ...], ...]:
    file = model_store.find(NEAR)
    if file is None:
        raise ConfigError(f"{NEAR} is not here; run `emotion-edge models fetch`")
    python = str(python_of(place.environments.absolute(), "mediapipe"))
    return ((python, "-m", f"{PROGRAMS}.described_file", str(file), _detector(place)),)


HAAR_STEPS = {"": "1.1", COARSE: "1.3"}
"""By what is added to a loop's name; the first is OpenCV's default, and tutorials have both."""

CATALOGUE = (
    Peer(OWN, "`emotion-edge run`, in real time, as on a camera", "", _own("")),
    Peer(f"{OWN}, as fast as it can", "`emotion-edge run`, `?realtime=0`", "", _own("?realtime=0"), waits=False),
    Peer(f"{OWN} analyze", "`emotion-edge analyze`, no viewer, no picture", "", _batch, watched=False),
    Peer(FILM, "reads, encodes and sends every frame, looks for nothing", "", _film_alone),
    Peer(
        "MediaPipe and our model",
        "MediaPipe Tasks' face detector on every frame, our int8 model on LiteRT",
        "mediapipe",
        _peer("mediapipe", "mediapipe_loop", _detector, lambda _: str(SHIPPED)),
        _describe_detector,
    ),
    *(
        Peer(
            f"tuned loop{coarse}",
            f"Haar (step {step}) at 320 px on every third frame, its result reused, the VGG network traced",
            "tensorflow",
            _peer("tensorflow", "tuned", _network, lambda _, step=step: step),
            _make_network,
        )
        for coarse, step in HAAR_STEPS.items()
    ),
    Peer(
        "fer", "`fer` 25.10 as it comes: Haar and its own TFLite model", "tensorflow", _peer("tensorflow", "fer_loop")
    ),
    *(
        Peer(
            f"tutorial loop{coarse}",
            f"Haar (step {step}) at full size on every frame, `model.predict` of the VGG network",
            "tensorflow",
            _peer("tensorflow", "tutorial", _network, lambda _, step=step: step),
            _make_network,
            every=2 if coarse else 1,
        )
        for coarse, step in HAAR_STEPS.items()
    ),
    Peer(
        "fer with MTCNN",
        "`FER(mtcnn=True)`, as its README advises",
        "fer-mtcnn",
        _peer("fer-mtcnn", "fer_loop", lambda _: "mtcnn"),
        every=3,
    ),
)
