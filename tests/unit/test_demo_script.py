import math
from itertools import pairwise

import pytest

from edge.contract.labels import FER2013_LABELS
from edge.sources.script import MAX_FACES, MAX_ROLL_DEG, RADIUS_LIMIT, DemoFace, Script

HALF_MINUTE = [t / 30 for t in range(900)]


def test_the_same_seed_gives_the_same_film_and_another_another() -> None:
    assert Script(7).at(12.34) == Script(7).at(12.34)
    assert Script(7).at(12.34) != Script(8).at(12.34)


@pytest.mark.parametrize("faces", range(MAX_FACES + 1))
def test_there_are_as_many_faces_as_asked_for(faces: int) -> None:
    assert [face.id for face in Script(0, faces).at(3.0)] == list(range(1, faces + 1))


def test_too_many_faces_are_refused() -> None:
    with pytest.raises(ValueError, match="expected 0 to 8"):
        Script(0, MAX_FACES + 1)


def test_every_face_shows_every_expression() -> None:
    script = Script(0, 3)
    for index in range(3):
        assert {script.at(t)[index].label for t in range(30)} == set(FER2013_LABELS)


def test_at_most_a_fifth_of_the_time_is_a_change_and_the_label_changes_in_its_middle() -> None:
    script = Script(3, 3)
    faces = [face for t in HALF_MINUTE for face in script.at(t)]
    changing = [face for face in faces if face.previous != face.towards]
    assert 0 < len(changing) < len(faces) / 5
    assert all(face.label == (face.towards if face.blend >= 0.5 else face.previous) for face in changing)
    assert all(face.label == face.towards for face in faces if face.previous == face.towards)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("faces", [1, 2, 3, 4, 5, 8])
@pytest.mark.parametrize("aspect", [4 / 3, 16 / 9, 1.0])
def test_boxes_stay_in_the_picture(seed: int, faces: int, aspect: float) -> None:
    script = Script(seed, faces, aspect)
    for face in (face for t in HALF_MINUTE[::10] for face in script.at(t)):
        box = face.box
        assert box.x >= -0.03
        assert box.y >= -0.03
        assert box.x + box.w <= 1.03
        assert box.y + box.h <= 1.03
        assert face.radius <= RADIUS_LIMIT
        assert abs(face.roll_deg) <= MAX_ROLL_DEG


@pytest.mark.parametrize("seed", range(5))
def test_up_to_three_faces_are_large_enough_for_any_detector(seed: int) -> None:
    script = Script(seed, 3)
    assert min(face.radius for t in HALF_MINUTE for face in script.at(t)) * 480 >= 50


@pytest.mark.parametrize("seed", range(5))
def test_faces_glide(seed: int) -> None:
    script = Script(seed, 3)
    for before, after in pairwise(HALF_MINUTE):
        for a, b in zip(script.at(before), script.at(after), strict=True):
            # in 1/30 s: less than an eighth of its own size, a degree and a half, two percent in size
            assert math.hypot((b.x - a.x) * 4 / 3, b.y - a.y) < 0.25 * a.radius / 2
            assert abs(b.roll_deg - a.roll_deg) < 1.5
            assert b.radius == pytest.approx(a.radius, rel=0.02)


def overlap(a: DemoFace, b: DemoFace) -> float:
    """Intersection over union of the boxes."""
    w = min(a.box.x + a.box.w, b.box.x + b.box.w) - max(a.box.x, b.box.x)
    h = min(a.box.y + a.box.h, b.box.y + b.box.h) - max(a.box.y, b.box.y)
    shared = max(w, 0) * max(h, 0)
    return shared / (a.box.w * a.box.h + b.box.w * b.box.h - shared)


@pytest.mark.parametrize("seed", range(5))
def test_faces_are_mostly_apart_and_meet_now_and_then(seed: int) -> None:
    script = Script(seed, 3)
    minutes = [t / 5 for t in range(600)]
    worst = [max(overlap(f[0], f[1]), overlap(f[1], f[2]), overlap(f[0], f[2])) for f in map(script.at, minutes)]
    apart = sum(share < 0.02 for share in worst) / len(worst)
    assert apart > 0.75
    assert max(worst) > 0.1


@pytest.mark.parametrize("seed", range(5))
def test_who_is_nearer_when_two_meet_is_the_larger_one(seed: int) -> None:
    script = Script(seed, 2)
    crossings = [f for f in map(script.at, (t / 10 for t in range(1200))) if abs(f[0].x - f[1].x) < 0.05]
    assert crossings
    for a, b in crossings:
        near, far = (a, b) if a.radius > b.radius else (b, a)
        assert near.radius > 1.1 * far.radius
        assert near.y > far.y


def test_faces_end_up_elsewhere() -> None:
    script = Script(0, 3)
    leftmost = {min(script.at(9.0 * k), key=lambda face: face.x).id for k in range(12)}
    assert len(leftmost) >= 2


def test_the_film_goes_on_for_days() -> None:
    assert len(Script(0, 3).at(1e6)) == 3


def test_everybody_blinks() -> None:
    script = Script(0, 3)
    for index in range(3):
        lids = [script.at(t)[index].lids for t in HALF_MINUTE]
        assert min(lids) < 0.4
        assert sum(lid == 1.0 for lid in lids) > 0.9 * len(lids)
