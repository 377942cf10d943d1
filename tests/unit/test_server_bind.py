import ctypes
import os
import socket
import sys
from collections.abc import Iterator

import pytest

from edge.errors import ConfigError, TemporaryError
from edge.server.bind import bind, check_bind, is_loopback, local_url
from edge.server.owner import listener_of
from edge.server.settings import ServerSettings

PR_SET_NAME, PR_GET_NAME = 15, 16
"""Of prctl(2)."""


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "localhost", "LOCALHOST.", "cam.localhost", "::1", "[::1]"])
def test_names_of_this_machine_only(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "192.168.1.7", "raspberrypi.local", "localhost.example", "127.0.0.1.nip.io", ""]
)
def test_names_that_others_reach_or_make(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "raspberrypi.local"])
def test_a_public_bind_without_a_token_is_refused_and_says_what_to_do(host: str) -> None:
    with pytest.raises(ConfigError, match=r"--lan.*server\.token.*--insecure"):
        check_bind(ServerSettings(host=host))


@pytest.mark.parametrize(
    "settings",
    [
        ServerSettings(),
        ServerSettings(host="localhost"),
        ServerSettings(host="0.0.0.0", token="a-long-token"),
        ServerSettings(host="0.0.0.0", insecure=True),
    ],
)
def test_a_private_a_protected_and_an_accepted_bind_pass(settings: ServerSettings) -> None:
    check_bind(settings)


@pytest.fixture
def taken() -> Iterator[int]:
    with bind(ServerSettings(port=0)) as sock:
        yield sock.getsockname()[1]


def test_a_taken_port_is_named_with_its_owner_and_the_way_out(taken: int) -> None:
    with pytest.raises(ConfigError, match="--port") as refused:
        bind(ServerSettings(port=taken))
    assert str(taken) in str(refused.value)
    assert f"process {os.getpid()}" in str(refused.value)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux tells whose a socket is")
def test_an_owner_whose_name_was_cut_inside_a_character_is_told_as_far_as_it_goes(taken: int) -> None:
    libc = ctypes.CDLL(None)
    before = ctypes.create_string_buffer(16)
    libc.prctl(PR_GET_NAME, before)
    try:
        libc.prctl(PR_SET_NAME, b"caf\xc3")
        assert listener_of(taken) == f"caf\ufffd (process {os.getpid()})"
    finally:
        libc.prctl(PR_SET_NAME, before)


@pytest.mark.parametrize("host", ["a..b", f"{'a' * 64}.example"])
def test_a_host_that_cannot_be_a_name_is_a_configuration_error(host: str) -> None:
    with pytest.raises(ConfigError, match="cannot be a name"):
        bind(ServerSettings(host=host, insecure=True))


def test_an_unsafe_bind_never_opens_a_socket() -> None:
    with pytest.raises(ConfigError, match="no token"):
        bind(ServerSettings(host="0.0.0.0", port=0))


def test_an_unknown_host_is_a_configuration_error() -> None:
    with pytest.raises(ConfigError, match=r"no\.such\.host\.invalid"):
        bind(ServerSettings(host="no.such.host.invalid", insecure=True))


def test_an_address_of_another_machine_is_a_configuration_error() -> None:
    with pytest.raises(ConfigError, match="no address of this machine"):
        bind(ServerSettings(host="192.0.2.7", port=0, insecure=True), {})


@pytest.mark.parametrize("host", ["192.0.2.7", "2001:db8::7"])
def test_a_service_listens_on_an_address_that_is_still_to_come_and_says_so(
    host: str, caplog: pytest.LogCaptureFixture
) -> None:
    settings = ServerSettings(host=host, port=0, insecure=True)
    with bind(settings, {"NOTIFY_SOCKET": "/run/systemd/notify"}) as sock:
        assert sock.getsockname()[0] == host
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    assert f"server.host {host} is no address of this machine yet" in caplog.text


def test_a_system_that_cannot_listen_ahead_says_what_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.server.bind._AHEAD", {})
    with pytest.raises(ConfigError, match="no address of this machine"):
        bind(ServerSettings(host="192.0.2.7", port=0, insecure=True), {"NOTIFY_SOCKET": "/run/systemd/notify"})


def test_a_name_that_nobody_can_be_asked_for_now_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr("edge.server.bind.socket.getaddrinfo", unreachable)
    with pytest.raises(TemporaryError, match=r"'cam\.example' cannot be looked up now"):
        bind(ServerSettings(host="cam.example", insecure=True), {})


def test_the_url_names_the_real_port_and_an_address_that_opens() -> None:
    with bind(ServerSettings(host="0.0.0.0", port=0, insecure=True)) as sock:
        port = sock.getsockname()[1]
        assert local_url(sock) == f"http://127.0.0.1:{port}/"
        socket.create_connection(("127.0.0.1", port), timeout=5).close()


def test_localhost_is_bound_where_ipv4_clients_find_it() -> None:
    with bind(ServerSettings(host="localhost", port=0)) as sock:
        assert sock.family == socket.AF_INET
