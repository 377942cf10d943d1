import msgspec
import pytest

from edge.server.settings import ServerSettings


@pytest.mark.parametrize(
    "bad",
    [
        {"port": -1},
        {"port": 65536},
        {"host": ""},
        {"max_clients": 0},
        {"send_timeout_s": 0},
        {"events_hz": 0},
        {"events_hz": 1000},
        {"token": "short"},
        {"tokn": "a mistyped key"},
    ],
)
def test_a_value_out_of_range_is_refused(bad: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(bad, ServerSettings)


def test_the_defaults_are_valid_and_stay_on_this_machine() -> None:
    assert msgspec.convert(msgspec.to_builtins(ServerSettings()), ServerSettings) == ServerSettings()
    assert ServerSettings().host == "127.0.0.1"


def test_the_token_does_not_show_in_logs() -> None:
    shown = repr(ServerSettings(token="correct horse battery"))
    assert "correct horse" not in shown
    assert "token=***" in shown
    assert "port=8080" in shown
