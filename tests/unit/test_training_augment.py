"""Views of a picture: replayable, within their ranges, edges repeated."""

import numpy as np
import pytest

from tests.training_fakes import RECIPES, noise_chips
from training.augment import augment, inverse_transforms
from training.randomness import bits, normals, uniforms
from training.recipe import AugmentSettings, load_recipe

ROWS = np.arange(64, dtype=np.int64)
FULL = load_recipe(RECIPES / "compact.toml").augment


def smooth_chips(count: int) -> np.ndarray:
    """Ramps: values follow the place, so that geometry can be read off them."""
    ramp = np.linspace(40, 200, 48)
    return np.broadcast_to((ramp[:, None] + ramp[None, :]) / 2, (count, 48, 48)).astype(np.uint8)[..., None]


def test_numbers_depend_on_seed_row_view_and_purpose_and_on_nothing_else():
    base = bits(1, ROWS, 0, 3)
    assert np.array_equal(base[10:20], bits(1, ROWS[10:20], 0, 3))
    assert np.array_equal(base[:, :2], bits(1, ROWS, 0, 2))
    others = [bits(2, ROWS, 0, 3), bits(1, ROWS + 1000, 0, 3), bits(1, ROWS, 1, 3), bits(1, ROWS, 0, 3, stream=1)]
    assert all(not np.intersect1d(base, other).size for other in others)


def test_uniform_numbers_fill_zero_to_one_evenly():
    drawn = uniforms(3, np.arange(20_000, dtype=np.int64), 5, 2)
    assert drawn.min() >= 0
    assert drawn.max() < 1
    assert np.histogram(drawn[:, 0], bins=10, range=(0, 1))[0] == pytest.approx(2000, rel=0.1)
    assert abs(np.corrcoef(drawn.T)[0, 1]) < 0.03


def test_normal_numbers_have_mean_zero_and_deviation_one():
    drawn = normals(3, np.arange(500, dtype=np.int64), 0, 100)
    assert drawn.mean() == pytest.approx(0, abs=0.02)
    assert drawn.std() == pytest.approx(1, abs=0.02)


def test_a_view_can_be_replayed_alone_and_in_any_batch():
    chips = noise_chips(64)
    all_at_once = augment(chips, ROWS, 3, 1, FULL)
    alone = np.concatenate([augment(chips[i : i + 1], ROWS[i : i + 1], 3, 1, FULL) for i in range(64)])
    assert np.array_equal(all_at_once, alone)
    shuffled = ROWS[::-1].copy()
    assert np.array_equal(augment(chips[shuffled], shuffled, 3, 1, FULL), all_at_once[shuffled])


def test_another_view_or_seed_is_another_picture():
    chips = noise_chips(64)
    first = augment(chips, ROWS, 0, 1, FULL)
    for other in (augment(chips, ROWS, 1, 1, FULL), augment(chips, ROWS, 0, 2, FULL)):
        assert (first != other).any(axis=(1, 2, 3)).all()


def test_no_settings_change_nothing():
    chips = noise_chips(64)
    assert np.array_equal(augment(chips, ROWS, 0, 1, AugmentSettings()), chips)


def test_the_pictures_given_stay_as_they_are():
    chips = noise_chips(8)
    before = chips.copy()
    chips.setflags(write=False)
    result = augment(chips, ROWS[:8], 0, 1, FULL)
    assert np.array_equal(chips, before)
    assert (result.dtype, result.shape) == (np.uint8, (8, 48, 48, 1))


def test_a_flip_mirrors_exactly():
    chips = noise_chips(64)
    views = augment(chips, ROWS, 0, 1, AugmentSettings(flip_share=0.5))
    mirrored = (views == chips[:, :, ::-1]).all(axis=(1, 2, 3))
    kept = (views == chips).all(axis=(1, 2, 3))
    assert (mirrored ^ kept).all()
    assert 16 <= mirrored.sum() <= 48


def test_geometry_keeps_to_its_ranges():
    settings = AugmentSettings(roll_deg=12, scale=0.14, aspect=0.08, shift=0.07)
    inverse = inverse_transforms(uniforms(1, np.arange(5000, dtype=np.int64), 0, 21), settings, 48)
    linear = np.linalg.inv(inverse[:, :, :2].astype(np.float64))
    zoom_x, zoom_y = np.linalg.norm(linear[:, :, 0], axis=1), np.linalg.norm(linear[:, :, 1], axis=1)
    area = np.sqrt(np.abs(np.linalg.det(linear)))
    roll = np.degrees(np.arctan2(linear[:, 1, 0], linear[:, 0, 0]))
    centre = np.einsum("nij,nj->ni", linear, 23.5 - inverse[:, :, 2]) - 23.5
    for values, low, high in (
        (area, 0.86, 1.14),
        (roll, -12.6, 12.6),  # the stretch comes after the turn and bends the angle a little
        (centre, -3.36, 3.36),
    ):
        assert low <= values.min() < low + 0.1 * (high - low)
        assert high >= values.max() > high - 0.1 * (high - low)
    assert 0.9 < np.median(zoom_x / zoom_y) < 1.1


