"""What the checks look at, and for whom: plain data, so that it can be handed to another process or made up."""

import shlex
from pathlib import Path
from typing import Final

import msgspec

from edge.doctor.codes import TABLE
from edge.doctor.findings import Finding
from edge.doctor.names import in_utf8
from edge.server.settings import ServerSettings
from edge.sinks.mqtt_settings import MqttSettings

SERVICE_HOME: Final = "/opt/emotion-edge"
SERVICE_PROGRAM: Final = f"{SERVICE_HOME}/venv/bin/emotion-edge"
SERVICE_CONFIG: Final = "/etc/emotion-edge/config.toml"
HIDDEN: Final = "********"
"""In place of a secret, as only that there is one matters."""
_TYPED: Final = frozenset(("path", "user", "group"))
"""Slots that hold names, which a shell would take apart."""
_WITHOUT_PICTURES: Final = ("waiting for the camera", "stalled", "reconnecting", "failed")
"""How the service's line for `systemctl status` begins while there are none, and nobody wants it so."""


class Interpreter(msgspec.Struct, frozen=True):
    """The Python that runs, and its environment.

    Attributes:
        version: major, minor, micro.
        bits: of a pointer.
        machine: as the kernel names it: `x86_64`, `aarch64`, `armv7l` …
        executable: path of it.
        prefix: folder of the environment.
        base_prefix: of the Python it was made from; the same where there is no environment.
        path: where modules are looked for.
        writable: whether this user may install packages into it.
        program: how this program is called from it, as a shell takes it.
    """

    version: tuple[int, int, int] = (3, 11, 0)
    bits: int = 64
    machine: str = "x86_64"
    executable: str = "/usr/bin/python3"
    prefix: str = "/usr"
    base_prefix: str = "/usr"
    path: tuple[str, ...] = ()
    writable: bool = True
    program: str = "emotion-edge"


class User(msgspec.Struct, frozen=True):
    """Whose permissions count.

    Attributes:
        name: of the user, or the number where it has none.
        uid: 0 is root.
        groups: those of this process; what /etc/group has beyond them counts after the next login.
    """

    name: str = "root"
    uid: int = 0
    groups: tuple[str, ...] = ()


class Settings(msgspec.Struct, frozen=True):
    """What the checks need of the configuration. Defaults stand for one that cannot be read.

    Attributes:
        file: it was read from; empty: none.
        problem: why it is refused; empty: it is not.
        refused: code of that.
        secret: whether the file holds a token or a password.
        source: URI, which may hold a password.
        camera: whether that is a camera of this machine.
        server: with `HIDDEN` for a token.
        mqtt: with `HIDDEN` for a password.
        events: path of the event log; empty: none.
        events_mb: what it may take in all.
        uploads: folder for uploaded files; empty: they are off.
        max_temperature_c: 0: no limit.
        sysfs: where /sys is.
    """

    file: str = ""
    problem: str = ""
    refused: str = ""
    secret: bool = False
    source: str = "auto"
    camera: bool = True
    server: ServerSettings = ServerSettings()
    mqtt: MqttSettings = MqttSettings()
    events: str = ""
    events_mb: float = 0.0
    uploads: str = ""
    max_temperature_c: float = 80.0
    sysfs: str = "/sys"


class Unit(msgspec.Struct, frozen=True):
    """The systemd service, as far as anybody may know it.

    Attributes:
        systemd: whether one runs.
        path: of the unit file; empty: it is not installed.
        load: `loaded`, `masked`, `bad-setting` … of the unit file, as systemd has read it.
        program: what it starts.
        user: who it runs as.
        groups: it gives that user besides.
        credentials: name and path of each.
        drop_ins: paths.
        enabled: `enabled`, `disabled`, …
        active: `active`, `inactive`, `failed`, `activating` …
        sub: `running`, `auto-restart` …
        result: of its last end: `success`, `exit-code`, `watchdog` …
        status: exit status of its last end.
        pid: of the running program; 0: none.
        restarts: how often it was started anew by itself.
        starts: that systemd allows before it gives up; 0: any number, or unknown.
        stale: whether systemd goes by an older unit file.
        says: its line for `systemctl status`.
        young: whether it has run for seconds only, in which a camera is opened.
    """

    systemd: bool = False
    path: str = ""
    load: str = ""
    program: str = SERVICE_PROGRAM
    user: str = "emotion-edge"
    groups: tuple[str, ...] = ()
    credentials: tuple[tuple[str, str], ...] = ()
    drop_ins: tuple[str, ...] = ()
    enabled: str = ""
    active: str = ""
    sub: str = ""
    result: str = ""
    status: int = 0
    pid: int = 0
    restarts: int = 0
    starts: int = 0
    stale: bool = False
    says: str = ""
    young: bool = False

    @property
    def given_up(self) -> bool:
        """Whether systemd starts it no more because it has done so too often; its result is that of the last end."""
        often = self.starts > 0 and self.restarts + 1 >= self.starts
        return self.active == "failed" and (often or self.result == "start-limit-hit")

    @property
    def running(self) -> bool:
        """Whether it runs, and may have camera and port."""
        return self.active in ("active", "activating", "reloading") and self.pid > 0

    @property
    def without_pictures(self) -> bool:
        """Whether it runs and says that it gets none."""
        return self.running and self.says.startswith(_WITHOUT_PICTURES)

    @property
    def packaged(self) -> bool:
        """Whether a package has brought it: its unit lies where only packages put one."""
        return self.path.startswith(("/lib/", "/usr/lib/"))


