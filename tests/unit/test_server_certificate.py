import ssl
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from edge.errors import ConfigError
from edge.server import certificate
from edge.server.certificate import MOST_NAMES, RENEW, VALID, keep, make, names_in, own_names
from edge.server.settings import ServerSettings
from edge.server.tls import SELF_MADE, Tls, load_tls

NOW = datetime(2026, 6, 1, tzinfo=UTC)
PEM = serialization.Encoding.PEM


@pytest.fixture(autouse=True)
def home_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certificate, "lan_addresses", lambda: ["192.168.1.7"])
    monkeypatch.setattr(certificate.socket, "gethostname", lambda: "Pi.home.arpa")


def kept(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def public_key(found: x509.Certificate) -> bytes:
    return found.public_key().public_bytes(PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def test_it_is_made_once_for_all_names_of_this_machine_and_nobody_else_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "state" / SELF_MADE
    keep(path, "0.0.0.0", NOW)
    before = path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert set(names_in(kept(path))) == {"pi", "pi.local", "localhost", "127.0.0.1", "::1", "192.168.1.7"}
    keep(path, "0.0.0.0", NOW + timedelta(days=700))
    assert path.read_bytes() == before
    assert [item.name for item in path.parent.iterdir()] == [SELF_MADE]


def test_phones_take_it(tmp_path: Path) -> None:
    keep(tmp_path / SELF_MADE, "0.0.0.0", NOW)
    found = kept(tmp_path / SELF_MADE)
    key = found.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert key.curve.name == "secp256r1"
    assert found.not_valid_after_utc - found.not_valid_before_utc <= timedelta(days=825)
    assert found.not_valid_before_utc < NOW
    assert isinstance(found.signature_hash_algorithm, hashes.SHA256)
    # whoever trusts it trusts no other certificate with it
    assert found.extensions.get_extension_for_class(x509.BasicConstraints).value.ca is False


@pytest.mark.parametrize("left", [RENEW - timedelta(days=1), timedelta(days=-100)])
def test_it_is_renewed_before_it_expires_with_the_same_key(tmp_path: Path, left: timedelta) -> None:
    path = tmp_path / SELF_MADE
    keep(path, "0.0.0.0", NOW)
    before = kept(path)
    keep(path, "0.0.0.0", NOW + VALID - left)
    after = kept(path)
    assert after.not_valid_after_utc > before.not_valid_after_utc
    assert public_key(after) == public_key(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_it_is_renewed_for_a_new_address_and_keeps_the_old_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / SELF_MADE
    keep(path, "0.0.0.0", NOW)
    monkeypatch.setattr(certificate, "lan_addresses", lambda: ["10.0.0.9"])
    keep(path, "0.0.0.0", NOW)
    at_work = path.read_bytes()
    assert {"192.168.1.7", "10.0.0.9"} <= set(names_in(kept(path)))
    monkeypatch.setattr(certificate, "lan_addresses", lambda: ["192.168.1.7"])
    keep(path, "0.0.0.0", NOW)
    assert path.read_bytes() == at_work
    for number in range(2 * MOST_NAMES):
        address = f"10.1.0.{number}"
        monkeypatch.setattr(certificate, "lan_addresses", lambda address=address: [address])
        keep(path, "0.0.0.0", NOW)
        assert address in names_in(kept(path))
    assert len(names_in(kept(path))) == MOST_NAMES


def test_a_host_by_name_is_covered_and_a_name_no_certificate_can_have_is_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert "cam.example" in own_names("Cam.example")
    assert "fd00::7" in own_names("fd00::7")
    monkeypatch.setattr(certificate.socket, "gethostname", lambda: "my_pi ä")
    assert own_names("0.0.0.0") == ("localhost", "127.0.0.1", "::1", "192.168.1.7")
    monkeypatch.setattr(certificate.socket, "gethostname", lambda: "x" * 63)
    make(ec.generate_private_key(ec.SECP256R1()), own_names("::"), NOW)


@pytest.mark.parametrize("content", [b"", b"nonsense", b"-----BEGIN PRIVATE KEY-----\n\n-----END PRIVATE KEY-----\n"])
def test_what_is_not_ours_is_not_overwritten(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / SELF_MADE
    path.write_bytes(content)
    with pytest.raises(ConfigError, match="Delete it"):
        keep(path, "0.0.0.0", NOW)
    assert path.read_bytes() == content


def test_a_folder_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="neither read nor made"):
        keep(tmp_path / "file" / SELF_MADE, "0.0.0.0", NOW)


def test_whoever_starts_at_the_same_time_gets_the_same_certificate(tmp_path: Path) -> None:
    settings = ServerSettings(tls=True)
    with ThreadPoolExecutor(4) as threads:
        made = list(threads.map(lambda _: Tls(settings, tmp_path).fingerprint, range(8)))
    assert len(set(made)) == 1


def test_our_own_key_must_not_be_open_to_others(tmp_path: Path) -> None:
    settings = ServerSettings(tls=True)
    Tls(settings, tmp_path)
    (tmp_path / SELF_MADE).chmod(0o640)
    with pytest.raises(ConfigError, match="chmod 600"):
        Tls(settings, tmp_path)


class Given:
    """A certificate as somebody else would make it, in two files."""

    def __init__(self, folder: Path, *, valid_from: datetime | None = None) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.settings = ServerSettings(tls=True, certificate=str(folder / "cert.pem"), key=str(folder / "key.pem"))
        self.certificate, self.key_path = folder / "cert.pem", folder / "key.pem"
        self.write_certificate(valid_from or datetime.now(UTC))
        self.write_key(self.key)

    def write_certificate(self, valid_from: datetime) -> None:
        self.certificate.write_bytes(make(self.key, ("cam.example",), valid_from).public_bytes(PEM))

    def write_key(self, key: ec.EllipticCurvePrivateKey, password: bytes | None = None) -> None:
        how = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
        self.key_path.write_bytes(key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, how))
        self.key_path.chmod(0o600)


@pytest.fixture
def given(tmp_path: Path) -> Given:
    return Given(tmp_path)


def test_a_given_certificate_is_taken_as_it_is(given: Given, tmp_path: Path) -> None:
    tls = Tls(given.settings, tmp_path / "state")
    assert not tls.self_made
    assert tls.fingerprint == kept(given.certificate).fingerprint(hashes.SHA256()).hex(":").upper()
    assert not (tmp_path / "state").exists()
    given.key_path.chmod(0o640)  # a group such as Debian's ssl-cert may read it
    Tls(given.settings, tmp_path)


def test_certificate_and_key_may_be_in_one_file(given: Given, tmp_path: Path) -> None:
    both = tmp_path / "both.pem"
    both.write_bytes(given.certificate.read_bytes() + given.key_path.read_bytes())
    both.chmod(0o600)
    assert Tls(ServerSettings(tls=True, certificate=str(both)), tmp_path).fingerprint


def test_what_is_wrong_with_a_given_one_is_named(given: Given, tmp_path: Path) -> None:
    def refused(match: str) -> None:
        with pytest.raises(ConfigError, match=match):
            Tls(given.settings, tmp_path)

    given.write_key(ec.generate_private_key(ec.SECP256R1()))
    refused("is not the key of the certificate")
    given.write_key(given.key, password=b"secret")
    refused("is encrypted")
    given.write_key(given.key)
    given.key_path.chmod(0o644)
    refused("mode 0644: others may read it")
    given.key_path.chmod(0o600)
    given.key_path.write_text("no key")
    refused("holds no private key")
    given.key_path.unlink()
    refused(r"key\.pem cannot be read: No such file")
    given.certificate.write_text("no certificate")
    refused("holds no certificate in PEM format")
    given.certificate.unlink()
    refused(r"cert\.pem cannot be read: No such file")


def test_an_expired_one_is_served_and_warned_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    given = Given(tmp_path, valid_from=datetime.now(UTC) - 2 * VALID)
    Tls(given.settings, tmp_path)
    assert "has expired" in caplog.text


def test_a_renewed_one_is_taken_and_a_broken_one_is_not(
    given: Given, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tls = Tls(given.settings, tmp_path)
    first = tls.fingerprint
    given.write_certificate(datetime.now(UTC) - timedelta(days=2))
    tls.reload_or_keep()
    second = tls.fingerprint
    assert second != first
    given.certificate.write_text("half of it")
    tls.reload_or_keep()
    assert tls.fingerprint == second
    assert "stays" in caplog.text


def test_files_without_tls_are_a_mistake_that_is_told(given: Given, tmp_path: Path) -> None:
    assert load_tls(ServerSettings(), tmp_path) is None
    with pytest.raises(ConfigError, match=r"server\.tls = true"):
        load_tls(ServerSettings(certificate=given.settings.certificate), tmp_path)


def test_old_protocols_are_not_spoken(given: Given, tmp_path: Path) -> None:
    context = Tls(given.settings, tmp_path).context
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert context.options & ssl.OP_NO_RENEGOTIATION
