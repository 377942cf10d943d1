"""The self-made certificate: for the names and addresses this machine has on its network."""

import ipaddress
import os
import re
import secrets
import socket
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from edge.errors import ConfigError
from edge.server.token import lan_addresses

try:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
except ImportError as error:
    raise ConfigError("server.tls needs the package cryptography: pip install cryptography") from error

VALID: Final = timedelta(days=825)
"""The most that iOS and macOS take from a certificate of one's own (https://support.apple.com/103769)."""

BACKDATED: Final = timedelta(days=1)
"""A phone's clock may be behind ours."""

RENEW: Final = timedelta(days=30)
MOST_NAMES: Final = 32
"""Addresses of earlier networks stay in, so that a laptop that goes to and fro is not a stranger each time."""

DNS_NAME: Final = re.compile(r"(?=.{1,253}$)[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*")


def keep(path: Path, host: str, now: datetime) -> None:
    """See to it that `path` holds a key and a certificate for what this machine is called now.

    A new certificate is made for the same key, so that programs that know the key by its hash still know it.

    Raises:
        ConfigError: what is there is not ours, or it can be neither read nor written.
    """
    names = own_names(host)
    try:
        if not path.exists():
            key = ec.generate_private_key(ec.SECP256R1())
            _write(path, key, make(key, names, now), first=True)
            return
        key, before = _read(path)
        if before.not_valid_after_utc - now > RENEW and set(names) <= set(names_in(before)):
            return
        all_names = tuple(dict.fromkeys((*names, *names_in(before))))[:MOST_NAMES]
        _write(path, key, make(key, all_names, now), first=False)
    except OSError as error:
        raise ConfigError(
            f"The certificate {path} can be neither read nor made ({error.strerror}). "
            "Make its folder writable for this user, or name one with server.certificate."
        ) from error


def own_names(host: str) -> tuple[str, ...]:
    """What browsers may call this machine: names and addresses.

    Args:
        host: where the server listens; counts unless it is a wildcard.
    """
    name = socket.gethostname().partition(".")[0].lower()
    found = [name, f"{name}.local", "localhost", "127.0.0.1", "::1", *lan_addresses()]
    if host not in ("0.0.0.0", "::"):
        found.append(host.lower())
    return tuple(dict.fromkeys(one for one in found if _is_address(one) or DNS_NAME.fullmatch(one)))


def make(key: ec.EllipticCurvePrivateKey, names: tuple[str, ...], now: datetime) -> x509.Certificate:
    """A certificate for `names`, signed by its own key. It can vouch for nothing but itself, wherever it is trusted."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"emotion-edge on {names[0]}"[:64])])
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now - BACKDATED + VALID)
        .add_extension(x509.SubjectAlternativeName([_general(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_signing_only(), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(identifier, critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False)
        .sign(key, hashes.SHA256())
    )


def names_in(certificate: x509.Certificate) -> tuple[str, ...]:
    """Names and addresses that a certificate is for."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(str(name.value) for name in found)


def _signing_only() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def _general(name: str) -> x509.GeneralName:
    return x509.IPAddress(ipaddress.ip_address(name)) if _is_address(name) else x509.DNSName(name)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _read(path: Path) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    content = path.read_bytes()
    try:
        key = serialization.load_pem_private_key(content, None)
        certificate = x509.load_pem_x509_certificate(content)
    except (ValueError, TypeError) as error:
        raise ConfigError(f"{path} holds no key and certificate. Delete it to have new ones made.") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ConfigError(f"{path} holds a key that this program did not make. Delete it, or use server.certificate.")
    return key, certificate


def _write(path: Path, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate, *, first: bool) -> None:
    pem, pkcs8, plain = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    content = key.private_bytes(pem, pkcs8, plain) + certificate.public_bytes(pem)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if first:
            # a link, not a rename: of two programs that start together, both use the certificate of the first
            with suppress(FileExistsError):
                os.link(draft, path)
        else:
            draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
