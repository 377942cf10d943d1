import json
import re
from html.parser import HTMLParser

import pytest

from edge.palette import FACE_COLOURS
from edge.server.doors import SIGN_IN_CSP, sign_in_page, signed_in_page
from edge.server.pages import load_assets

ASSETS = load_assets()


class Tags(HTMLParser):
    """Collects tags with their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


@pytest.mark.parametrize("name", sorted(ASSETS))
def test_no_file_of_the_page_needs_the_internet(name: str) -> None:
    addresses = re.findall(r"(?:https?:)?//[\w.-]+\.\w+[^\s\"')]*", ASSETS[name].body.decode())
    assert [address for address in addresses if "www.w3.org/2000/svg" not in address] == []


def test_the_page_has_nothing_inline_that_its_policy_forbids() -> None:
    for tag, attributes in Tags(ASSETS["index.html"].body.decode()).found:
        assert tag != "style"
        assert tag != "script" or attributes.get("src")
        assert not any(name == "style" or name.startswith("on") for name in attributes), (tag, attributes)


def test_every_file_the_page_names_is_there() -> None:
    page = ASSETS["index.html"].body.decode()
    assert set(re.findall(r'"static/([\w.]+)"', page)) <= set(ASSETS)
    for name, asset in ASSETS.items():
        if name.endswith(".js"):
            assert set(re.findall(r'from "\./([\w.]+)"', asset.body.decode())) <= set(ASSETS)


def test_every_id_the_scripts_look_up_is_on_the_page() -> None:
    ids = {attributes["id"] for _, attributes in Tags(ASSETS["index.html"].body.decode()).found if "id" in attributes}
    for name, asset in ASSETS.items():
        if name.endswith(".js"):
            assert set(re.findall(r'\b(?:at|getElementById)\("(\w+)"\)', asset.body.decode())) <= ids, name


def test_every_control_has_a_name_for_screen_readers() -> None:
    for tag, attributes in Tags(ASSETS["index.html"].body.decode()).found:
        if tag == "img":
            assert "alt" in attributes
        if tag == "button":
            assert attributes.get("aria-label")


def test_the_cards_have_the_colours_of_the_boxes() -> None:
    script = ASSETS["palette.js"].body.decode()
    colours = json.loads(script.removeprefix("export const FACE_COLOURS = ").removesuffix(";\n"))
    assert colours == [list(colour) for colour in FACE_COLOURS]


def test_the_notice_is_on_the_page() -> None:
    assert b"Apparent expression, not felt emotion." in ASSETS["index.html"].body


def test_the_sign_in_page_tells_a_wrong_token_from_none() -> None:
    assert "not the token" in sign_in_page(wrong=True)
    assert "not the token" not in sign_in_page(wrong=False)
    assert "sha256-" in SIGN_IN_CSP
    assert "unsafe-inline" not in SIGN_IN_CSP


def test_a_query_cannot_break_out_of_the_page() -> None:
    assert "<script>" not in signed_in_page('./?"><script>alert(1)</script>')