def test_wide_views_go_further_and_are_as_many_as_asked_for():
    settings = AugmentSettings(roll_deg=5, wide_share=0.2, wide_roll_deg=40)
    inverse = inverse_transforms(uniforms(1, np.arange(5000, dtype=np.int64), 0, 21), settings, 48)
    roll = np.abs(np.degrees(np.arctan2(inverse[:, 0, 1], inverse[:, 0, 0])))
    assert roll.max() > 35
    # an eighth of the wide views turn by less than 5°
    assert (roll > 5).mean() == pytest.approx(0.2 * 7 / 8, abs=0.02)


def test_beyond_the_picture_its_edge_is_repeated():
    ramp = np.broadcast_to(np.linspace(40, 200, 48)[:, None], (64, 48, 48)).astype(np.uint8)[..., None]
    views = augment(ramp, ROWS, 0, 1, AugmentSettings(shift=1.0))
    assert (views >= 40).all()
    assert (views <= 200).all()
    one_colour = views.min(axis=(1, 2, 3)) == views.max(axis=(1, 2, 3))
    assert set(views[one_colour][:, 0, 0, 0].tolist()) <= {40, 200}


def test_neighbours_in_the_batch_do_not_show():
    chips = np.zeros((64, 48, 48, 1), np.uint8)
    chips[1::2] = 255
    settings = AugmentSettings(roll_deg=20, scale=0.3, shift=0.3)
    views = augment(chips, ROWS, 0, 1, settings)
    assert views[::2].max() == 0
    assert views[1::2].min() == 255


def test_more_pictures_than_the_image_library_takes_at_once_are_no_problem():
    rows = np.arange(1500, dtype=np.int64)
    chips = noise_chips(1500)
    settings = AugmentSettings(roll_deg=20, scale=0.3)
    views = augment(chips, rows, 0, 1, settings)
    assert np.array_equal(views[1400:], augment(chips[1400:], rows[1400:], 0, 1, settings))


@pytest.mark.parametrize(
    ("settings", "changes"),
    [
        (AugmentSettings(blur_share=0.5, blur_sigma_px=(1, 1.6)), lambda chips, views: views.std() < chips.std()),
        (AugmentSettings(small_share=0.5, small_px=(16, 20)), lambda chips, views: views.std() < chips.std()),
        (AugmentSettings(erase_share=0.5), lambda chips, views: (views != chips).mean() < 0.2),
    ],
)
def test_each_degradation_meets_the_share_asked_for(settings, changes):
    chips = noise_chips(200)
    views = augment(chips, np.arange(200, dtype=np.int64), 0, 1, settings)
    changed = (views != chips).any(axis=(1, 2, 3))
    assert 70 <= changed.sum() <= 130
    assert changes(chips[changed], views[changed])


def test_blur_and_smallness_keep_a_smooth_picture():
    chips = smooth_chips(64)
    for settings in (AugmentSettings(blur_share=1), AugmentSettings(small_share=1)):
        views = augment(chips, ROWS, 0, 1, settings)
        # away from the edges, where repeating the border flattens the ramp
        assert np.abs(views.astype(int) - chips)[:, 8:-8, 8:-8].max() <= 2


def test_noise_has_the_deviation_asked_for():
    chips = np.full((64, 48, 48, 1), 128, np.uint8)
    views = augment(chips, ROWS, 0, 1, AugmentSettings(noise_share=1, noise_sigma=(10, 10)))
    assert views.std() == pytest.approx(10, rel=0.05)
    assert views.mean() == pytest.approx(128, abs=0.2)


def test_light_stays_within_the_range_of_a_pixel():
    views = augment(noise_chips(64), ROWS, 0, 1, AugmentSettings(contrast=0.9, brightness=0.5))
    assert views.min() == 0
    assert views.max() == 255


def test_a_view_does_not_depend_on_its_place_in_however_large_a_batch():
    turned, count = AugmentSettings(roll_deg=12, scale=0.1), 40_000
    picture = np.random.default_rng(0).integers(0, 256, (1, 16, 16, 1), np.uint8)
    rows = np.arange(count, dtype=np.int64)
    last = augment(np.repeat(picture, count, axis=0), rows, 0, 1, turned)[-4:]
    assert np.array_equal(last, augment(np.repeat(picture, 4, axis=0), rows[-4:], 0, 1, turned))
