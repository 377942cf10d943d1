"""Reading FER2013's CSV: what is right is kept bit for bit, what is wrong is refused with its place."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from edge.contract.labels import FER2013_LABELS
from edge.errors import ConfigError, PermanentError
from tests.training_fakes import PIXELS, fer_rows, write_fer
from training.data import LOADERS, fer_csv
from training.data.dataset import blank

GREY = " ".join(["7"] * PIXELS)
HEADER = "emotion,pixels,Usage"


def written(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["fer.csv", "fer.csv.gz"])
def test_every_pixel_label_and_split_arrives(tmp_path: Path, name: str):
    rows = fer_rows(train=5, public=2)
    data = LOADERS["fer2013-csv"](write_fer(tmp_path / name, rows), None)
    assert data.chips.shape == (7, 48, 48, 1)
    assert np.array_equal(data.chips.reshape(7, -1), np.stack([pixels for _, pixels, _ in rows]))
    assert data.labels.tolist() == [label for label, _, _ in rows]
    assert data.splits.tolist() == ["Training"] * 5 + ["PublicTest"] * 2
    assert data.rows.tolist() == list(range(7))
    assert data.label_names == FER2013_LABELS


def test_a_compressed_file_is_told_by_its_content_not_its_name(tmp_path: Path):
    zipped = write_fer(tmp_path / "fer.csv.gz", fer_rows(3, 1))
    misnamed = zipped.rename(tmp_path / "fer.csv")
    assert len(fer_csv.load(misnamed)) == 4


def test_columns_may_come_in_any_order_beside_others(tmp_path: Path):
    path = written(tmp_path / "fer.csv", "id,Usage,pixels,emotion", f"a,Training,{GREY},3")
    data = fer_csv.load(path)
    assert (data.labels.tolist(), data.splits.tolist(), int(data.chips[0, 0, 0, 0])) == ([3], ["Training"], 7)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (f"9,{GREY},Training", r"line 3: emotion '9'; expected one of 0 angry, 1 disgust"),
        (f"happy,{GREY},Training", r"line 3: emotion 'happy'; expected one of 0 angry"),
        (f"0,{GREY[:-2]},Training", r"line 3: 2303 pixels; expected 2304 \(48×48\)"),
        (f"0,{GREY} 7,Training", r"line 3: 2305 pixels; expected 2304"),
        ("0,,Training", r"line 3: 0 pixels; expected 2304"),
        (f"0,300{GREY[1:]},Training", r"line 3: pixel 0 is '300'; expected a whole number in 0..255"),
        (f"0,{GREY[:-1]}-7,Training", r"line 3: pixel 2303 is '-7'; expected a whole number"),
        (f"0,{GREY[:-1]}7.5,Training", r"line 3: pixel 2303 is '7.5'; expected a whole number"),
        (f"0,7 dog{GREY[3:]},Training", r"line 3: pixel 1 is 'dog'; expected a whole number"),
        (f"0,{'9' * 30}{GREY[1:]},Training", r"line 3: pixel 0 is '9+'; expected a whole number"),
        (f"0,{GREY},Holiday", r"line 3: Usage 'Holiday'; expected one of Training, PublicTest, PrivateTest"),
        (f"0,{GREY}", r"line 3: 2 fields, expected emotion,pixels,Usage"),
    ],
)
def test_a_wrong_row_is_refused_with_its_line(tmp_path: Path, row: str, message: str):
    path = written(tmp_path / "fer.csv", HEADER, f"0,{GREY},Training", row)
    with pytest.raises(PermanentError, match=message):
        fer_csv.load(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty; expected the header emotion,pixels,Usage"),
        (b"emotion,pixels\n", "line 1: no column Usage in the header 'emotion,pixels'"),
        (b"emotion,pixels,Usage\n", "a header and no rows"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\xff", "not a readable CSV after 0 rows"),
        (gzip.compress(b"emotion,pixels,Usage\n")[:15], "not a readable CSV after 0 rows"),
        (b"\x1f\x8bgarbage that follows gzip's first bytes", "not a readable CSV after 0 rows"),
        (b'emotion,pixels,Usage\n0,"7 7', "not a readable CSV after 0 rows"),
    ],
)
def test_a_file_that_is_no_such_csv_is_refused(tmp_path: Path, content: bytes, message: str):
    path = tmp_path / "fer.csv"
    path.write_bytes(content)
    with pytest.raises(PermanentError, match=message):
        fer_csv.load(path)


def test_a_missing_file_is_the_users_mistake(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"no such file; expected FER2013's CSV"):
        fer_csv.load(tmp_path / "absent.csv")


def test_the_parsed_file_is_kept_and_a_changed_file_is_read_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path, cache = write_fer(tmp_path / "fer.csv", fer_rows(4, 1)), tmp_path / "cache"
    first = fer_csv.load(path, cache)
    with monkeypatch.context() as patched:
        patched.setattr(fer_csv, "_parse", lambda path: pytest.fail("parsed again"))
        again = fer_csv.load(path, cache)
    assert np.array_equal(first.chips, again.chips)
    assert first.splits.tolist() == again.splits.tolist()
    write_fer(path, fer_rows(5, 1))
    assert len(fer_csv.load(path, cache)) == 6


def test_a_flat_grey_picture_is_recognised_as_blank(tmp_path: Path):
    path = written(tmp_path / "fer.csv", HEADER, f"0,{GREY},Training", f"0,8{GREY[1:]},Training")
    assert blank(fer_csv.load(path).chips).tolist() == [True, False]
