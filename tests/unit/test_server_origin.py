import pytest

from edge.server.origin import is_own


@pytest.mark.parametrize(
    ("origin", "site", "scheme", "host"),
    [
        (None, None, "http", "localhost:8080"),
        (None, None, "http", None),
        (None, "same-origin", "http", "localhost:8080"),
        (None, "none", "http", "localhost:8080"),
        ("http://localhost:8080", None, "http", "localhost:8080"),
        ("http://localhost:8080", "same-origin", "http", "localhost:8080"),
        ("http://Pi.local", None, "http", "pi.LOCAL"),
        ("http://pi.local", None, "http", "pi.local:80"),
        ("https://pi.local", None, "https", "pi.local:443"),
        ("https://[fd00::7]:8443", None, "https", "[fd00::7]:8443"),
        # a proxy adds TLS: the browser vouches for what the server cannot see
        ("https://cam.example", "same-origin", "http", "cam.example"),
    ],
)
def test_our_own_page_and_programs(origin: str | None, site: str | None, scheme: str, host: str | None) -> None:
    assert is_own(origin, site, scheme, host)


@pytest.mark.parametrize(
    ("origin", "site", "scheme", "host"),
    [
        ("http://evil.example", None, "http", "localhost:8080"),
        ("null", None, "http", "localhost:8080"),
        ("null", "same-origin", "http", "localhost:8080"),
        ("http://localhost:3000", None, "http", "localhost:8080"),
        ("http://localhost", None, "http", "localhost:8080"),
        ("https://localhost:8080", None, "http", "localhost:8080"),
        ("http://localhost:8080", None, "https", "localhost:8080"),
        ("http://127.0.0.1:8080", None, "http", "localhost:8080"),
        ("http://localhost:8080.evil.example", None, "http", "localhost:8080"),
        ("http://localhost:8080", "cross-site", "http", "localhost:8080"),
        (None, "cross-site", "http", "localhost:8080"),
        (None, "same-site", "http", "localhost:8080"),
        ("https://evil.example", "same-origin", "http", "localhost:8080"),
        ("http://localhost", None, "http", None),
        ("", None, "http", "localhost"),
    ],
)
def test_everybody_else(origin: str | None, site: str | None, scheme: str, host: str | None) -> None:
    assert not is_own(origin, site, scheme, host)