class World(msgspec.Struct, frozen=True):
    """Everything a check is told.

    Attributes:
        root: where /proc, /sys, /etc, /dev and /usr are.
        config: file given with --config; empty: none.
        state: folder of this user's token and certificate.
        folder: that relative paths of the settings are meant from; empty: any.
        python: see there, as the others.
    """

    root: str = "/"
    config: str = ""
    state: str = ""
    folder: str = ""
    user: User = User()
    python: Interpreter = Interpreter()
    settings: Settings = Settings()
    unit: Unit = Unit()

    def path(self, absolute: str) -> Path:
        """Where that path of the machine is found."""
        return Path(self.root, absolute.lstrip("/"))

    def text(self, absolute: str) -> str:
        """What that file holds, without white space around it; empty where there is none to read."""
        try:
            return self.path(absolute).read_text(encoding="utf-8", errors="replace").strip("\0\n\t ")
        except OSError:
            return ""

    @property
    def board(self) -> str:
        """Name of a Raspberry Pi or its like; empty elsewhere."""
        return self.text("/proc/device-tree/model")

    @property
    def for_service(self) -> bool:
        """Whether this user is the one that an installed service runs as."""
        return bool(self.unit.path) and self.user.name == self.unit.user

    @property
    def in_service(self) -> bool:
        """Whether this Python is of the service's environment."""
        own = self.path(str(Path(self.unit.program).parent.parent))
        return bool(self.unit.path) and own.resolve() == Path(self.python.prefix).resolve()

    @property
    def of_service(self) -> bool:
        """Whether the settings are those of an installed service."""
        return bool(self.unit.path) and (self.for_service or self.settings.file == SERVICE_CONFIG)

    def finding(self, code: str, found: str, **slots: str) -> Finding:
        """A finding, with what is to be typed as it has to be typed here.

        Args:
            code: one of the table.
            found: here and now, without any secret.
            **slots: what the table's texts leave open.
        """
        entry = TABLE[code]
        known = {name: in_utf8(text) for name, text in {**self._slots(), **slots}.items()}
        typed = {name: shlex.quote(text) if name in _TYPED else text for name, text in known.items()}
        expected, fix = (text.format(**known) for text in (entry.expected, entry.fix))
        command = entry.command.format(**typed)
        if "{as_service}" in entry.command and not self.unit.path:
            command = ""
        if " -m pip " in command and self.unit.packaged and self.python.prefix.startswith(SERVICE_HOME):
            command = self._reinstall()  # a package's environment has no pip
        if self.user.uid == 0:
            command = command.replace("sudo ", "")  # which minimal systems do not have
        return Finding(code, entry.severity, entry.area, entry.title, in_utf8(found), expected, fix, command)

    def _slots(self) -> dict[str, str]:
        sudo = "" if self.python.writable else "sudo "
        user = shlex.quote(self.unit.user)
        switch = f"runuser -u {user} --" if self.user.uid == 0 else f"sudo -u {user}"
        return {
            "python": sudo + shlex.quote(self.python.executable),
            "program": self.python.program,
            "fetch": f"{sudo}{self.python.program} models fetch",
            "remake": self._reinstall() if self.python.prefix.startswith(SERVICE_HOME) else "make clean setup",
            "reinstall": self._reinstall(),
            "user": self.user.name,
            "as_service": f"{switch} {shlex.quote(self.unit.program)}",
        }

    def _reinstall(self) -> str:
        """What makes the service's environment anew."""
        if self.unit.packaged:
            return "sudo apt-get install --reinstall ./emotion-edge_*.deb"
        return "sudo sh deploy/install.sh"
