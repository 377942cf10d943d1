"""What settings there are, taken from the model of the configuration, and the page that lists them."""

from typing import Final

import msgspec

from edge.config import ENVIRONMENT_PREFIX, Config
from edge.live import LIVE
from edge.schema import REF, described
from edge.schema_words import allowed
from edge.settings_toml import as_toml

LATER: Final = "ʳ"
"""Marks a setting that needs a restart."""

INTRODUCTION: Final = f"""# Configuration

Every setting, with its default and what it may be. `emotion-edge config reference` prints this page.

Defaults < TOML file < environment < flags: what comes later counts; the service's token, `/etc/emotion-edge/token`,
counts where none of them has `server.token`. The file is `--config FILE`, else `$EMOTION_EDGE_CONFIG`, else
`~/.config/emotion-edge/config.toml`, else `/etc/emotion-edge/config.toml`. It has a section for each heading below:

```toml
[source]
uri = "v4l2:/dev/video0?size=1280x720"

[privacy]
video = "blurred"
```

The environment variable of `detector.interval` is `{ENVIRONMENT_PREFIX}DETECTOR_INTERVAL`, and so on; several models
are joined there as in `$PATH` (`a.tflite:b.tflite`), masks and contracts are JSON (`[[0, 0, 0.3, 1]]`).

An unknown section or key is an error. In the environment only an unknown key of a section is: other variables may be
somebody else's, as Kubernetes sets `{ENVIRONMENT_PREFIX}SERVICE_HOST` where a service is called `emotion-edge`.

```
emotion-edge config check     # is the file right? 0 if so, else 78 and what is wrong
emotion-edge config show      # what the program would go by, and where each value comes from
```

`check` also looks at the files that the settings name, as the user who asks. The service's configuration is for root
and the service's user only: for that, write `sudo` before either.

`{LATER}` marks what needs a restart; the others can be [changed while the program runs](api.md#settings), or by
`systemctl reload emotion-edge` after a change of the file."""


class Setting(msgspec.Struct, frozen=True):
    """One key of a section.

    Attributes:
        section: its section.
        key: its name in there.
        default: as TOML; empty: there is none.
        allowed: what it may be, for people.
        live: whether it may be changed while the program runs.
        about: what it does.
    """

    section: str
    key: str
    default: str
    allowed: str
    live: bool
    about: str


class Group(msgspec.Struct, frozen=True):
    """A section: its name, what it is about, and its settings in the order of the model."""

    name: str
    about: str
    settings: tuple[Setting, ...]


def groups() -> tuple[Group, ...]:
    """All sections."""
    _, found = msgspec.json.schema_components((Config,), ref_template=REF)
    default = Config()
    made = []
    for section in msgspec.structs.fields(Config):
        schema = described(found[section.type.__name__])
        values = getattr(default, section.name)
        settings = tuple(
            Setting(
                section=section.name,
                key=key.name,
                default=as_toml(getattr(values, key.name)),
                allowed=allowed(schema["properties"][key.name], found),
                live=key.name in LIVE.get(section.name, ()),
                about=schema["properties"][key.name].get("description", ""),
            )
            for key in msgspec.structs.fields(section.type)
        )
        made.append(Group(section.name, schema["description"], settings))
    return tuple(made)


def page() -> str:
    """The reference, in Markdown."""
    lines = [INTRODUCTION, ""]
    for group in groups():
        lines += [f"## {group.name}", "", group.about, "", "| key | default | allowed | what it does |"]
        lines += ["| --- | --- | --- | --- |", *map(_row, group.settings), ""]
    return "\n".join(lines)


def _row(setting: Setting) -> str:
    default = f"`{setting.default}`" if setting.default else "none"
    mark = "" if setting.live else LATER
    cells = (f"`{setting.key}`{mark}", default, setting.allowed, setting.about)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
