"""The unit of `deploy/`, as it is, under a real systemd."""

import os
import re
import sys
import sysconfig
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.e2e.throwaway_systemd import Machine, boot
from tests.tools import require_tool

pytestmark = pytest.mark.systemd

REPOSITORY = Path(__file__).resolve().parents[2]
DEPLOY = REPOSITORY / "deploy"
HOME = "/opt/emotion-edge"
UNIT = "emotion-edge.service"
CONFIG = "/etc/emotion-edge/config.toml"
EVENTS = "/var/lib/emotion-edge/events.jsonl"
EXPOSURE_LIMIT = 15
"""In tenths, for `systemd-analyze security`; a service without any protection has 96."""

MAKE_USER = (
    "useradd --system --user-group --no-create-home --home-dir /var/lib/emotion-edge --shell /usr/sbin/nologin "
    "emotion-edge"
)
WATCH_DEMO = f'[source]\nuri = "demo"\n[events]\npath = "{EVENTS}"\nflush_s = 0.2\n'

ASK = """
import sys, urllib.error, urllib.request
browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
try:
    print(browser.open(sys.argv[1], timeout=20).status)
except urllib.error.HTTPError as error:
    print(error.code)
"""
READ_STREAM = """
import sys, urllib.request
with urllib.request.urlopen("http://127.0.0.1:8080/stream.mjpg", timeout=20) as stream:
    sys.stdout.buffer.write(stream.headers["Content-Type"].encode() + b"\\n" + stream.read(400_000))
"""


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    """A systemd with the unit installed as deploy/README.md says, and the program where the unit expects it."""
    require_tool("systemd-nspawn", "apt-get install -y systemd-container")
    require_root()
    with boot(program_folders()) as machine:
        install_program(machine)
        machine.run("sh", "-c", MAKE_USER)
        machine.write(f"/etc/systemd/system/{UNIT}", (DEPLOY / UNIT).read_text())
        machine.run("systemctl", "daemon-reload")
        yield machine


@pytest.fixture
def service(machine: Machine) -> Iterator[Machine]:
    """The service, started on the demo."""
    machine.write(CONFIG, WATCH_DEMO)
    start(machine)
    yield machine
    stop(machine)


def require_root() -> None:
    if os.geteuid() == 0:
        return
    reason = "needs root: a systemd of its own takes namespaces and mounts"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def program_folders() -> dict[Path, str]:
    """This environment's folders → where the service can read them: not under /root, /home or /tmp."""
    folders = {REPOSITORY: f"{HOME}/checkout", Path(sysconfig.get_path("purelib")): f"{HOME}/packages"}
    if sys.base_prefix != "/usr":
        folders[Path(sys.base_prefix)] = f"{HOME}/python"
    models = Path(sys.prefix) / "share" / "emotion-edge"
    if models.is_dir():
        folders[models] = f"{HOME}/venv/share/emotion-edge"
    return folders


def install_program(machine: Machine) -> None:
    """Put an environment at /opt/emotion-edge/venv that is made of this one's parts."""
    python = "python{}.{}".format(*sys.version_info)
    base = "/usr" if sys.base_prefix == "/usr" else f"{HOME}/python"
    settings = (Path(sys.prefix) / "pyvenv.cfg").read_text()
    machine.write(f"{HOME}/venv/pyvenv.cfg", re.sub(r"(?m)^home = .*", f"home = {base}/bin", settings))
    machine.write(f"{HOME}/venv/lib/{python}/site-packages/parts.pth", f"{HOME}/checkout\n{HOME}/packages\n")
    machine.run("mkdir", "-p", f"{HOME}/venv/bin")
    machine.run("ln", "-s", f"{base}/bin/{python}", f"{HOME}/venv/bin/python")
    machine.write(
        f"{HOME}/venv/bin/emotion-edge",
        f"#!{HOME}/venv/bin/python\nimport sys\nfrom edge.cli import main\nsys.exit(main())\n",
    )
    machine.run("chmod", "+x", f"{HOME}/venv/bin/emotion-edge")
    if sysconfig.get_config_var("Py_ENABLE_SHARED"):  # libpython is looked for where Python was built for
        machine.write("/etc/ld.so.conf.d/python.conf", f"{base}/lib\n")
        machine.run("ldconfig")


def start(machine: Machine) -> None:
    begun = machine.run("systemctl", "start", UNIT, check=False, timeout_s=120)
    assert begun.returncode == 0, journal(machine)


def stop(machine: Machine) -> None:
    machine.run("systemctl", "stop", UNIT)
    machine.run("systemctl", "reset-failed", UNIT, check=False)
    machine.run("rm", "-f", CONFIG, EVENTS)


@contextmanager
def overridden(machine: Machine, drop_in: str) -> Iterator[None]:
    """What `systemctl edit` does, undone at the end with the service stopped."""
    folder = f"/run/systemd/system/{UNIT}.d"
    machine.write(f"{folder}/override.conf", drop_in)
    machine.run("systemctl", "daemon-reload")
    try:
        yield
    finally:
        stop(machine)
        machine.run("rm", "-r", folder)
        machine.run("systemctl", "daemon-reload")


def journal(machine: Machine) -> str:
    return machine.text("journalctl", "--no-pager", "--lines=40", f"--unit={UNIT}")


def state(machine: Machine) -> dict[str, str]:
    """The service's properties, by name."""
    lines = machine.text("systemctl", "show", UNIT).splitlines()
    return dict(line.partition("=")[::2] for line in lines)


