"""`systemctl reload` and an upgrade: what takes effect when, and that nothing else is disturbed."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.e2e.installed import CHECKOUT, PROGRAM
from tests.service import CONFIG, HOME, TOKEN_FILE, UNIT, WATCH_DEMO, Service
from tests.viewer import Viewer

pytestmark = [pytest.mark.systemd, pytest.mark.slow]

NEW_VERSION = "99.1.0"
BAD = {
    "an unknown key": ("[expression]\nthreshhold = 0.9\n", "did you mean `expression.threshold`?"),
    "a value out of range": ("[expression]\nthreshold = 9.0\n", "expression.threshold"),
    "no TOML": ("[expression\n", "is no TOML"),
}

Show = Callable[[str], None]


@pytest.fixture
def running(service: Service) -> Service:
    service.start()
    service.online()
    return service


def threshold(service: Service) -> float:
    """A setting that can be changed while it runs, as the program goes by it."""
    return float(service.state()["threshold"])


def answers(service: Service) -> list[str]:
    """What the program has said to reloads."""
    events = [entry.get("EMOTION_EDGE_EVENT") for entry in service.entries()]
    return [event for event in events if event in ("config.reloaded", "config.refused")]


def reload(service: Service) -> str:
    """Until systemd and the program are done with it; returns the event that came of it."""
    before = len(answers(service))
    service.machine.run("systemctl", "reload", UNIT)
    end_s = time.monotonic() + 20
    while len(answers(service)) == before:
        assert time.monotonic() < end_s, service.journal()
        time.sleep(0.1)
    service.wait_for(ActiveState="active", SubState="running")
    return answers(service)[-1]


def test_a_reload_takes_effect_while_somebody_watches(running: Service, show: Show) -> None:
    pid = running.properties()["MainPID"]
    assert threshold(running) != 0.9
    with Viewer(running) as viewer:
        viewer.wait(20)
        running.configure(f"{WATCH_DEMO}[expression]\nthreshold = 0.9\n")
        time.sleep(0.5)
        assert threshold(running) != 0.9, "it was read without a reload"
        begun_s = time.monotonic()
        running.machine.run("systemctl", "reload", UNIT)
        running.wait_until(lambda state: state["threshold"] == 0.9, "the new threshold")
        took_s = time.monotonic() - begun_s
        viewer.wait(20)
        assert not viewer.ended
        gap_s = viewer.longest_gap_s(begun_s)
    found = running.properties()
    assert (found["MainPID"], found["NRestarts"], found["ActiveState"]) == (pid, "0", "active")
    show(f"reload: in effect after {took_s:.2f} s, same process, the viewer's longest gap {gap_s:.2f} s")


@pytest.mark.parametrize("what", BAD)
def test_a_bad_reload_is_refused_and_the_old_settings_stay(running: Service, show: Show, what: str) -> None:
    text, said = BAD[what]
    pid, before = running.properties()["MainPID"], threshold(running)
    with Viewer(running) as viewer:
        viewer.wait(5)
        running.configure(f"{WATCH_DEMO}{text}")
        assert reload(running) == "config.refused"
        viewer.wait(20)
        assert not viewer.ended
    found = running.properties()
    assert (found["MainPID"], found["NRestarts"], found["ActiveState"]) == (pid, "0", "active")
    assert threshold(running) == before
    assert said in running.journal()
    assert "the configuration was not reloaded" in running.wait_for_status("not reloaded")
    running.configure(f"{WATCH_DEMO}[expression]\nthreshold = 0.8\n")  # mended
    assert reload(running) == "config.reloaded"
    running.wait_until(lambda state: state["threshold"] == 0.8, "the mended threshold")
    show(f"reload with {what}: refused, old settings kept, same process, stream goes on; a mended one is taken")


def test_what_needs_a_restart_is_told_and_left_as_it_was(running: Service, show: Show) -> None:
    running.configure(WATCH_DEMO.replace('"demo"', '"demo:?size=320x240"'))
    assert reload(running) == "config.reloaded"
    told = running.wait_for_status("needs a restart: source.uri")
    assert running.state()["source"]["width"] == 640
    running.machine.run("systemctl", "restart", UNIT)
    assert running.online()["source"]["width"] == 320
    assert "needs a restart" not in running.properties()["StatusText"]
    show(f"reload of what needs a restart: '{told}'")


def test_many_reloads_in_a_row_end_with_the_last(running: Service) -> None:
    pid = running.properties()["MainPID"]
    for number in range(10):
        running.configure(f"{WATCH_DEMO}[expression]\nthreshold = 0.{50 + number}\n")
        running.machine.run("kill", "-HUP", pid)
    running.wait_until(lambda state: state["threshold"] == 0.59, "the last threshold")
    found = running.wait_for(ActiveState="active", SubState="running", MainPID=pid, NRestarts="0")
    assert found["Result"] == "success"


def test_a_restart_of_the_journal_disturbs_nothing(running: Service) -> None:
    pid = running.properties()["MainPID"]
    with Viewer(running) as viewer:
        viewer.wait(5)
        running.machine.run("systemctl", "restart", "systemd-journald")
        viewer.wait(20)
    running.configure(f"{WATCH_DEMO}[expression]\nthreshold = 0.7\n")
    assert reload(running) == "config.reloaded"
    running.wait_for(MainPID=pid, NRestarts="0", ActiveState="active")


def test_an_upgrade_keeps_configuration_and_token_and_takes_effect_at_the_restart(service: Service, show: Show) -> None:
    service.start()
    service.online()
    kept = fingerprints(service)
    before, pid = service.state()["version"], service.properties()["MainPID"]
    with Viewer(service) as viewer, replaced_program(service):
        viewer.wait(5)
        # what a running program loads late comes from the new files already
        assert service.ask("/metrics").status == 200
        assert service.ask("/api/v1/analyze", "POST", b"no picture").status in range(400, 500)
        viewer.wait(20)
        assert (service.state()["version"], service.properties()["MainPID"]) == (before, pid)
        begun_s = time.monotonic()
        service.machine.run("systemctl", "restart", UNIT)
        service.online()
        took_s = time.monotonic() - begun_s
        assert service.state()["version"] == NEW_VERSION
        assert service.properties()["NRestarts"] == "0"
        assert fingerprints(service) == kept
        with Viewer(service) as again:
            again.wait(5)
    show(f"upgrade {before} → {NEW_VERSION}: streams while files are replaced; restart → online {took_s:.2f} s")


@contextmanager
def replaced_program(service: Service) -> Iterator[None]:
    """A newer program where the old one was, put there while that runs, as package managers do."""
    new = f"{HOME}/new"
    script = f"""
        mkdir {new} && cp -a {CHECKOUT}/edge {new}/edge &&
        sed -i 's/^__version__ = .*/__version__ = "{NEW_VERSION}"/' {new}/edge/__init__.py &&
        ln -s {new} {PROGRAM}.new && mv -T {PROGRAM}.new {PROGRAM}
    """
    service.machine.run("sh", "-e", "-c", script)
    try:
        yield
    finally:
        service.machine.run("sh", "-c", f"ln -sfn {CHECKOUT} {PROGRAM} && rm -r {new}")


def fingerprints(service: Service) -> str:
    """Content, owner and mode of what an upgrade must keep."""
    names = (CONFIG, TOKEN_FILE)
    return service.machine.text("sha256sum", *names) + service.machine.text("stat", "--format=%n %U:%G %a", *names)
