"""What systemd is told."""

import errno
import os
import socket
import time
from pathlib import Path

import pytest

from edge.notify import STATUS_CHARACTERS, Notifier
from tests.service_manager import listening


@pytest.mark.parametrize("abstract", [False, True])
def test_messages_reach_the_socket_systemd_names(tmp_path: Path, abstract: bool):
    address = f"@emotion-edge-{tmp_path.name}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind("\0" + address[1:] if abstract else address)
        server.settimeout(5)
        notifier = Notifier({"NOTIFY_SOCKET": address})
        assert notifier.listened_to
        notifier.ready()
        notifier.status("online, 30.0 fps, 1 faces")
        notifier.alive()
        notifier.stopping("stopping")
        got = [server.recv(1000).decode() for _ in range(4)]
    assert got == ["READY=1", "STATUS=online, 30.0 fps, 1 faces", "WATCHDOG=1", "STOPPING=1\nSTATUS=stopping"]


def test_without_systemd_nothing_happens():
    notifier = Notifier({})
    notifier.ready()
    assert notifier.watchdog_s is None
    assert not notifier.listened_to


def test_a_service_manager_that_went_away_is_no_fault(tmp_path: Path):
    Notifier({"NOTIFY_SOCKET": str(tmp_path / "gone")}).alive()


def test_a_process_that_may_open_no_more_files_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def used_up(*_: object) -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr("edge.notify.socket.socket", used_up)
    Notifier({"NOTIFY_SOCKET": str(tmp_path / "notify")}).status("online")


def test_the_watchdogs_period_is_read_in_seconds():
    assert Notifier({"WATCHDOG_USEC": "10000000"}).watchdog_s == 10.0


def test_a_reload_says_since_when_it_is_under_way():
    with listening() as systemd:
        notifier = Notifier({"NOTIFY_SOCKET": f"@{systemd.name}"})
        before_us = time.monotonic_ns() // 1000
        notifier.reloading()
        systemd.wait_for(lambda: len(systemd.messages) == 1, "the reload")
    first, second = systemd.texts[0].splitlines()
    assert first == "RELOADING=1"
    assert before_us <= int(second.removeprefix("MONOTONIC_USEC=")) <= time.monotonic_ns() // 1000


def test_a_status_is_one_line_and_no_message_of_its_own():
    with listening() as systemd:
        notifier = Notifier({"NOTIFY_SOCKET": f"@{systemd.name}"})
        notifier.status("gone\nMAINPID=1\r\n\x0bREADY=1 \udce9")
        notifier.status("x" * 5000)
        systemd.wait_for(lambda: len(systemd.messages) == 2, "both")
    assert systemd.texts[0] == "STATUS=gone MAINPID=1 READY=1 ?"
    assert systemd.texts[1] == f"STATUS={'x' * (STATUS_CHARACTERS - 1)}…"
