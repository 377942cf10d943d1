from collections.abc import Callable, Iterator

import pytest

from edge.errors import ConfigError, TemporaryError
from edge.sources.choosing import choose


def only(*working: str) -> Callable[[str], None]:
    def probe(uri: str) -> None:
        if uri not in working:
            raise TemporaryError(f"{uri} is dark; lift the lid")

    return probe


def no_library() -> tuple[int, ...]:
    raise ConfigError("picamera2 cannot be imported (no module); install it")


def nodes(*uris: str) -> Callable[[], Iterator[str]]:
    return lambda: iter(uris)


def test_a_pi_camera_comes_first() -> None:
    choice = choose(probe=only("picamera2:0", "v4l2:/dev/video0"), pi_cameras=lambda: (0,), candidates=nodes())
    assert choice.uri == "picamera2:0"
    assert choice.caption == "auto: picamera2:0, the first camera that answers"


def test_then_the_first_camera_that_delivers() -> None:
    choice = choose(
        probe=only("v4l2:/dev/video2", "v4l2:/dev/video3"),
        pi_cameras=no_library,
        candidates=nodes("v4l2:/dev/video0", "v4l2:/dev/video2", "v4l2:/dev/video3"),
    )
    assert choice.uri == "v4l2:/dev/video2"
    assert choice.reason == (
        "v4l2:/dev/video2 is the first camera that delivers a picture, after others were ruled out: "
        "picamera2 cannot be imported (no module); v4l2:/dev/video0 is dark; lift the lid."
    )


def test_the_demo_comes_last_and_says_why() -> None:
    choice = choose(probe=only(), pi_cameras=lambda: (0,), candidates=nodes("v4l2:/dev/video0"))
    assert choice.uri == "demo"
    assert "picamera2:0 is dark" in choice.reason
    assert "/dev/video0 is dark" in choice.reason


def test_a_machine_without_any_camera_gets_the_demo() -> None:
    choice = choose(probe=only(), pi_cameras=lambda: (), candidates=nodes())
    assert choice.uri == "demo"
    assert "no camera on a ribbon cable" in choice.reason
    assert "no /dev/video*" in choice.reason
    assert choice.caption == "auto: demo, no camera answers"


def test_what_was_asked_for_is_taken_without_trying() -> None:
    def never(_: str) -> None:
        pytest.fail("opened a source that nobody asked to try")

    choice = choose("demo:?faces=1", probe=never)
    assert (choice.uri, choice.caption) == ("demo:?faces=1", "")
    with pytest.raises(ConfigError):
        choose("demo:?faces=99", probe=never)
