"""The service from its start to the picture, with a camera that may come later, and to its end."""

import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress

import pytest

from tests.e2e.throwaway_systemd import Machine
from tests.mjpeg_server import encoded, mjpeg_server
from tests.service import PORT, TOKEN, UNIT, WATCH_DEMO, Service
from tests.tools import require_tool
from tests.viewer import REQUEST, Viewer

pytestmark = [pytest.mark.systemd, pytest.mark.slow]

STARTS = 5
CAMERA_PORT = 9000
PIPE = "/srv/camera.mjpg"
WAIT_S = 4.0
LONGEST_STOP_S = 2.0

Show = Callable[[str], None]


def test_from_start_to_ready_to_picture_to_end(service: Service, show: Show) -> None:
    rows = []
    for _ in range(STARTS):
        begun_s = time.monotonic()
        ready_s = service.start()
        returned_s = time.monotonic() - begun_s
        with Viewer(service) as viewer:
            viewer.wait(1)
            picture_s = viewer.came_s[0] - begun_s
            viewer.wait(5)
            stopped_s = service.stop()
        found = service.properties()
        assert (found["Result"], found["ExecMainStatus"]) == ("success", "0")
        assert stopped_s <= LONGEST_STOP_S
        rows.append((ready_s, returned_s, picture_s, stopped_s))
    names = ("process → READY", "`systemctl start`", "start → first picture", "`systemctl stop`, one watching")
    medians = (sorted(column)[STARTS // 2] for column in zip(*rows, strict=True))
    times = ", ".join(f"{name} {median_s:.2f} s" for name, median_s in zip(names, medians, strict=True))
    show(f"start and stop, medians of {STARTS}: {times}")


def test_it_waits_for_no_network(service: Service) -> None:
    found = service.properties()
    assert not [name for name in found["After"].split() if "network" in name]
    service.start()  # there is none here but the loopback


@contextmanager
def network_camera(service: Service) -> Iterator[None]:
    """A camera that sends MJPEG over the machine's own network."""
    with ExitStack() as stack:
        with service.machine.network():
            stack.enter_context(mjpeg_server(CAMERA_PORT))
        yield


@contextmanager
def piped_camera(machine: Machine) -> Iterator[None]:
    """A program that writes JPEGs into a pipe."""
    machine.run("mkfifo", "--mode=644", PIPE)
    over = threading.Event()
    pictures = encoded("320x240")

    def write() -> None:
        with suppress(BrokenPipeError), machine.path(PIPE).open("wb", buffering=0) as pipe:
            number = 0
            while not over.wait(0.05):
                pipe.write(pictures[number % len(pictures)])
                number += 1

    writer = threading.Thread(target=write, name="camera", daemon=True)
    writer.start()
    try:
        yield
    finally:
        over.set()
        writer.join(5)
        machine.run("rm", PIPE)


@pytest.mark.parametrize("kind", ["network camera", "pipe"])
def test_a_camera_that_is_not_there_yet_is_waited_for(
    service: Service, machine: Machine, show: Show, kind: str
) -> None:
    uri = f"http://127.0.0.1:{CAMERA_PORT}/stream" if kind == "network camera" else f"fifo:{PIPE}"
    service.configure(f'[source]\nuri = "{uri}"\n')
    ready_s = service.start()
    pid = service.properties()["MainPID"]
    assert service.ask("/livez", token=None).status == 200
    assert service.ask("/readyz", token=None).status == 503
    with Viewer(service) as viewer:
        viewer.wait(1)  # the picture says that there is none
        time.sleep(WAIT_S)
        waiting = service.properties()
        assert (waiting["ActiveState"], waiting["NRestarts"]) == ("active", "0")
        assert f"waiting for the camera {uri}" in waiting["StatusText"]
        came_s = time.monotonic()
        with network_camera(service) if kind == "network camera" else piped_camera(machine):
            service.online()
            online_s = time.monotonic() - came_s
            assert service.ask("/readyz", token=None).status == 200
            viewer.wait(10)
            service.wait_for(MainPID=pid, NRestarts="0", ActiveState="active")
            online = service.wait_for_status("online, ")
        service.wait_until(lambda state: state["source"]["state"] != "online", "noticed that it has gone")
        begun_s = time.monotonic()
        with network_camera(service) if kind == "network camera" else piped_camera(machine):
            service.online()
            service.wait_for(MainPID=pid, NRestarts="0")
            again_s = time.monotonic() - begun_s
    show(
        f"no camera at the start ({kind}): READY after {ready_s:.2f} s, status '{waiting['StatusText']}'; "
        f"online {online_s:.1f} s after it came, '{online}'; gone and back: {again_s:.1f} s"
    )


@pytest.mark.parametrize("uri", ["/home/pi/film.mp4", "/home/pi/holidays", "images:/home/pi/holidays"])
def test_what_lies_in_a_home_is_refused_and_not_tried_again(service: Service, machine: Machine, uri: str) -> None:
    machine.run("mkdir", "-p", "/home/pi/holidays")
    machine.run("touch", "/home/pi/film.mp4", "/home/pi/holidays/1.jpg")
    try:
        service.configure(f'[source]\nuri = "{uri}"\n')
        machine.run("systemctl", "start", UNIT, check=False)
        found = service.wait_for(ActiveState="failed")
        assert (found["ExecMainStatus"], found["NRestarts"]) == ("78", "0")
        log = service.journal()
        assert "the service sees no home folders: put it below /var/lib/emotion-edge" in log
        assert "Traceback" not in log
    finally:
        machine.run("rm", "-r", "/home/pi")


def test_an_address_that_comes_after_the_start_is_listened_on(service: Service, machine: Machine, show: Show) -> None:
    require_tool("ip", "apt-get install -y iproute2")
    service.configure(f'{WATCH_DEMO}[server]\nhost = "192.0.2.7"\n')
    service.start()
    assert "192.0.2.7 is no address of this machine yet" in service.journal()
    machine.run("ip", "address", "add", "192.0.2.7/32", "dev", "lo")
    try:
        with machine.network():
            connection = socket.create_connection(("192.0.2.7", PORT), timeout=20)
        connection.close()
        assert service.properties()["NRestarts"] == "0"
        show("server.host is an address that comes later: READY before, reached after")
    finally:
        machine.run("ip", "address", "del", "192.0.2.7/32", "dev", "lo")


def stalled_viewer(service: Service) -> object:
    """Somebody who asks for the stream and takes nothing of it."""
    connection = service.connect(receive_buffer=4096)
    connection.sendall(REQUEST)
    return connection


def test_stopping_does_not_wait_for_who_watches_or_does_not(service: Service, show: Show) -> None:
    service.start()
    service.online()
    held = [stalled_viewer(service) for _ in range(3)]
    with Viewer(service) as viewer:
        viewer.wait(10)
        service.wait_until(lambda state: len(state["clients"]) == 4, "four watch")
        time.sleep(3.0)  # what the kernel takes for the stalled ones is full by now
        took_s = service.stop()
    assert service.properties()["Result"] == "success"
    assert took_s <= LONGEST_STOP_S
    assert held
    show(f"stop with three stalled viewers: {took_s:.2f} s")


def test_stopping_does_not_wait_for_a_camera(service: Service, show: Show) -> None:
    service.configure(f'[source]\nuri = "http://127.0.0.1:{CAMERA_PORT}/stream"\n')
    service.start()
    time.sleep(WAIT_S)
    took_s = service.stop()
    assert service.properties()["Result"] == "success"
    assert took_s <= LONGEST_STOP_S
    show(f"stop while no camera is there: {took_s:.2f} s")


def test_stopping_in_the_middle_of_the_start_leaves_nothing_behind(service: Service, show: Show) -> None:
    took: list[float] = []
    for pause_s in (0.02, 0.1, 0.2, 0.3):
        service.machine.run("systemctl", "start", "--no-block", UNIT)
        time.sleep(pause_s)
        took.append(service.stop())
        found = service.properties()
        assert (found["ActiveState"], found["NRestarts"]) in {("inactive", "0"), ("failed", "0")}, service.journal()
        assert service.machine.run("pgrep", "--euid", "emotion-edge", check=False).returncode == 1
        service.machine.run("systemctl", "reset-failed", UNIT, check=False)
    assert max(took) <= LONGEST_STOP_S
    show(f"stop in the middle of the start: {max(took):.2f} s at most")


def test_the_token_is_asked_for_and_is_seen_nowhere(service: Service, show: Show) -> None:
    service.start()
    service.online()
    text = service.machine.text
    assert [service.ask(path, token=None).status for path in ("/", "/state", "/metrics", "/stream.mjpg")] == [401] * 4
    assert service.ask("/state", token="wrong" + TOKEN).status == 401
    assert service.ask("/state").status == 200
    assert service.ask("/api/v1/analyze", "POST", b"\xff\xd8 no picture").status != 401  # starts a child process
    for process in text("cat", f"/sys/fs/cgroup{service.properties()['ControlGroup']}/cgroup.procs").split():
        seen = text("cat", f"/proc/{process}/environ", f"/proc/{process}/cmdline")
        assert "PATH=" in seen
        assert TOKEN not in seen
    assert TOKEN not in text("systemctl", "show", UNIT)
    assert TOKEN not in service.journal()
    assert TOKEN not in service.ask("/api/v1/config").body.decode()
    given = f"/run/credentials/{UNIT}/token"
    assert text("cat", given) == TOKEN
    for path in (given, "/etc/emotion-edge/token"):
        other = service.machine.run("runuser", "-u", "nobody", "--", "cat", path, check=False)
        assert other.returncode != 0, "another user can read the token"
    show("token: asked for; not in environment, arguments, journal, /api/v1/config; other users cannot read it")


def test_the_journal_has_fields_to_search_by(service: Service, show: Show) -> None:
    service.start()
    service.online()
    service.stop()
    entries = service.entries()
    events = [entry["EMOTION_EDGE_EVENT"] for entry in entries if "EMOTION_EDGE_EVENT" in entry]
    online = next(entry for entry in entries if entry.get("EMOTION_EDGE_EVENT") == "source.online")
    assert (online["PRIORITY"], online["SYSLOG_IDENTIFIER"]) == ("6", "emotion-edge")
    assert "delivers 640x480" in online["MESSAGE"]
    assert not re.search(r"\d\d:\d\d:\d\d", online["MESSAGE"]), "the journal knows the time itself"
    assert online["EMOTION_EDGE_RECONNECTS"] == "0"
    ended = next(entry for entry in entries if entry.get("EMOTION_EDGE_EVENT") == "run.ended")
    assert int(ended["EMOTION_EDGE_FRAMES"]) > 0
    searched = ("--output=cat", "EMOTION_EDGE_EVENT=source.online", f"_SYSTEMD_UNIT={UNIT}")
    assert "delivers 640x480" in service.machine.text("journalctl", "--no-pager", *searched)
    show(f"journald: {len(events)} of {len(entries)} entries name their event: {', '.join(sorted(set(events)))}")


def test_what_goes_wrong_has_its_severity_in_the_journal(service: Service) -> None:
    service.configure('[source]\nuri = "fifo:/srv/nothing"\n')
    service.start()
    time.sleep(WAIT_S)
    service.stop()
    severe = [entry for entry in service.entries() if entry.get("EMOTION_EDGE_EVENT") == "source.starting"]
    assert {entry["PRIORITY"] for entry in severe} == {"4"}
    assert "/srv/nothing" in severe[0]["MESSAGE"]
    assert float(severe[0]["EMOTION_EDGE_RETRY_IN_S"]) > 0
