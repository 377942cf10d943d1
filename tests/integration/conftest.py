"""What the integration tests share. What only a workstation has is imported where it is first needed."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.films import film
from tests.mjpeg_server import MjpegServer, mjpeg_server
from tests.stage import Stage
from tests.uploading import SHORT_FRAMES

if TYPE_CHECKING:
    from convert.verify import Question


@pytest.fixture(scope="session")
def model() -> Any:
    """A small Keras network that knows its classes."""
    from tests.sound_file import solved

    return solved()


@pytest.fixture(scope="session")
def sound(model: Any, tmp_path_factory: pytest.TempPathFactory) -> "Question":
    """A .keras file with its report, the data, and a sound .tflite with its card."""
    from tests.sound_file import made_sound

    return made_sound(tmp_path_factory.mktemp("sound"), model)


@pytest.fixture(scope="session")
def against(sound: "Question") -> Path:
    """The .keras file of the sound .tflite."""
    return sound.model.with_name("model.keras")


@pytest.fixture
def recarded(sound: "Question", tmp_path: Path) -> Callable[..., Path]:
    """The sound file with another card."""
    from tests.sound_file import with_card_of

    return lambda **changes: with_card_of(sound, tmp_path / "recarded.tflite", **changes)


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small table of pictures to train on."""
    from tests.training_fakes import fer_rows, write_fer

    return write_fer(tmp_path_factory.mktemp("data") / "fer.csv", fer_rows(train=170, public=42))


@pytest.fixture(scope="session")
def finished(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an uninterrupted run of the tiny recipe on `data`."""
    from tests.training_runs import TINY
    from training.fit import Run, fit

    out = tmp_path_factory.mktemp("run") / "tiny"
    assert fit(Run(TINY, data, out, cache=None)) is not None
    return out


@pytest.fixture(scope="session")
def short_video(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A film of 30 frames, 1.2 s."""
    return film(tmp_path_factory.mktemp("films") / "short.mp4", SHORT_FRAMES).read_bytes()


@pytest.fixture
def stage() -> Stage:
    """What stands in for the program behind the server."""
    return Stage()


@pytest.fixture(scope="module")
def camera() -> Iterator[MjpegServer]:
    """A network camera."""
    with mjpeg_server() as server:
        yield server


@pytest.fixture(scope="session")
def table() -> Iterator[list[str]]:
    """Rows of what sources failed, printed at the end."""
    from tests.faults import HEADING

    rows: list[str] = []
    yield rows
    print("\n" + "\n".join([HEADING, *rows]))
