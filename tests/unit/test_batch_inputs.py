import errno
import os
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edge.batch.inputs import find_inputs
from tests.closed_folder import close

PNG = cv2.imencode(".png", np.zeros((2, 2, 3), np.uint8))[1].tobytes()
MP4 = b"\0\0\0\x20ftypisom" + bytes(40)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "deep" / "deeper").mkdir(parents=True)
    (tmp_path / ".hidden").mkdir()
    for name in ("a10.png", "a2.png", "deep/b.png", "deep/deeper/c.png", ".hidden/d.png", "no suffix", ".e.png"):
        (tmp_path / name).write_bytes(PNG)
    return tmp_path


def names(found: object) -> list[str]:
    return [item.name for item in found.inputs]  # type: ignore[attr-defined]


def test_folders_are_looked_into_in_natural_order_but_for_hidden_ones(folder: Path):
    found = find_inputs([folder])
    assert names(found) == ["a2.png", "a10.png", "deep/b.png", "deep/deeper/c.png", "no suffix"]
    assert found.skipped == found.missing == ()


def test_the_results_are_not_analysed_again(folder: Path):
    assert names(find_inputs([folder], folder / "deep")) == ["a2.png", "a10.png", "no suffix"]


def test_what_may_not_be_looked_at_is_named_and_the_rest_is_analysed(folder: Path, monkeypatch: pytest.MonkeyPatch):
    close(folder / "deep", monkeypatch)
    found = find_inputs([folder / "deep" / "b.png", folder / "a2.png"])
    assert names(found) == ["a2.png"]
    assert [problem.reason for problem in found.missing] == ["it cannot be looked at: Permission denied"]
    assert "deep/b.png" not in names(find_inputs([folder]))


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names are text")
def test_what_a_folder_lists_and_does_not_show_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch):
    (folder / "to nothing.png").symlink_to(folder / "gone")
    (folder / "to itself.png").symlink_to(folder / "to itself.png")
    Path(os.fsdecode(os.fsencode(folder) + b"/deep/caf\xe9.png")).write_bytes(PNG)
    real = os.stat

    def refused(path: Any, *args: Any, **settings: Any) -> os.stat_result:
        if not isinstance(path, int) and Path(path).parent == folder / "deep":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        if not isinstance(path, int) and Path(path).name == "a10.png":
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE), str(path))
        return real(path, *args, **settings)

    monkeypatch.setattr(os, "stat", refused)
    found = find_inputs([folder])
    assert names(found) == ["a2.png", "deep/deeper/c.png", "no suffix"]
    assert sorted((problem.path, problem.reason.partition(": ")[0]) for problem in found.missing) == [
        (f"{folder}/a10.png", "it cannot be looked at"),
        (f"{folder}/deep/b.png", "it cannot be looked at"),
        (f"{folder}/deep/caf\\xe9.png", "it cannot be looked at"),
    ]


def test_a_file_counts_once_and_names_are_not_shared(folder: Path, tmp_path: Path):
    other = tmp_path / "deep" / "a2.png"
    other.write_bytes(PNG)
    found = find_inputs([folder / "a2.png", other, folder / "a2.png", folder / "deep"])
    assert names(found) == ["a2.png", "a2.png-2", "deep/b.png", "deep/deeper/c.png"]


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a", PNG, "picture"),
        ("film.png", MP4, "video"),
        ("picture.mp4", PNG, "picture"),
        ("a.bin", b"RIFF\0\0\0\0WEBPVP8 ", "picture"),
        ("a.bin", b"RIFF\0\0\0\0AVI LIST", "video"),
        ("a.bin", b"\x1aE\xdf\xa3\0\0", "video"),
        ("a.mpg", bytes(range(128, 250)), "video"),
        ("a.png", b"", "picture"),
        ("a.bmp", b"BM\x9a\0\0\0\0\0\0\0", "picture"),
        ("a.ppm", b"P3 1 1 255 0 0 0", "picture"),
    ],
)
def test_what_a_file_is_its_content_says_and_else_its_name(tmp_path: Path, name: str, content: bytes, kind: str):
    (tmp_path / name).write_bytes(content)
    assert [item.kind for item in find_inputs([tmp_path]).inputs] == [kind]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("notes.txt", b"hello", "a text file"),
        ("code.ts", b"export const a = 1;\n", "a text file"),
        ("diary.txt", b"BMW, a history", "a text file"),
        ("a.bin", bytes(range(256)), "neither a picture nor a video"),
        ("sound.wav", b"RIFF\0\0\0\0WAVEfmt \x80", "neither a picture nor a video"),
        ("IMG_1.heic", b"\0\0\0\x20ftypheic" + bytes(40), "a picture in HEIC, which is not read here"),
        ("a.m4a", b"\0\0\0\x20ftypM4A " + bytes(40), "sound without a picture"),
    ],
)
def test_what_is_neither_is_named_with_the_reason(tmp_path: Path, name: str, content: bytes, reason: str):
    (tmp_path / name).write_bytes(content)
    found = find_inputs([tmp_path])
    assert found.inputs == ()
    (problem,) = found.skipped
    assert problem.path == str(tmp_path / name)
    assert reason in problem.reason


def test_what_is_named_is_tried_and_what_is_missing_is_told(tmp_path: Path):
    (tmp_path / "notes.txt").write_bytes(b"hello")
    found = find_inputs([tmp_path / "notes.txt", tmp_path / "gone.jpg"])
    assert names(found) == ["notes.txt"]
    assert [problem.path for problem in found.missing] == [str(tmp_path / "gone.jpg")]


def test_a_pipe_does_not_make_it_wait(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe.mp4")
    (tmp_path / "a.png").write_bytes(PNG)
    found = find_inputs([tmp_path, tmp_path / "pipe.mp4"])
    assert [item.path.name for item in found.inputs] == ["a.png"]
    assert [problem.reason for problem in found.missing] == ["neither a file nor a folder"]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names are text")
def test_a_name_that_is_no_text_is_told_and_the_others_are_analysed(tmp_path: Path):
    for name in (b"caf\xe9.jpg", b"plain.jpg"):
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_bytes(b"\xff\xd8\xff")
    found = find_inputs([tmp_path])
    assert [item.name for item in found.inputs] == ["plain.jpg"]
    (problem,) = found.missing
    assert problem.path == f"{tmp_path}/caf\\xe9.jpg"
    assert "rename it" in problem.reason


def test_what_is_written_about_a_file_with_a_long_name_has_a_shorter_one(tmp_path: Path):
    for end in ("a", "b"):
        (tmp_path / f"{'ü' * 120}{end}.jpg").write_bytes(b"\xff\xd8\xff")
    names = [item.name for item in find_inputs([tmp_path]).inputs]
    assert names == ["ü" * 100, "ü" * 100 + "-2"]
