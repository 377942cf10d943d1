import json
import re
from html.parser import HTMLParser
from itertools import combinations

import numpy as np
import pytest

from edge.contract.labels import FER2013_LABELS
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
            assert set(re.findall(r'\b(?:at|getElementById)\("([\w-]+)"\)', asset.body.decode())) <= ids, name


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
    assert "not the token" in sign_in_page("./", wrong=True)
    assert "not the token" not in sign_in_page("./", wrong=False)
    assert "sha256-" in SIGN_IN_CSP
    assert "unsafe-inline" not in SIGN_IN_CSP


def test_a_query_cannot_break_out_of_the_page() -> None:
    assert "<script>" not in signed_in_page('./?"><script>alert(1)</script>')


def declared(selector: str) -> dict[str, str]:
    """The colours of one theme, by name."""
    block = ASSETS["base.css"].body.decode().partition(selector + " {")[2].partition("}")[0]
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6});", block))


def linear(colour: str) -> tuple[float, ...]:
    """Linear red, green and blue in 0..1 of `#rgb` or `#rrggbb` (IEC 61966-2-1)."""
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    shares = (int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4))
    return tuple(s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares)


def contrast(one: str, other: str) -> float:
    """WCAG 2.2, 1 to 21."""
    bright = sorted(sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear(x), strict=True)) for x in (one, other))
    return (bright[1] + 0.05) / (bright[0] + 0.05)


TEXTS = [
    *((ink, ground) for ink in ("ink", "quiet") for ground in ("ground", "paper", "rail")),
    *(("accent", ground) for ground in ("ground", "paper")),
    ("on-accent", "accent"),
    ("notice-ink", "notice"),
    ("ground", "ink"),
]
SIGNS = [("good", "ground"), ("warn", "ground"), ("bad", "ground"), ("quiet", "rail")]


@pytest.mark.parametrize("theme", [":root", ':root[data-theme="dark"]'])
def test_text_and_signs_stand_out_in_both_themes(theme: str) -> None:
    colours = declared(theme)
    assert [pair for pair in TEXTS if contrast(colours[pair[0]], colours[pair[1]]) < 4.5] == []
    assert [pair for pair in SIGNS if contrast(colours[pair[0]], colours[pair[1]]) < 3] == []


KNOWN = dict(re.findall(r'^  (\w+): "(#[0-9a-f]{6})",$', ASSETS["expressions.js"].body.decode(), re.MULTILINE))


def test_each_expression_has_a_colour_on_which_its_name_reads() -> None:
    assert set(KNOWN) == set(FER2013_LABELS)
    for label, colour in KNOWN.items():
        assert max(contrast(colour, ink) for ink in ("#111111", "#ffffff")) >= 4.5, label


SIGHT = {
    "ordinary": np.eye(3),
    # Machado, Oliveira and Fernandes 2009, doi:10.1109/TVCG.2009.113, table 1, severity 1.0
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
OKLAB_CONES = [[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566]]
OKLAB_CONES += [[0.0883024619, 0.2817188376, 0.6299787005]]
OKLAB = [[0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099]]
OKLAB += [[0.0259040371, 0.7827717662, -0.8086757660]]


@pytest.mark.parametrize("sight", SIGHT)
def test_colour_blind_people_tell_the_expressions_apart(sight: str) -> None:
    def seen(colour: str) -> np.ndarray:
        cones = np.array(OKLAB_CONES) @ np.clip(np.array(SIGHT[sight]) @ linear(colour), 0, 1)
        return np.array(OKLAB) @ np.cbrt(cones)

    distances = {(a, b): float(np.linalg.norm(seen(KNOWN[a]) - seen(KNOWN[b]))) for a, b in combinations(KNOWN, 2)}
    nearest = min(distances, key=lambda pair: distances[pair])
    # 0.02 in OKLab is just noticeable side by side (https://bottosson.github.io/posts/oklab/)
    assert distances[nearest] >= 0.14, (nearest, distances[nearest])
