"""The commands that take devices' certificates, on the page on watching many devices, typed for two devices."""

import os
import re
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from edge.server.certificate import keep
from tests.listening import listening
from tests.manual.commands import commands
from tests.tools import require_tool

FETCH, SHOW, TAKE = (each for each in commands("deploy/observability/README.md") if "device.pem" in each)
ADDRESS = "192.0.2.10:8080"
"""Of the device in the docs."""


@contextmanager
def device(file: Path) -> Iterator[int]:
    """The port of something with a certificate of its own, as the program makes it: it shows that, and hangs up."""
    keep(file, "127.0.0.1", datetime.now(UTC))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)

    def meet(taken: socket.socket) -> None:
        taken.settimeout(10)
        with context.wrap_socket(taken, server_side=True) as shown:
            shown.recv(1)

    with listening(meet) as port:
        yield port


def fingerprint(file: Path) -> str:
    """As the program logs it."""
    (text,) = re.findall(r"-----BEGIN CERTIFICATE-----\n.+?-----END CERTIFICATE-----\n", file.read_text(), re.DOTALL)
    return sha256(ssl.PEM_cert_to_DER_cert(text)).hexdigest().upper()


def test_each_device_is_compared_by_its_own_fingerprint_before_it_is_trusted(tmp_path: Path) -> None:
    require_tool("openssl", "apt-get install -y --no-install-recommends openssl")
    trusted = tmp_path / "devices.pem"
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "sudo").write_text('#!/bin/sh\nexec "$@"\n')
    (tools / "sudo").chmod(0o755)
    environment = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"}

    def typed(command: str, port: int) -> str:
        line = command.replace(ADDRESS, f"127.0.0.1:{port}").replace("/etc/prometheus/emotion-edge/", f"{tmp_path}/")
        shell = ("bash", "-o", "pipefail", "-c", line)
        done = subprocess.run(shell, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
        return done.stdout

    taken = ""
    for name in ("kitchen", "hall"):
        file = tmp_path / f"{name}.pem"
        with device(file) as port:
            typed(FETCH, port)
            shown = typed(SHOW, port)
            assert shown.partition("=")[2].strip().replace(":", "") == fingerprint(file), name
            assert (trusted.read_text() if trusted.exists() else "") == taken, "not yet"
            typed(TAKE, port)
        taken += (tmp_path / "device.pem").read_text()
        assert trusted.read_text() == taken
    assert taken.count("BEGIN CERTIFICATE") == 2
