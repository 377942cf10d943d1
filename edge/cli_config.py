"""`emotion-edge config`: is the configuration right, what does it come to, and what is there to set."""

import argparse
import os
from pathlib import Path

import msgspec


def add_config(parser: argparse.ArgumentParser) -> None:
    """Declare the command's actions."""
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    check = actions.add_parser("check", help="say whether the configuration is right, or what is wrong with it")
    show = actions.add_parser("show", help="show what the program would go by, and where each value comes from")
    for action in (check, show):
        action.add_argument("--config", metavar="FILE", type=Path, help="TOML file with settings")
    show.add_argument("--json", action="store_true", help="print it as JSON")
    check.set_defaults(command=_check)
    show.set_defaults(command=_show)
    reference = actions.add_parser("reference", help="print all settings there are, as Markdown")
    reference.set_defaults(command=_reference)


def _check(arguments: argparse.Namespace) -> int:
    from edge.config_check import check_config  # noqa: PLC0415  # keeps the parser from loading what it does not need
    from edge.config_layers import load  # noqa: PLC0415

    check_config(load(arguments.config), token_given=_token_is_given(arguments.config))
    origins = _origins(arguments.config)
    files = ", ".join(dict.fromkeys(origins.values())) or "there is none, the defaults hold"
    print(f"The configuration is right ({files}); {len(origins)} settings are given.")
    return 0


def _show(arguments: argparse.Namespace) -> int:
    from edge.config_layers import load  # noqa: PLC0415
    from edge.live import LiveSettings  # noqa: PLC0415
    from edge.settings_toml import snapshot  # noqa: PLC0415
    from edge.sources.specs import redacted  # noqa: PLC0415

    config = load(arguments.config)
    if arguments.json:
        print(msgspec.json.format(msgspec.json.encode(LiveSettings(config, redacted).shown(config))).decode())
        return 0
    source = msgspec.structs.replace(config.source, uri=redacted(config.source.uri))
    print("\n".join(snapshot(msgspec.structs.replace(config, source=source), _origins(arguments.config))).rstrip())
    return 0


def _reference(_: argparse.Namespace) -> int:
    from edge.reference import page  # noqa: PLC0415

    print(page(), end="")
    return 0


def _token_is_given(file: Path | None) -> bool:
    """Whether the file is the service's, and the unit hands it a token; who asks here may not be allowed to read it."""
    from edge.config_layers import SYSTEM_FILE, default_file  # noqa: PLC0415
    from edge.named_paths import is_file  # noqa: PLC0415

    path = file or default_file(os.environ)
    if path is None or not is_file(SYSTEM_FILE.with_name("token")):
        return False
    try:
        return path.samefile(SYSTEM_FILE)
    except OSError:
        return False


def _origins(file: Path | None) -> dict[tuple[str, str], str]:
    """Section and key of each setting that is given → who gave it last."""
    from edge.config_layers import layers  # noqa: PLC0415

    return {(section, key): origin for origin, layer in layers(file) for section, keys in layer.items() for key in keys}
