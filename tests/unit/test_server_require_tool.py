import pytest

from tests.tools import require_tool


def test_a_tool_that_is_there_is_found() -> None:
    assert require_tool("sh", "").name == "sh"


def test_a_missing_tool_skips_and_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="needs no-such-tool: ask for it"):
        require_tool("no-such-tool", "ask for it")


def test_a_missing_tool_fails_where_ci_promises_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="needs no-such-tool"):
        require_tool("no-such-tool", "ask for it")
