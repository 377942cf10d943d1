"""Whether the certificate of https can be used, and for how long."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from edge.doctor.findings import Finding
from edge.doctor.world import World
from edge.errors import ConfigError
from edge.named_paths import at_home
from edge.server.tls import SELF_MADE, load_tls

SOON: Final = timedelta(days=14)
"""What renews certificates does so 30 days before they expire, and has then failed for half of that."""


def check(world: World, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Iterator[Finding]:
    """A given one as the server would load it; one of the program's own is made and renewed by the program."""
    settings = world.settings.server
    if settings.tls and not settings.certificate:
        own = Path(world.state, SELF_MADE)
        yield world.finding("certificate-ok", f"{own}: made at the first start, and renewed by the program")
        return
    try:
        if load_tls(settings, Path(world.state)) is None:
            return
    except ConfigError as error:
        yield world.finding("certificate-unusable", str(error))
        return
    path = at_home(settings.certificate)
    until = _until(path)
    found = f"{path} is valid until {until:%Y-%m-%d}"
    left = until - now()
    if left <= timedelta():
        yield world.finding("certificate-expired", found)
    elif left < SOON:
        yield world.finding("certificate-expiring", found, days=str(SOON.days))
    else:
        yield world.finding("certificate-ok", found)


def _until(path: Path) -> datetime:
    from cryptography import x509  # noqa: PLC0415  # only where there is a certificate

    return x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc
