"""The data set's contract, what is kept in the cache, and how the parts are divided."""

from pathlib import Path

import numpy as np
import pytest

from edge.errors import ConfigError
from tests.training_fakes import fake_dataset, noise_chips
from training.data.cache import cached, sha256_of, write_arrays
from training.data.dataset import Dataset
from training.data.duplicates import duplicate_groups
from training.data.splits import divide


def test_arrays_that_do_not_belong_together_are_no_data_set():
    good = fake_dataset(noise_chips(3), ["Training"] * 3)
    with pytest.raises(ValueError, match=r"chips are uint8 \(3, 48, 48\), expected uint8 \(N, S, S, C\)"):
        Dataset(good.chips[..., 0], good.labels, good.label_names, good.splits, good.rows)
    with pytest.raises(ValueError, match=r"labels are int32 .* expected int64"):
        Dataset(good.chips, good.labels.astype(np.int32), good.label_names, good.splits, good.rows)
    with pytest.raises(ValueError, match="labels reach beyond the 2 names"):
        Dataset(good.chips, good.labels, ("one", "two"), good.splits, good.rows)
    with pytest.raises(ValueError, match="rows are"):
        Dataset(good.chips, good.labels, good.label_names, good.splits, good.rows[:2])


def test_a_data_set_cannot_be_written_to():
    data = fake_dataset(noise_chips(2), ["Training"] * 2)
    with pytest.raises(ValueError, match="read-only"):
        data.chips[0] = 0


def test_a_part_keeps_the_numbers_of_its_rows():
    data = fake_dataset(noise_chips(4), ["Training", "PublicTest", "Training", "PublicTest"])
    assert data.split("PublicTest").rows.tolist() == [1, 3]
    assert len(data.split("Holiday")) == 0
    assert data.split_names() == ("PublicTest", "Training")


def test_copies_of_a_picture_are_one_group_however_lit():
    chips = noise_chips(6)
    chips[2] = chips[0]
    chips[4] = (chips[1] * 0.5 + 60).astype(np.uint8)
    assert duplicate_groups(chips, 0.985).tolist() == [0, 1, 0, 3, 1, 5]


def test_likeness_is_passed_on_within_a_group():
    chips = noise_chips(3).astype(np.float64)
    chips[1] = chips[0] + 0.15 * (chips[2] - 128)
    chips[2] = chips[0] + 0.30 * (chips[2] - 128)
    close = np.clip(chips * 0.7, 0, 255).astype(np.uint8)
    flat = close.reshape(3, -1)
    assert np.corrcoef(flat)[0, 2] < 0.98 < min(np.corrcoef(flat)[0, 1], np.corrcoef(flat)[1, 2])
    assert duplicate_groups(close, 0.98).tolist() == [0, 0, 0]


def test_blank_pictures_are_alike_only_if_equal():
    chips = np.full((3, 48, 48, 1), 9, np.uint8)
    chips[1] = 10
    assert duplicate_groups(chips, 0.985).tolist() == [0, 1, 0]


def test_the_hold_out_never_divides_a_group_and_takes_its_share():
    chips = noise_chips(200)
    chips[100:150] = chips[:50]
    data = fake_dataset(chips, ["Training"] * 180 + ["PublicTest"] * 20)
    groups = duplicate_groups(chips, 0.985)
    parts = divide(data, groups, "Training", "PublicTest", 0.1)
    assert not set(groups[parts.train.rows]) & set(groups[parts.holdout.rows])
    assert sorted([*parts.train.rows, *parts.holdout.rows]) == list(range(180))
    assert 14 <= len(parts.holdout) <= 18
    assert parts.report.rows.tolist() == list(range(180, 200))


def test_the_hold_out_is_the_same_each_time():
    data = fake_dataset(noise_chips(100), ["Training"] * 90 + ["PublicTest"] * 10)
    groups = duplicate_groups(data.chips, 0.985)
    one, two = (divide(data, groups, "Training", "PublicTest", 0.2) for _ in range(2))
    assert one.holdout.rows.tolist() == two.holdout.rows.tolist()


def test_reported_pictures_that_were_trained_on_are_marked():
    chips = noise_chips(40)
    chips[35] = chips[3]
    data = fake_dataset(chips, ["Training"] * 30 + ["PublicTest"] * 10)
    parts = divide(data, duplicate_groups(chips, 0.985), "Training", "PublicTest", 0.1)
    assert np.flatnonzero(~parts.report_unseen).tolist() == [5]


def test_blank_pictures_are_left_out_of_training_but_stay_in_the_report():
    chips = noise_chips(30)
    chips[[4, 25]] = 0
    data = fake_dataset(chips, ["Training"] * 20 + ["PublicTest"] * 10)
    parts = divide(data, duplicate_groups(chips, 0.985), "Training", "PublicTest", 0.1)
    assert parts.blank_rows == (4,)
    assert 4 not in {*parts.train.rows, *parts.holdout.rows}
    assert len(parts.report) == 10


def test_what_was_worked_out_once_is_read_from_then_on(tmp_path: Path):
    calls = []

    def work_out():
        calls.append(1)
        return {"a": np.arange(3), "name": np.array(["x", "yz"])}

    results = [cached(tmp_path / "new", "key", work_out) for _ in range(2)]
    assert len(calls) == 1
    assert results[1]["a"].tolist() == [0, 1, 2]
    assert results[1]["name"].tolist() == ["x", "yz"]


def test_a_damaged_entry_is_worked_out_again(tmp_path: Path):
    write_arrays(tmp_path / "key.npz", {"a": np.arange(1000)})
    whole = (tmp_path / "key.npz").read_bytes()
    (tmp_path / "key.npz").write_bytes(whole[: len(whole) // 2])
    assert cached(tmp_path, "key", lambda: {"a": np.arange(2)})["a"].tolist() == [0, 1]
    assert cached(tmp_path, "key", lambda: pytest.fail("not kept"))["a"].tolist() == [0, 1]


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "kept.npz"
    write_arrays(path, {"a": np.arange(3)})

    def full(*_args: object, **_arrays: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OSError, match="No space"):
        write_arrays(path, {"a": np.arange(9)})
    with np.load(path) as stored:
        assert stored["a"].tolist() == [0, 1, 2]


def test_a_directory_has_one_hash_that_follows_names_and_content(tmp_path: Path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "one.png").write_bytes(b"1")
    before = sha256_of(tmp_path)
    assert sha256_of(tmp_path) == before
    (tmp_path / "a" / "one.png").rename(tmp_path / "a" / "two.png")
    renamed = sha256_of(tmp_path)
    (tmp_path / "a" / "two.png").write_bytes(b"2")
    assert len({before, renamed, sha256_of(tmp_path)}) == 3


def test_a_part_copies_no_picture():
    data = fake_dataset(noise_chips(6), ["Training", "PublicTest", "PublicTest", "Training", "Training", "Training"])
    assert np.shares_memory(data.split("PublicTest").chips, data.chips)
    assert np.shares_memory(data.take(np.arange(2, 5)).chips, data.chips)
    for chosen in ([4, 3], [0, 2], [-1, 0], [3, 3]):
        part = data.take(np.array(chosen))
        assert part.chips.source is data.chips
        assert np.array_equal(part.chips, np.stack([data.chips[at] for at in chosen]))
        assert part.rows.tolist() == data.rows[chosen].tolist()


def test_what_is_learnt_from_is_not_reported_on():
    data = fake_dataset(noise_chips(20), ["Training"] * 20)
    with pytest.raises(ConfigError, match="train_split and report_split are both Training"):
        divide(data, np.arange(20), "Training", "Training", 0.1)


def test_a_group_larger_than_the_hold_out_does_not_keep_the_others_out():
    data = fake_dataset(noise_chips(101), ["Training"] * 100 + ["PublicTest"])
    for large in range(80):
        groups = np.arange(101)
        groups[large : large + 20] = large
        parts = divide(data, groups, "Training", "PublicTest", 0.1)
        assert len(parts.holdout) == 10
