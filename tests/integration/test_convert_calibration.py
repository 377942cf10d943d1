"""Calibration data that cannot stand for what the model will see are refused."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from convert.calibration import PER_CLASS, refuse_scaled, refuse_too_few
from convert.quantize import Job, quantize
from edge.contract.card import Mode
from edge.errors import ConfigError
from tests.small_run import small_job
from tests.training_fakes import fer_rows, write_fer


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Job:
    """A trained model with its report, and made-up pictures."""
    return small_job(tmp_path_factory.mktemp("run"))


def counted(*counts: int) -> np.ndarray:
    return np.repeat(np.arange(len(counts)), counts)


@pytest.mark.parametrize("learnt_from", [True, False])
def test_calibration_of_one_class_is_refused(learnt_from: bool):
    with pytest.raises(ConfigError, match=r"of one class only \(sad 0, happy 90\); expected every class"):
        refuse_too_few(counted(0, 90), ("sad", "happy"), learnt_from)


def test_too_few_of_a_class_are_refused_unless_the_model_never_saw_more():
    names = ("sad", "happy", "fear")
    refuse_too_few(np.append(counted(10, PER_CLASS, 10), -1), names, learnt_from=False)
    with pytest.raises(ConfigError, match=r"too few calibration chips of fear \(sad 10, happy 60, fear 9\).* least 10"):
        refuse_too_few(counted(10, PER_CLASS, 9), names, learnt_from=False)
    refuse_too_few(counted(10, PER_CLASS, 9), names, learnt_from=True)
    with pytest.raises(ConfigError, match="too few calibration chips of sad"):
        refuse_too_few(counted(0, PER_CLASS, 9), names, learnt_from=True)


def test_pictures_divided_by_255_are_refused():
    chips = np.random.default_rng(0).integers(0, 2, (5, 48, 48, 1), np.uint8)
    with pytest.raises(ConfigError, match=r"fer.csv: all values of its 5 chips lie between 0 and 1, expected 0\.\.255"):
        refuse_scaled(chips, "fer.csv")
    refuse_scaled(chips * 2, "fer.csv")


@pytest.mark.parametrize("mode", ["int8", "float16"])
def test_data_that_cannot_be_right_stop_the_conversion(job: Job, tmp_path: Path, mode: Mode):
    rows = [
        (label, pixels // 255 + np.arange(48 * 48, dtype=np.uint8) % 2, split)
        for label, pixels, split in fer_rows(70, 14)
    ]
    csv = write_fer(tmp_path / "unit.csv", [(label, pixels.clip(0, 1), split) for label, pixels, split in rows])
    with pytest.raises(ConfigError, match=r"lie between 0 and 1, expected 0\.\.255"):
        quantize(replace(job, data=csv, out=tmp_path / "x.tflite", mode=mode))


def test_other_data_with_too_few_of_a_class_stop_the_conversion(job: Job, tmp_path: Path):
    csv = write_fer(tmp_path / "few.csv", fer_rows(35, 14))
    with pytest.raises(ConfigError, match=r"too few calibration chips of angry.*angry 5"):
        quantize(replace(job, data=csv, out=tmp_path / "x.tflite"))
    # the float modes have nothing to calibrate
    assert quantize(replace(job, data=csv, out=tmp_path / "x.tflite", mode="float32")).agreement == 1
