"""Files are replaced whole or not at all."""

from pathlib import Path

import pytest

from training.files import write_whole, written_whole


def test_a_file_is_replaced_and_nothing_lies_beside_it(tmp_path: Path):
    path = tmp_path / "new" / "model.weights.h5"
    for content in (b"one", b"two"):
        with written_whole(path) as temporary:
            assert temporary.parent == path.parent, "renaming works within one file system only"
            assert temporary.name.endswith(".weights.h5"), "Keras insists on it"
            temporary.write_bytes(content)
        assert path.read_bytes() == content
        assert list(path.parent.iterdir()) == [path]


def test_work_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path):
    path = tmp_path / "kept.json"
    write_whole(path, b"old")

    def fail() -> None:
        with written_whole(path) as temporary:
            temporary.write_bytes(b"half of the ne")
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        fail()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_reader_meets_the_old_file_until_the_new_one_is_whole(tmp_path: Path):
    path = tmp_path / "report.json"
    write_whole(path, b"old")
    with written_whole(path) as temporary:
        temporary.write_bytes(b"half")
        assert path.read_bytes() == b"old"
        temporary.write_bytes(b"all of it")
    assert path.read_bytes() == b"all of it"


def test_nothing_else_in_the_workbench_writes_beside_and_renames():
    root = Path(__file__).parents[2] / "training"
    own = {root / "files.py", root / "reporting" / "document.py"}
    renaming = {path for path in root.rglob("*.py") if "temporary.replace(" in path.read_text(encoding="utf-8")}
    assert renaming <= own
