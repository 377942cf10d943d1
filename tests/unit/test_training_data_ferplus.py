"""FER+'s votes as soft labels: aligned by row, over our names, and refused where they belong to other pictures."""

from pathlib import Path

import numpy as np
import pytest

from edge.contract.labels import FER2013_LABELS
from edge.errors import ConfigError, PermanentError
from tests.real_data import real_data
from tests.training_fakes import fake_dataset, noise_chips, real_fer2013
from training.data import ferplus, load_data

HEADER = "row,Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
DATA = fake_dataset(noise_chips(4), ["Training", "Training", "PublicTest", "Training"])
LINES = (
    "0,Training,a.png,4,0,0,1,3,2,0,0,0,0",
    "1,Training,b.png,0,5,0,0,0,0,0,3,2,0",
    "2,PublicTest,,0,0,0,0,0,0,0,0,0,10",
)


def votes(path: Path, *lines: str, header: str = HEADER) -> Path:
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


def test_votes_become_probabilities_over_our_names(tmp_path: Path):
    soft = ferplus.load(votes(tmp_path / "votes.csv", *LINES), DATA)
    assert soft.label_names == FER2013_LABELS
    assert soft.probabilities.dtype == np.float32
    assert soft.probabilities[0] == pytest.approx([0.3, 0.2, 0, 0, 0.1, 0, 0.4])
    assert soft.probabilities[1].tolist() == [0, 0, 0, 1, 0, 0, 0]
    assert (soft.rows.tolist(), soft.left_out) == ([0, 1], 1)


def test_rows_are_found_by_number_and_unknown_ones_said(tmp_path: Path):
    soft = ferplus.load(votes(tmp_path / "votes.csv", *reversed(LINES)), DATA)
    probabilities, known = soft.of(np.array([3, 1, 2, 0]))
    assert known.tolist() == [False, True, False, True]
    assert probabilities[known].sum(axis=1).tolist() == pytest.approx([1, 1])
    assert not probabilities[~known].any()


def test_the_original_file_has_no_row_numbers_and_is_taken_in_order(tmp_path: Path):
    bare = [line.split(",", 1)[1] for line in LINES]
    soft = ferplus.load(votes(tmp_path / "votes.csv", *bare, header=HEADER.split(",", 1)[1]), DATA)
    assert soft.rows.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (("0,PublicTest,a,4,0,0,1,3,2,0,0,0,0",), "line 2: Usage 'PublicTest' of row 0, which is in Training"),
        ((LINES[0], LINES[0]), "line 3: row 0 again"),
        (("0,Training,a,x,0,0,1,3,2,0,0,0,0",), "line 2: neutral 'x'; expected a whole number"),
        (("0,Training,a,4",), "line 2: anger None; expected a whole number"),
    ],
)
def test_votes_that_do_not_fit_are_refused_with_their_line(tmp_path: Path, lines: tuple[str, ...], message: str):
    with pytest.raises(PermanentError, match=message):
        ferplus.load(votes(tmp_path / "votes.csv", *lines), DATA)


def test_another_file_is_refused(tmp_path: Path):
    with pytest.raises(PermanentError, match="line 1: no column Usage, anger"):
        ferplus.load(votes(tmp_path / "votes.csv", header="a,b"), DATA)
    with pytest.raises(ConfigError, match="no such file"):
        ferplus.load(tmp_path / "absent.csv", DATA)


def test_the_real_votes_agree_with_the_real_labels_as_described(tmp_path: Path):
    data = load_data("fer2013-csv", real_fer2013(), tmp_path)
    soft = ferplus.load(real_data("fer2013", "ferplus_votes.csv"), data)
    probabilities, known = soft.of(data.rows)
    assert probabilities[known].sum(axis=1) == pytest.approx(np.ones(np.count_nonzero(known)))
    agree = probabilities[known].argmax(axis=1) == data.labels[known]
    assert 0.60 < agree.mean() < 0.68
    assert 160 <= soft.left_out < 400
