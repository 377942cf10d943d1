"""The doctor on configuration, port and certificate."""

import asyncio
import errno
import os
import socket
import ssl
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec.structs import replace

from edge import model_store
from edge.config import Config
from edge.doctor import broker, certificate, configuration, port
from edge.doctor.findings import Finding
from edge.doctor.world import Settings, Unit, User, World
from edge.errors import ConfigError
from edge.server.certificate import VALID, make
from edge.server.headers import add_security_headers
from edge.server.settings import ServerSettings
from edge.server.token import token_path
from edge.sinks.mqtt_settings import MqttSettings
from tests.doctoring import machine, told

NOW = datetime(2027, 1, 1, tzinfo=UTC)
RUNNING = Unit(systemd=True, path="/etc/systemd/system/emotion-edge.service", active="active", sub="running", pid=4711)


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No configuration but the one given."""
    for name in [name for name in os.environ if name.startswith("EMOTION_EDGE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "none"))


def configured(folder: Path, text: str, mode: int = 0o640) -> tuple[World, tuple[Finding, ...]]:
    """What is learnt and found of a configuration."""
    file = folder / "config.toml"
    file.write_text(text)
    file.chmod(mode)
    world = configuration.learn(machine(folder, config=str(file)))
    return world, tuple(configuration.check(world))


def test_a_valid_configuration_is_well_and_the_others_are_told_what_they_need(tmp_path: Path) -> None:
    text = '[source]\nuri = "demo"\n[events]\npath = "/srv/log.jsonl"\nmax_mb = 10\nkeep = 2\n[server]\nport = 9000\n'
    world, findings = configured(tmp_path, text)
    told(findings, "configuration-ok")
    settings = world.settings
    assert (settings.source, settings.camera, settings.events, settings.events_mb) == (
        "demo",
        False,
        "/srv/log.jsonl",
        30,
    )
    assert settings.server.port == 9000


def test_no_configuration_is_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.config_layers.SYSTEM_FILE", tmp_path / "none.toml")
    world = configuration.learn(machine(tmp_path))
    assert world.settings.camera
    assert "defaults" in told(configuration.check(world), "configuration-ok").found


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[source]\nurl = "demo"\n', "did you mean `source.uri`?"),
        ("[server]\nport = 99999\n", "server.port"),
        ("source = ", "no TOML"),
    ],
)
def test_a_configuration_that_is_refused_is_found(tmp_path: Path, text: str, words: str) -> None:
    world, findings = configured(tmp_path, text)
    assert words in told(findings, "config-invalid").found
    assert world.settings.server == ServerSettings(), "the other checks go on with the defaults"


def test_a_configuration_that_is_not_there_is_found(tmp_path: Path) -> None:
    world = configuration.learn(machine(tmp_path, config=f"{tmp_path}/none.toml"))
    assert told(configuration.check(world), "config-missing").expected == f"a file {tmp_path}/none.toml"
    folder = configuration.learn(machine(tmp_path, config=str(tmp_path)))
    assert "no file" in told(configuration.check(folder), "config-missing").title


def test_a_refused_configuration_is_not_read_again(tmp_path: Path) -> None:
    world, _ = configured(tmp_path, "[events]\nkeep = 3\n")
    assert configuration.config_or_defaults(world).events.keep == 3
    refused = replace(world, settings=Settings(refused="config-hangs"))
    assert configuration.config_or_defaults(refused) == Config()


def test_a_configuration_that_this_user_may_not_read_is_found_with_who_may(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(*_: object, **__: object) -> str:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "read_text", forbidden)
    world = configuration.learn(machine(tmp_path / "m", config="/etc/emotion-edge/config.toml", unit=RUNNING))
    monkeypatch.undo()
    finding = told(configuration.check(world), "config-unreadable")
    assert finding.command == "sudo -u emotion-edge /opt/emotion-edge/venv/bin/emotion-edge doctor"
    without_service = told(configuration.check(replace(world, unit=Unit())), "config-unreadable")
    assert without_service.command == ""


SECRETS = (
    '[server]\ntoken = "geheim-geheim"\n',
    '[source]\nuri = "rtsp://a:geheim@b/c"\n',
    '[mqtt]\npassword = "geheim"\n',
)


@pytest.mark.parametrize("text", SECRETS)
def test_a_configuration_with_a_secret_that_everybody_may_read_is_found(tmp_path: Path, text: str) -> None:
    world, findings = configured(tmp_path, text, 0o644)
    finding = told(findings, "config-open-to-others")
    assert finding.command == f"sudo chmod o-rwx {tmp_path}/config.toml"
    assert "geheim" not in str(findings)
    assert "geheim" not in msgspec.json.encode(world.settings.server).decode()
    assert "geheim" not in msgspec.json.encode(world.settings.mqtt).decode()
    told(configured(tmp_path, text, 0o640)[1], "configuration-ok")


def test_a_token_that_others_may_read_is_found(tmp_path: Path) -> None:
    token = tmp_path / "state" / "token"
    token.parent.mkdir()
    token.write_text("geheim-geheim")
    token.chmod(0o644)
    finding = told(configured(tmp_path, "")[1], "token-open-to-others")
    assert finding.command == f"sudo chmod 600 {token}"
    assert "geheim" not in str(finding)


def test_for_a_user_without_a_home_token_and_detectors_have_a_place_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def nobody() -> Path:
        raise RuntimeError("Could not determine home directory.")

    for variable in ("STATE_DIRECTORY", "XDG_STATE_HOME", "XDG_DATA_HOME", model_store.DIRECTORY_VARIABLE):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(Path, "home", nobody)
    assert token_path() == Path("/.local/state/emotion-edge/token")
    assert Path("/.local/share/emotion-edge/models") in model_store.directories()


def listening() -> socket.socket:
    sock = socket.create_server(("127.0.0.1", 0))
    sock.settimeout(10)
    return sock


def with_port(root: Path, number: int, **more: object) -> World:
    return machine(root, settings=Settings(server=ServerSettings(port=number)), **more)


def test_a_free_port_is_well(tmp_path: Path) -> None:
    assert "chooses a free one" in told(port.check(with_port(tmp_path, 0)), "port-ok").found


def test_a_port_that_another_program_has_is_found_with_that_program(tmp_path: Path) -> None:
    with closing(listening()) as sock:
        number = sock.getsockname()[1]
        finding = told(port.check(with_port(tmp_path, number), listener=lambda _: "nginx (process 12)"), "port-taken")
        assert finding.command == f"sudo ss -ltnp 'sport = :{number}'"
        assert f"port {number} free on 127.0.0.1" in finding.expected


@pytest.mark.parametrize("owner", ["emotion-edge (process 99)", "python3 (process 4711)"])
def test_a_port_that_the_service_or_another_run_of_the_program_has_is_well(tmp_path: Path, owner: str) -> None:
    with closing(listening()) as sock:
        world = with_port(tmp_path, sock.getsockname()[1], unit=RUNNING)
        assert owner in told(port.check(world, listener=lambda _: owner), "port-of-service").found


@contextmanager
def answering(name: str, status: str = "200 OK", tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """The port of a server that calls itself so."""
    with closing(listening()) as sock:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    client, _ = sock.accept()
                    with closing(client), suppress(OSError):
                        talk = tls.wrap_socket(client, server_side=True) if tls else client
                        talk.recv(1000)
                        talk.sendall(f"HTTP/1.1 {status}\r\nServer: {name}\r\nContent-Length: 0\r\n\r\n".encode())
                        talk.close()

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield sock.getsockname()[1]
        finally:
            sock.shutdown(socket.SHUT_RDWR)
            thread.join(10)


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("emotion-edge", "200 OK", "port-of-service"),
        ("emotion-edge", "503 Service Unavailable", "port-of-service"),
        ("nginx", "200 OK", "port-taken"),
    ],
)
def test_a_listener_that_cannot_be_looked_into_is_known_by_its_answer(
    tmp_path: Path, name: str, status: str, code: str
) -> None:
    with answering(name, status) as number:
        (finding,) = port.check(with_port(tmp_path, number), listener=lambda _: None)
    assert finding.code == code


@pytest.mark.parametrize("asked_for", [False, True])
@pytest.mark.parametrize("served", [False, True])
def test_a_program_that_was_started_with_or_without_tls_is_known_too(
    tmp_path: Path, asked_for: bool, served: bool
) -> None:
    certified(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "site.pem")
    with answering("emotion-edge", tls=context if served else None) as number:
        settings = Settings(server=ServerSettings(port=number, tls=asked_for))
        told(port.check(machine(tmp_path, settings=settings), listener=lambda _: None), "port-of-service")


def test_what_a_running_program_calls_itself_is_what_is_looked_for() -> None:
    answer = web.Response()
    asyncio.run(add_security_headers(make_mocked_request("GET", "/livez"), answer))
    assert answer.headers["Server"] == port.SERVER


def refused(number: int) -> ConfigError:
    error = ConfigError("Port 80 needs privileges this program does not have.")
    error.__cause__ = OSError(number, "refused")
    return error


def test_a_port_of_the_systems_is_found(tmp_path: Path) -> None:
    def forbidden(_: ServerSettings) -> socket.socket:
        raise refused(errno.EACCES)

    assert "8080" in told(port.check(with_port(tmp_path, 80), forbidden), "port-forbidden").fix


def test_an_address_that_is_not_this_machines_is_found(tmp_path: Path) -> None:
    server = ServerSettings(host="192.0.2.77", token="********")
    told(port.check(machine(tmp_path, settings=Settings(server=server))), "host-unusable")


def test_an_open_address_without_a_token_is_found_unless_systemd_has_one(tmp_path: Path) -> None:
    world = machine(tmp_path, settings=Settings(server=ServerSettings(host="0.0.0.0", port=0)))
    assert "no token is set" in told(port.check(world), "bind-unprotected").found
    unit = replace(RUNNING, credentials=(("token", "/etc/emotion-edge/token"),))
    told(port.check(replace(world, unit=unit)), "bind-unprotected")
    told(port.check(replace(world, unit=unit, user=User("emotion-edge", 995))), "port-ok")
    of_service = replace(world.settings, file="/etc/emotion-edge/config.toml")
    told(port.check(replace(world, unit=unit, settings=of_service)), "port-ok")


@pytest.mark.parametrize("host", ["a..b", f"{'a' * 64}.example"])
def test_a_host_that_cannot_be_a_name_is_found(tmp_path: Path, host: str) -> None:
    server = ServerSettings(host=host, token="********")
    assert (
        "cannot be a name"
        in told(port.check(machine(tmp_path, settings=Settings(server=server))), "host-unusable").found
    )


def with_broker(root: Path, host: str, number: int, **more: object) -> World:
    return machine(root, settings=Settings(mqtt=MqttSettings(host=host, port=number, **more)))  # type: ignore[arg-type]


def test_a_broker_that_takes_connections_is_well_and_none_needs_no_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker, "load_paho", lambda: None)
    with closing(listening()) as sock:
        number = sock.getsockname()[1]
        assert (
            f"127.0.0.1:{number}" in told(broker.check(with_broker(tmp_path, "127.0.0.1", number)), "broker-ok").found
        )
    assert list(broker.check(machine(tmp_path))) == []


@pytest.mark.parametrize("tls", [False, True])
def test_a_broker_that_cannot_be_reached_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tls: bool) -> None:
    monkeypatch.setattr(broker, "load_paho", lambda: None)
    with closing(listening()) as sock:
        number = sock.getsockname()[1]
    finding = told(broker.check(with_broker(tmp_path, "127.0.0.1", number, tls=tls)), "broker-unreachable")
    assert f"nothing listens at 127.0.0.1:{number}" in finding.found
    assert finding.severity == "warning"


def test_what_can_be_no_name_of_a_broker_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker, "load_paho", lambda: None)
    finding = told(broker.check(with_broker(tmp_path, "ü" * 60, 1883)), "broker-unreachable")
    assert "can be no name" in finding.found


def test_a_broker_without_its_package_or_authority_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = with_broker(tmp_path, "broker.example", 0, tls=True, ca="/nowhere.pem")

    def refuse(_: object, __: object) -> None:
        raise AssertionError("connected")

    monkeypatch.setitem(sys.modules, "paho.mqtt.client", None)
    assert "paho-mqtt is missing" in told(broker.check(world, refuse), "mqtt-unusable").found
    monkeypatch.setattr(broker, "load_paho", lambda: None)
    assert "/nowhere.pem" in told(broker.check(world, refuse), "mqtt-unusable").found


def certified(folder: Path) -> World:
    """A machine with a certificate of somebody else's making, valid from `NOW` on."""
    key = ec.generate_private_key(ec.SECP256R1())
    pem = serialization.Encoding.PEM
    plain = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file = folder / "site.pem"
    file.write_bytes(plain + make(key, ("pi.example",), NOW).public_bytes(pem))
    file.chmod(0o600)
    return machine(folder, settings=Settings(server=ServerSettings(tls=True, certificate=str(file))))


