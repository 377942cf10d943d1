"""The systemd service: whether it is installed, runs, and if not, why."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from edge.doctor import apt_packages, modes
from edge.doctor.findings import Finding
from edge.doctor.systemd import DROP_IN, read_unit
from edge.doctor.world import World
from edge.errors import EXIT_CONFIG
from edge.named_paths import SERVICE_FOLDER

_NO_CREDENTIALS: Final = 243
_NO_PROGRAM: Final = 203
"""Of systemd.exec(5)."""
_RESULTS: Final = {
    "watchdog": "service-hung",
    "oom-kill": "service-out-of-memory",
}
_MISREAD: Final = ("bad-setting", "error")
"""What systemd says of a unit file that it can do nothing with."""
_NOT_THERE: Final = ("service-program-missing", "service-credentials-missing")
_STATUSES: Final = {
    EXIT_CONFIG: "service-refused-configuration",
    _NO_CREDENTIALS: "service-credentials-missing",
    _NO_PROGRAM: "service-program-missing",
}


def learn(world: World) -> World:
    """The world with what anybody may know of the service; as the service sees it for the service itself."""
    world = replace(world, unit=read_unit(world))
    if world.for_service and world.in_service:
        home = str(world.path(SERVICE_FOLDER))
        return replace(world, folder=home, state=home)
    return world


def check(world: World) -> Iterator[Finding]:
    """What is installed first, then how it fares."""
    unit = world.unit
    if not unit.path:
        code = "service-not-installed" if unit.systemd else "no-systemd"
        yield world.finding(code, "there is no emotion-edge.service" if unit.systemd else "systemd does not run")
        return
    wrong = tuple(_files(world))
    yield from wrong
    # it has failed of what is missing, if it has
    if not any(finding.code in _NOT_THERE for finding in wrong) or unit.running:
        yield from _state(world)
    yield from _other(world)


def _files(world: World) -> Iterator[Finding]:
    """Those without which it cannot start, and those with its secrets."""
    unit = world.unit
    if not _seen(world.path(unit.program)):
        yield world.finding("service-program-missing", f"{unit.path} starts {unit.program}", path=unit.program)
    for name, path in unit.credentials:
        if not _seen(world.path(path)):
            if unit.running or not _asked_for(world, name):
                continue
            found = f"{unit.path} loads the credential {name} from {path}"
            yield world.finding("service-credentials-missing", found, path=path)
        elif modes.mode(world.path(path)) & modes.OTHERS:
            yield world.finding("token-open-to-others", modes.told(world.path(path)), path=path)


def _asked_for(world: World, name: str) -> bool:
    """Whether the program wants that credential: what the configuration has itself is not looked up."""
    settings = world.settings
    if not world.of_service or settings.refused:
        return True
    match name:
        case "token":
            return not settings.server.token
        case "mqtt-password":
            return bool(settings.mqtt.host) and not settings.mqtt.password
        case _:
            return True


def _state(world: World) -> Iterator[Finding]:
    """How it fares."""
    unit = world.unit
    if not unit.systemd:
        yield world.finding("no-systemd", f"{unit.path} is installed, and systemctl does not answer")
        return
    startable = True
    if unit.load == "masked":
        startable = False
        yield world.finding("service-masked", f"{unit.path} is masked, and {unit.active or 'not known to run'}")
    elif unit.load in _MISREAD:
        startable = False
        yield world.finding("service-unit-invalid", f"systemd says {unit.load} of {unit.path}")
    if startable or unit.active != "inactive":
        yield from _run(world)
    if startable and unit.enabled not in ("enabled", "enabled-runtime", "static", "alias", ""):
        yield world.finding("service-not-enabled", unit.enabled)
    if unit.stale:
        yield world.finding("service-needs-reload", f"{unit.path} is newer than what systemd has read")
    if apt_packages.has_picamera2(world) and not any(Path(path).name == DROP_IN for path in unit.drop_ins):
        path = f"/etc/systemd/system/emotion-edge.service.d/{DROP_IN}"
        yield world.finding("service-drop-in-missing", f"no {DROP_IN} among the unit's drop-ins", path=path)


def _run(world: World) -> Iterator[Finding]:
    """How its last run ended, or fares."""
    unit = world.unit
    last = f"result {unit.result}, exit status {unit.status}, {unit.restarts} restarts"
    if unit.active == "failed":
        own = _RESULTS.get(unit.result) or _STATUSES.get(unit.status) or "service-failed"
        code = "service-start-limit" if unit.given_up else own
        # the first one is most often the token; a file that is there is not written over
        credential = next((path for _, path in unit.credentials), "/etc/emotion-edge/token")
        path = unit.program if unit.status == _NO_PROGRAM else credential
        yield world.finding(code, f"failed: {last}", path=path)
    elif unit.sub.startswith("auto-restart"):
        yield world.finding("service-restarting", f"waits to be started anew: {last}")
    elif unit.active == "inactive":
        yield world.finding("service-stopped", "inactive")
    elif unit.active == "deactivating":
        yield world.finding("service-stopped", "stopping")
    elif unit.running:
        starting = " is starting" if unit.sub == "start" else ""
        often = "once" if unit.restarts == 1 else f"{unit.restarts} times"
        restarts = f", restarted {often}" if unit.restarts else ""
        words = f"process {unit.pid}{starting}" + (f": {unit.says}" if unit.says else "") + restarts
        silent = unit.without_pictures and not unit.young
        yield world.finding("service-without-pictures" if silent else "service-ok", words)


def _other(world: World) -> Iterator[Finding]:
    """Whom the rest of the report does not speak for."""
    unit, prefix = world.unit, world.python.prefix
    if world.for_service and world.in_service:
        return
    own = Path(unit.program).parent.parent
    found = f"this is {world.user.name} in {prefix}; the service runs as {unit.user} in {own}"
    yield world.finding("not-the-service", found)


def _seen(path: Path) -> bool:
    """Whether a file is there; who may not look into its folder is told nothing wrong."""
    try:
        path.stat()
    except PermissionError:
        return True
    except OSError:
        return False
    return True
