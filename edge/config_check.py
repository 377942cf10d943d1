"""Whether the program starts with its settings: the same is asked at the start, at a reload and by `config check`."""

from pathlib import Path

from edge.config import Config
from edge.errors import ConfigError
from edge.server.bind import check_bind
from edge.sinks.place import check_place


def check_settings(config: Config, *, token_given: bool = False) -> None:
    """Refuse what contradicts itself, and files that are not there: what is cheap to tell before anything is loaded.

    Args:
        config: all settings.
        token_given: somebody else sees to it that there is a token.

    Raises:
        ConfigError: the program would not start, or show the camera to everybody.
    """
    from edge.parts import model_files  # noqa: PLC0415  # with it comes OpenCV
    from edge.server.tls import check_tls_is_on  # noqa: PLC0415

    if not token_given:
        check_bind(config.server)
    check_tls_is_on(config.server)
    for path in model_files(config.expression, stills=_shows_stills(config.source.uri)):
        _check_readable(path)
    if config.events.path:
        check_place(Path(config.events.path))


def check_config(config: Config, *, token_given: bool = False) -> None:
    """The same, and what the program finds out by itself as it starts: source, detector, broker and certificate.

    What takes a camera, a network, a loaded model or a written file is not looked at.

    Args:
        config: all settings.
        token_given: somebody else sees to it that there is a token.

    Raises:
        ConfigError: the program would not start, or show the camera to everybody.
    """
    from edge.parts import detector_file  # noqa: PLC0415
    from edge.server.tls import check_tls  # noqa: PLC0415
    from edge.sources import check  # noqa: PLC0415

    check_settings(config, token_given=token_given)
    check(config.source.uri)
    detector_file(config.detector.name)
    if config.mqtt.host:
        from edge.sinks.mqtt_client import load_paho, tls_context  # noqa: PLC0415  # who has no broker does not need it
        from edge.sinks.mqtt_settings import check_mqtt  # noqa: PLC0415

        check_mqtt(config.mqtt)
        load_paho()
        tls_context(config.mqtt)
    check_tls(config.server)


def _shows_stills(uri: str) -> bool:
    from edge.sources.specs import ImagesSpec  # noqa: PLC0415
    from edge.sources.uri import AUTO, parse  # noqa: PLC0415

    return uri.strip() != AUTO and isinstance(parse(uri), ImagesSpec)


def _check_readable(model: Path) -> None:
    try:
        with model.open("rb"):
            pass
    except OSError as error:
        raise ConfigError(f"cannot read the model {model}: {error.strerror}; check the path") from error