@pytest.mark.parametrize(
    ("left", "code"),
    [
        (timedelta(days=20), "certificate-ok"),
        (timedelta(days=5), "certificate-expiring"),
        (timedelta(days=-1), "certificate-expired"),
    ],
)
def test_a_certificate_is_judged_by_the_days_it_has_left(tmp_path: Path, left: timedelta, code: str) -> None:
    end = NOW + VALID - timedelta(days=1)
    (finding,) = certificate.check(certified(tmp_path), lambda: end - left)
    assert finding.code == code
    assert f"{end:%Y-%m-%d}" in finding.found


def test_certificates_that_expire_are_warned_of_and_expired_ones_are_faults(tmp_path: Path) -> None:
    world, end = certified(tmp_path), NOW + VALID
    soon = told(certificate.check(world, lambda: end - timedelta(days=3)), "certificate-expiring")
    assert (soon.severity, soon.expected) == ("warning", "14 days or more")
    assert told(certificate.check(world, lambda: end), "certificate-expired").severity == "fault"


def test_a_certificate_that_is_missing_or_open_to_others_is_found(tmp_path: Path) -> None:
    world = certified(tmp_path)
    (tmp_path / "site.pem").chmod(0o644)
    assert "others may read it" in told(certificate.check(world), "certificate-unusable").found
    (tmp_path / "site.pem").unlink()
    assert "cannot be read" in told(certificate.check(world), "certificate-unusable").found


def test_a_certificate_of_the_programs_own_is_its_own_affair_and_none_is_made(tmp_path: Path) -> None:
    world = machine(tmp_path, settings=Settings(server=ServerSettings(tls=True)))
    told(certificate.check(world), "certificate-ok")
    assert not (tmp_path / "state").exists()


def test_plain_http_needs_no_word(tmp_path: Path) -> None:
    assert list(certificate.check(machine(tmp_path))) == []
