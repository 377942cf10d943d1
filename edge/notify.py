"""Tells systemd how we are (sd_notify(3)). Does nothing where no service manager listens."""

import os
import socket
import time
from collections.abc import Mapping

STATUS_CHARACTERS = 400
"""`systemctl status` shows one line; more is cut off."""


class Notifier:
    """One datagram a message, to the socket named by `NOTIFY_SOCKET`."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        address = environment.get("NOTIFY_SOCKET", "")
        # a leading @ means the abstract namespace
        self._address = "\0" + address[1:] if address.startswith("@") else address
        watchdog_us = environment.get("WATCHDOG_USEC", "")
        self.watchdog_s = int(watchdog_us) / 1e6 if watchdog_us.isdigit() else None
        """How long systemd waits for `alive` before it kills us; None: for ever."""

    @property
    def listened_to(self) -> bool:
        """Whether there is a service manager to tell."""
        return bool(self._address)

    def ready(self) -> None:
        """Start-up, or a reload, is done."""
        self._send("READY=1")

    def reloading(self) -> None:
        """The configuration is read again; `ready` ends it. systemd from 253 on wants to know since when."""
        self._send("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def alive(self) -> None:
        """Progress was made; only to be called when it was."""
        self._send("WATCHDOG=1")

    def stopping(self, status: str) -> None:
        """Shutdown has begun; and the line for `systemctl status`."""
        self._send("STOPPING=1", _status(status))

    def status(self, text: str) -> None:
        """One line for `systemctl status`."""
        self._send(_status(text))

    def _send(self, *assignments: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | getattr(socket, "SOCK_CLOEXEC", 0)) as channel:
                channel.sendto("\n".join(assignments).encode("utf-8", "replace"), self._address)
        except OSError:
            return  # neither a service manager that has gone away nor too many open files are a reason to stop


def _status(text: str) -> str:
    """On one line: another one would be another message to systemd."""
    line = " ".join(text.split())
    return f"STATUS={line if len(line) <= STATUS_CHARACTERS else f'{line[: STATUS_CHARACTERS - 1]}…'}"
