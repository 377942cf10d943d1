from itertools import combinations

import pytest

from edge.palette import FACE_COLOURS, Rgb, face_colour

WHITE, DARK = (255, 255, 255), (22, 25, 30)


def luminance(colour: Rgb) -> float:
    """WCAG 2.2, relative luminance."""
    linear = [c / 255 / 12.92 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: Rgb, other: Rgb) -> float:
    """WCAG 2.2, contrast ratio."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("colour", FACE_COLOURS)
def test_white_text_reads_on_each_colour(colour: Rgb) -> None:
    assert contrast(colour, WHITE) >= 4.5


@pytest.mark.parametrize("colour", FACE_COLOURS)
def test_each_colour_stands_out_from_a_dark_card(colour: Rgb) -> None:
    assert contrast(colour, DARK) >= 3.0


def test_no_two_colours_look_alike() -> None:
    for one, other in combinations(FACE_COLOURS, 2):
        assert sum((a - b) ** 2 for a, b in zip(one, other, strict=True)) ** 0.5 > 60


def test_a_face_keeps_its_colour_and_its_neighbour_has_another() -> None:
    assert face_colour(3) == face_colour(3)
    assert all(face_colour(n) != face_colour(n + 1) for n in range(50))
