"""`emotion-edge run`: watch a source and show it live."""

import argparse
import asyncio
import logging
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from edge import startup
from edge.errors import ConfigError
from edge.output import discard_output

if TYPE_CHECKING:  # what loads NumPy must come after `startup.spare_threads`
    from edge.app import App
    from edge.config import Config, Layer
    from edge.server.tls import Tls


def add_run(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add = parser.add_argument
    add(
        "--source",
        metavar="URI",
        help="auto (default), demo, a file or folder, v4l2:/dev/video0, picamera2, fifo:PATH, push:, a URL",
    )
    add("--rotate", metavar="DEGREES", type=int, help="turn the picture clockwise by 90, 180 or 270 degrees")
    add("--mirror", action="store_true", default=None, help="swap left and right")
    add("--host", help="address to listen on (default 127.0.0.1)")
    add("--port", type=int, help="port to listen on (default 8080; 0: any free one)")
    add("--lan", action="store_true", help="listen on all interfaces, protected by a token made on first use")
    add("--tls", action="store_true", default=None, help="serve https, with a certificate made on first use")
    add("--insecure", action="store_true", default=None, help="allow a public bind without any protection")
    add(
        "--detector",
        metavar="NAME",
        help="auto (default), blazeface-full, blazeface-sparse, blazeface-short, haar, mediapipe",
    )
    add("--model", metavar="PATH", action="append", help="expression model (.tflite); given again: the mean of all")
    add("--flip", action="store_true", default=None, help="average with each face's mirror image, at twice the time")
    add("--config", metavar="FILE", type=Path, help="TOML file with settings")
    add("--events", metavar="FILE", help="write one JSON line per scene with faces")
    add("--duration", metavar="S", type=float, help="end after so many seconds")
    add("--log-level", choices=("debug", "info", "warning", "error"), help="least severity shown")
    add("--log-format", choices=("auto", "text", "json"), help="log for people or for machines")
    parser.set_defaults(command=_run)


def _flags(arguments: argparse.Namespace) -> "Layer":
    given = {
        ("source", "uri"): arguments.source,
        ("source", "rotate"): arguments.rotate,
        ("source", "mirror"): arguments.mirror,
        ("server", "host"): arguments.host,
        ("server", "port"): arguments.port,
        ("server", "insecure"): arguments.insecure,
        ("server", "tls"): arguments.tls,
        ("detector", "name"): arguments.detector,
        ("expression", "model"): arguments.model,
        ("expression", "flip"): arguments.flip,
        ("events", "path"): arguments.events,
        ("log", "level"): arguments.log_level,
        ("log", "format"): arguments.log_format,
    }
    layer: Layer = {}
    for (section, key), value in given.items():
        if value is not None:
            layer.setdefault(section, {})[key] = value
    return layer


def _run(arguments: argparse.Namespace) -> int:
    from edge.deadline import Deadline  # noqa: PLC0415
    from edge.reloading import Reloading  # noqa: PLC0415

    with startup.uncollected():
        config, tls, app = _prepared(arguments)

    def announce(url: str) -> None:
        _announce(url, config, tls)
        app.listening(url)

    deadline = Deadline()
    code = asyncio.run(
        app.supervisor.run(
            app.backstage,
            config.server,
            announce=announce,
            duration_s=arguments.duration,
            tls=tls,
            reload=Reloading(lambda: _configured_anew(arguments), app.settings),
            on_end=deadline.begin,
        )
    )
    from edge.logs import event  # noqa: PLC0415

    event(logging.getLogger("edge"), logging.INFO, "run.ended", "ended", exit=code, **app.summary())
    sys.stderr.flush()
    return code


def _prepared(arguments: argparse.Namespace) -> "tuple[Config, Tls | None, App]":
    """Everything, loaded and built, and not yet started."""
    from edge import logs  # noqa: PLC0415
    from edge.notify import Notifier  # noqa: PLC0415

    if arguments.duration is not None and not arguments.duration > 0:
        raise ConfigError(f"--duration is a number of seconds above 0, found {arguments.duration}")
    config = _configured(arguments)
    logs.setup(config.log.level, config.log.format)
    Notifier().status("starting: the models are loaded, and a camera is looked for if none is named")
    with startup.without_authorities():
        from edge.app import App  # noqa: PLC0415
    from edge.config_check import check_settings  # noqa: PLC0415
    from edge.server.tls import load_tls  # noqa: PLC0415
    from edge.server.token import token_path  # noqa: PLC0415

    check_settings(config)
    tls = load_tls(config.server, token_path().parent)
    return config, tls, App(config)


def _configured(arguments: argparse.Namespace) -> "Config":
    """The settings, from all layers.

    Raises:
        ConfigError: they are wrong, or contradict each other.
    """
    from edge.config_layers import load  # noqa: PLC0415

    config = load(arguments.config, _flags(arguments))
    if arguments.lan:
        if arguments.host is not None:
            raise ConfigError(f"--lan listens on all interfaces, --host on {arguments.host}; give one of them")
        config = _on_lan(config)
    return config


def _configured_anew(arguments: argparse.Namespace) -> "Config":
    """The same while the program runs, for it to take over.

    Raises:
        ConfigError: also if it would not start again with that, as far as `check_config` can tell.
    """
    from edge.config_check import check_config  # noqa: PLC0415

    config = _configured(arguments)
    check_config(config)
    return config


def _on_lan(config: "Config") -> "Config":
    from edge.server.bind import is_loopback  # noqa: PLC0415
    from edge.server.token import load_or_make_token, token_path  # noqa: PLC0415

    token = config.server.token or load_or_make_token(token_path())
    host = "0.0.0.0" if is_loopback(config.server.host) else config.server.host
    return msgspec.structs.replace(config, server=msgspec.structs.replace(config.server, host=host, token=token))


def _announce(url: str, config: "Config", tls: "Tls | None") -> None:
    """Print what to open; log what a headless machine's reader needs to know, without the token."""
    from edge.journal import STDOUT, is_journal  # noqa: PLC0415
    from edge.logs import event  # noqa: PLC0415
    from edge.server.bind import is_loopback  # noqa: PLC0415
    from edge.server.token import lan_urls  # noqa: PLC0415

    port = url.rstrip("/").rpartition(":")[2]
    if is_loopback(config.server.host):
        text = f"Open {url} in a browser on this machine."
        hint = f"from another machine: start with --lan, or ssh -L {port}:127.0.0.1:{port} {socket.gethostname()}"
    else:
        journal = is_journal(STDOUT)  # which others than the owner may read, and which is kept
        token = None if journal else config.server.token
        addresses = lan_urls(config.server.host, int(port), token, "https" if tls else "http")
        text = "\n  ".join(["Open one of these in a browser on your network:", *addresses])
        if journal and config.server.token:
            text += "\nThe page asks for the token, which is not written here."
        hint = "open to the network" + ("" if config.server.token else ", to everybody")
    if tls is not None and tls.self_made:
        text += f"\nThe browser will warn of the certificate. Go on if its SHA-256 is\n  {tls.fingerprint}"
    event(logging.getLogger("edge"), logging.INFO, "server.listening", hint, url=url)
    try:
        print(text, flush=True)
    except BrokenPipeError:
        discard_output()  # nobody reads it, which is no reason to stop
