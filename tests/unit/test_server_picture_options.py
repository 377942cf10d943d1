"""What may be asked of the picture, and what is said to who asks wrongly."""

import pytest
from aiohttp import web
from multidict import MultiDict
from yarl import URL

from edge.server.picture_options import PictureOptions, picture_options
from edge.variants import DEFAULT, Variant


def asked(query: str, accept: str = "") -> PictureOptions:
    return picture_options(URL(f"http://x/?{query}").query, accept)


def test_without_options_it_is_the_default_picture_of_each_scene():
    options = asked("")
    assert options == PictureOptions()
    assert options.variant == DEFAULT
    assert options.interval_s == 0
    assert options.text() == ""


def test_all_options_together():
    options = asked("width=320&quality=60&raw=1&fps=12.5&results=1")
    assert options == PictureOptions(Variant(320, 60, raw=True), 12.5, results=True)
    assert options.interval_s == 0.08
    assert options.text() == "width=320&quality=60&raw=1&fps=12.5&results=1"


def test_names_that_mean_nothing_here_are_left_alone():
    assert asked("t=1700000000&action=stream&token=abc") == PictureOptions()


def test_an_odd_width_is_made_even():
    assert asked("width=321").variant.width == 320


@pytest.mark.parametrize(
    ("query", "found", "allowed"),
    [
        ("width=31", "'31'", "32 to 8192"),
        ("width=8194", "'8194'", "32 to 8192"),
        ("width=1e3", "'1e3'", "whole number"),
        ("width=", "''", "whole number"),
        ("width=-320", "'-320'", "whole number"),
        ("width=%D9%A3%D9%A2%D9%A0", "'٣٢٠'", "whole number"),
        ("width=320&width=640", "'320' and '640'", "once"),
        ("width=" + "9" * 5000, "'" + "9" * 40 + "'", "whole number"),
        ("quality=0", "'0'", "1 to 100"),
        ("quality=101", "'101'", "1 to 100"),
        ("fps=0", "'0'", "0.05 to 120"),
        ("fps=nan", "'nan'", "0.05 to 120"),
        ("fps=inf", "'inf'", "0.05 to 120"),
        ("fps=fast", "'fast'", "0.05 to 120"),
        ("raw=yes", "'yes'", "0 or 1"),
        ("results=", "''", "0 or 1"),
        ("format=png", "'png'", "jpeg or json"),
    ],
)
def test_what_cannot_be_had_is_refused_with_what_can(query: str, found: str, allowed: str):
    with pytest.raises(web.HTTPBadRequest) as caught:
        asked(query)
    text = caught.value.text or ""
    assert query.partition("=")[0] in text
    assert found in text
    assert allowed in text


def test_json_is_asked_for_by_an_option_or_a_header():
    assert asked("format=json").as_json
    assert asked("", "application/json").as_json
    assert not asked("format=jpeg", "application/json").as_json
    assert not asked("", "image/avif,image/webp,*/*;q=0.8").as_json


def test_a_query_without_any_option_costs_nothing_to_read():
    assert picture_options(MultiDict()) == PictureOptions()
