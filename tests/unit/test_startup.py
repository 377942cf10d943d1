import gc
import os
import ssl

import pytest

from edge.startup import spare_threads, uncollected, without_authorities

AUTHORITIES = "SSL_CERT_FILE"


def test_while_the_program_is_built_no_garbage_is_looked_for_and_afterwards_it_is():
    frozen = gc.get_freeze_count()
    try:
        with uncollected():
            assert not gc.isenabled()
        assert gc.isenabled()
        assert gc.get_freeze_count() > frozen
    finally:
        gc.unfreeze()


def test_garbage_is_looked_for_again_if_the_program_cannot_be_built():
    try:
        with pytest.raises(ValueError, match="no such model"), uncollected():
            raise ValueError("no such model")
        assert gc.isenabled()
    finally:
        gc.unfreeze()


@pytest.mark.parametrize("named", [None, "/etc/my-authorities.pem"])
def test_authorities_are_unknown_for_a_while_only(named: str | None, monkeypatch: pytest.MonkeyPatch):
    if named is None:
        monkeypatch.delenv(AUTHORITIES, raising=False)
    else:
        monkeypatch.setenv(AUTHORITIES, named)
    with without_authorities():
        if os.name == "posix":  # Windows keeps its own elsewhere
            assert ssl.create_default_context().get_ca_certs() == []
    assert os.environ.get(AUTHORITIES) == named
    with pytest.raises(ImportError, match="aiohttp"), without_authorities():
        raise ImportError("aiohttp is not installed")
    assert os.environ.get(AUTHORITIES) == named


@pytest.mark.parametrize(("named", "expected"), [(None, "1"), ("3", "3")])
def test_a_persons_own_number_of_threads_stays(named: str | None, expected: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", named or "")
    if named is None:
        monkeypatch.delenv("OPENBLAS_NUM_THREADS")
    spare_threads()
    assert os.environ["OPENBLAS_NUM_THREADS"] == expected