def wait_for_state(machine: Machine, *, timeout_s: float = 60.0, **expected: str) -> dict[str, str]:
    end_s = time.monotonic() + timeout_s
    while True:
        found = state(machine)
        if all(found[key] == value for key, value in expected.items()):
            return found
        assert time.monotonic() < end_s, f"expected {expected}, found {found}\n{journal(machine)}"
        time.sleep(0.2)


def test_systemd_has_nothing_to_say_about_the_unit(machine: Machine) -> None:
    assert machine.text("systemd-analyze", "verify", f"/etc/systemd/system/{UNIT}") == ""


def test_systemd_has_nothing_to_say_about_the_drop_in_for_ribbon_cables(machine: Machine) -> None:
    folder = "/etc/systemd/system/with-ribbon.service"
    machine.write(folder, (DEPLOY / UNIT).read_text())
    machine.write(f"{folder}.d/picamera2.conf", (DEPLOY / "picamera2.conf").read_text())
    assert machine.text("systemd-analyze", "verify", folder) == ""


def test_the_unit_exposes_little(machine: Machine) -> None:
    machine.run(
        *("systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSURE_LIMIT}"),
        f"/etc/systemd/system/{UNIT}",
    )


def test_the_service_streams_pictures(service: Machine) -> None:
    assert state(service)["ActiveState"] == "active"
    kind, _, body = service.run(f"{HOME}/venv/bin/python", "-c", READ_STREAM).stdout.partition(b"\n")
    assert kind.startswith(b"multipart/x-mixed-replace")
    begin = body.index(b"\xff\xd8")
    picture = cv2.imdecode(np.frombuffer(body[begin:], np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == (480, 640, 3)
    assert picture.std() > 10, "an empty picture"
    assert body.count(b"\xff\xd8\xff") > 2


def test_systemctl_status_tells_how_fast_it_is_and_how_many_faces_it_sees(service: Machine) -> None:
    end_s = time.monotonic() + 30
    while True:
        shown = service.text("systemctl", "status", "--no-pager", UNIT)
        found = re.search(r'Status: "online, (\d+\.\d) fps, ([1-9]\d*) faces"', shown)
        if found and float(found[1]) > 0:
            return
        assert time.monotonic() < end_s, shown
        time.sleep(0.3)


def test_the_service_runs_as_its_own_user_without_privileges(service: Machine) -> None:
    pid = state(service)["MainPID"]
    status = dict(line.split(":\t", 1) for line in service.text("cat", f"/proc/{pid}/status").splitlines())
    own = service.text("id", "-u", "emotion-edge")
    assert own != "0"
    assert status["Uid"].split() == [own] * 4
    assert int(status["CapEff"], 16) == 0
    assert status["NoNewPrivs"] == "1"
    video = service.text("getent", "group", "video").split(":")[2]
    assert video in status["Groups"].split()


def test_stopping_takes_no_longer_than_two_seconds_and_keeps_what_was_seen(service: Machine) -> None:
    wait_for_events(service)
    before_s = time.monotonic()
    service.run("systemctl", "stop", UNIT)
    took_s = time.monotonic() - before_s
    after = state(service)
    assert (after["ActiveState"], after["Result"], after["ExecMainStatus"]) == ("inactive", "success", "0")
    assert took_s <= 2.0
    assert service.text("stat", "--format=%U %a", "/var/lib/emotion-edge") == "emotion-edge 700"


def wait_for_events(machine: Machine) -> None:
    """Until something was seen and is on disk."""
    end_s = time.monotonic() + 30
    while machine.run("test", "-s", EVENTS, check=False).returncode:
        assert time.monotonic() < end_s, journal(machine)
        time.sleep(0.2)


def test_a_bad_configuration_ends_the_service_for_good(machine: Machine) -> None:
    machine.write(CONFIG, '[source]\nurl = "demo"\n')
    assert machine.run("systemctl", "start", UNIT, check=False).returncode != 0
    after = wait_for_state(machine, ActiveState="failed")  # not "activating": no restart is under way
    assert (after["ExecMainStatus"], after["NRestarts"]) == ("78", "0")
    assert "did you mean `source.uri`?" in journal(machine)
    stop(machine)


def test_a_crash_is_followed_by_a_restart(service: Machine) -> None:
    service.run("systemctl", "kill", "--signal=KILL", UNIT)
    after = wait_for_state(service, NRestarts="1", ActiveState="active")
    assert after["SubState"] == "running"


def test_the_guide_tells_how_to_open_the_page_to_the_network(machine: Machine) -> None:
    drop_in = re.search(r"```ini\n(.*?)```", (DEPLOY / "README.md").read_text(), re.DOTALL)
    assert drop_in
    machine.write(CONFIG, WATCH_DEMO)
    with overridden(machine, drop_in[1]):
        start(machine)
        token = machine.text("cat", "/var/lib/emotion-edge/token")
        assert f":8080/?token={token}" in journal(machine)
        page = "http://127.0.0.1:8080/"
        assert machine.text(f"{HOME}/venv/bin/python", "-c", ASK, page) == "401"
        assert machine.text(f"{HOME}/venv/bin/python", "-c", ASK, f"{page}?token={token}") == "200"


def test_a_program_that_hangs_is_killed_and_started_again(service: Machine) -> None:
    assert state(service)["WatchdogUSec"] not in ("0", "infinity")
    # the same rules, sooner
    with overridden(service, "[Service]\nWatchdogSec=2\nTimeoutStopSec=1\nRestartSec=1\n"):
        service.run("systemctl", "restart", UNIT)
        service.run("systemctl", "kill", "--signal=STOP", UNIT)
        wait_for_state(service, NRestarts="1", ActiveState="active")
        assert "Watchdog timeout" in journal(service)
