import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from edge.errors import ConfigError
from edge.server.token import lan_addresses, lan_urls, load_or_make_token


def test_a_token_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "state" / "token"
    token = load_or_make_token(path)
    assert len(token) >= 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_or_make_token(path) == token
    assert [item.name for item in path.parent.iterdir()] == ["token"]


def test_two_installations_have_different_tokens(tmp_path: Path) -> None:
    assert load_or_make_token(tmp_path / "one") != load_or_make_token(tmp_path / "other")


def test_a_token_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "token"
    load_or_make_token(path)
    path.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        load_or_make_token(path)


def test_an_empty_file_is_no_token(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.touch(mode=0o600)
    with pytest.raises(ConfigError, match="0 characters"):
        load_or_make_token(path)


def test_a_token_that_cannot_be_kept_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="neither read nor made"):
        load_or_make_token(tmp_path / "file" / "token")


def test_whoever_starts_at_the_same_time_gets_the_same_token(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        tokens = set(threads.map(lambda _: load_or_make_token(tmp_path / "token"), range(16)))
    assert len(tokens) == 1


def test_the_urls_carry_the_token_and_the_port() -> None:
    urls = lan_urls("0.0.0.0", 8123, "a+b/c token")
    assert all(url.startswith("http://") and ":8123/?token=a%2Bb%2Fc%20token" in url for url in urls)
    assert urls[-1].split(":8123")[0].endswith(".local")
    assert len(urls) == len(lan_addresses()) + 1


def test_a_bind_to_one_address_gives_one_url() -> None:
    assert lan_urls("192.168.1.7", 80, None) == ["http://192.168.1.7:80/"]
    assert lan_urls("fd00::7", 80, None) == ["http://[fd00::7]:80/"]


def test_loopback_is_no_address_for_others() -> None:
    assert not any(address.startswith("127.") for address in lan_addresses())
    assert len(set(lan_addresses())) == len(lan_addresses())
