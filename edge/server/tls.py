"""https: with the certificate that the settings name, or with one made here and kept beside the token."""

import hashlib
import logging
import os
import ssl
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

from edge.errors import ConfigError
from edge.logs import event
from edge.named_paths import at_home
from edge.server.settings import ServerSettings

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

log = logging.getLogger(__name__)

SELF_MADE: Final = "tls.pem"
RELOAD_S: Final = 3600.0
"""Given certificates are renewed by other programs every few weeks; ours may expire while we run."""


class Tls:
    """What is needed to serve https. New connections get the newest certificate.

    Attributes:
        context: for the server's sockets.
        fingerprint: SHA-256 of the certificate, as browsers show it: "AB:CD:…".
        self_made: whether browsers will warn, since nobody they know vouches for it.
    """

    def __init__(self, settings: ServerSettings, folder: Path) -> None:
        """Load the certificate, or make it.

        Args:
            settings: with `tls` on.
            folder: where a self-made certificate is kept.

        Raises:
            ConfigError: a file is missing, unreadable, not what it should be, or open to others.
        """
        self.self_made = not settings.certificate
        self._host = settings.host
        self._certificate = folder / SELF_MADE if self.self_made else at_home(settings.certificate)
        self._key = at_home(settings.key) if settings.key else self._certificate
        self.context = _context()
        self.fingerprint = ""
        self.reload()

    def reload(self) -> None:
        """Take what the files hold now; a self-made certificate is renewed if need be.

        Raises:
            ConfigError: see above; what was loaded before goes on.
        """
        if self.self_made:
            from edge.server.certificate import keep  # noqa: PLC0415  # cryptography is loaded by those who need it

            keep(self._certificate, self._host, datetime.now(UTC))
        found = _load(self._certificate)
        fingerprint = hashlib.sha256(_der(found)).hexdigest().upper()
        fingerprint = ":".join(fingerprint[at : at + 2] for at in range(0, len(fingerprint), 2))
        if fingerprint == self.fingerprint:
            return
        _check_mode(self._key, own=self.self_made)
        _load_into(_context(), self._certificate, self._key)  # a trial: a failure must not spoil the one in use
        _load_into(self.context, self._certificate, self._key)
        self.fingerprint = fingerprint
        until = found.not_valid_after_utc
        if until <= datetime.now(UTC):
            message = f"the certificate {self._certificate} has expired; browsers will warn. Renew it"
            event(log, logging.WARNING, "tls.expired", message, until=f"{until:%Y-%m-%d}")
        kind = "made by this program" if self.self_made else str(self._certificate)
        message = f"the certificate: {kind}"
        event(log, logging.INFO, "tls.certificate", message, sha256=fingerprint, until=f"{until:%Y-%m-%d}")

    def reload_or_keep(self) -> None:
        """The same while the server runs: what is wrong is logged, and the certificate in use stays."""
        try:
            self.reload()
        except ConfigError as error:
            event(log, logging.WARNING, "tls.kept", f"{error} The one in use stays.")


def load_tls(settings: ServerSettings, folder: Path) -> Tls | None:
    """What the settings ask for; None: plain http.

    Raises:
        ConfigError: see `Tls`; or files are named and `tls` is off.
    """
    check_tls_is_on(settings)
    return Tls(settings, folder) if settings.tls else None


def check_tls_is_on(settings: ServerSettings) -> None:
    """Refuse files of which no use would be made.

    Raises:
        ConfigError: they are named, and `tls` is off.
    """
    if not settings.tls and (settings.certificate or settings.key):
        raise ConfigError(
            "server.certificate or server.key is set, and server.tls is not: it would be served without encryption. "
            "Set server.tls = true (or --tls), or remove them."
        )


def check_tls(settings: ServerSettings) -> None:
    """Refuse files that cannot be used, without using them. A certificate of the program's own is not looked at.

    Raises:
        ConfigError: see `load_tls`.
    """
    check_tls_is_on(settings)
    if settings.tls and settings.certificate:
        certificate = at_home(settings.certificate)
        key = at_home(settings.key) if settings.key else certificate
        _load(certificate)
        _check_mode(key, own=False)
        _load_into(_context(), certificate, key)


def _context() -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION  # costs a server more than the client who asks for it again and again
    context.set_alpn_protocols(["http/1.1"])
    return context


def _load(path: Path) -> "Certificate":
    try:
        from cryptography import x509  # noqa: PLC0415
    except ImportError as error:
        raise ConfigError("server.tls needs the package cryptography: pip install cryptography") from error
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except OSError as error:
        raise ConfigError(f"server.certificate {path} cannot be read: {error.strerror}. Check the path.") from error
    except ValueError as error:
        raise ConfigError(
            f"server.certificate {path} holds no certificate in PEM format (-----BEGIN CERTIFICATE-----)."
        ) from error


def _der(certificate: "Certificate") -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415

    return certificate.public_bytes(Encoding.DER)


def _load_into(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    def no_password() -> NoReturn:
        # OpenSSL would ask for it on the terminal, where nobody may be
        raise ConfigError(f"server.key {key} is encrypted. Give one without a password, readable by this user only.")

    try:
        context.load_cert_chain(certificate, key, no_password)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise ConfigError(f"server.key {key} is not the key of the certificate {certificate}.") from error
        raise ConfigError(
            f"server.key {key} holds no private key in PEM format that fits {certificate} ({error.reason})."
        ) from error
    except OSError as error:
        raise ConfigError(f"server.key {key} cannot be read: {error.strerror}. Check the path.") from error


def _check_mode(key: Path, own: bool) -> None:
    """Refuse a key that others may read; a given one may be shared with a group, as Debian's `ssl-cert` does."""
    try:
        mode = stat.S_IMODE(key.stat().st_mode)
    except OSError as error:
        raise ConfigError(f"server.key {key} cannot be read: {error.strerror}. Check the path.") from error
    if os.name == "posix" and mode & (0o077 if own else 0o007):
        raise ConfigError(f"The private key {key} has mode {mode:04o}: others may read it. Run: chmod 600 {key}")
