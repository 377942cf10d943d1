"""The real FER2013, where it is present: what its description says is what the loader finds."""

from pathlib import Path

import numpy as np
import pytest

from tests.training_fakes import real_fer2013
from training.data import LOADERS
from training.data.dataset import Dataset, blank
from training.data.duplicates import duplicate_groups
from training.data.splits import divide


@pytest.fixture(scope="module")
def fer2013(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return LOADERS["fer2013-csv"](real_fer2013(), None)


def test_all_rows_arrive_with_their_classes(fer2013: Dataset):
    counts = {name: np.bincount(fer2013.split(name).labels, minlength=7).tolist() for name in fer2013.split_names()}
    assert counts == {
        "Training": [3995, 436, 4097, 7215, 4830, 3171, 4965],
        "PublicTest": [467, 56, 496, 895, 653, 415, 607],
    }


def test_a_dozen_pictures_are_blank(fer2013: Dataset):
    shows_nothing = blank(fer2013.chips)
    assert np.bincount(fer2013.splits[shows_nothing] == "Training").tolist() == [1, 11]


@pytest.mark.slow
def test_no_held_out_picture_is_trained_on(fer2013: Dataset, tmp_path: Path):
    groups = duplicate_groups(fer2013.chips, 0.985)
    parts = divide(fer2013, groups, "Training", "PublicTest", 0.1)
    assert (len(parts.train), len(parts.holdout), len(parts.report)) == (25828, 2870, 3589)
    assert not set(groups[parts.train.rows]) & set(groups[parts.holdout.rows])
    # 280 are pixel for pixel the same as one of Training, others are alike
    assert 280 <= np.count_nonzero(~parts.report_unseen) <= 320
