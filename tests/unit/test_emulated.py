"""What an emulated machine says, and what is made of it."""

import pytest

from tests.stages.emulated import status_of


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ("booting\nended with 0\npower down\n", 0),
        ("ended with 3\n", 3),
        ("ended with 0\nonce more\nended with 1\n", 1),
        ("a program ended with 2\n", -1),
        ("booting\nended with ", -1),
        ("booting\nended with 1", -1),
        ("", -1),
    ],
)
def test_the_status_is_that_of_the_last_whole_line(said: str, status: int) -> None:
    assert status_of(said) == status
