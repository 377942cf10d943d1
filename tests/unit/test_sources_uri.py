import re
from pathlib import Path

import pytest

from edge.errors import ConfigError
from edge.sources.opening import check
from edge.sources.specs import (
    DemoSpec,
    FifoSpec,
    FileSpec,
    ImagesSpec,
    Picamera2Spec,
    SourceSpec,
    UrlSpec,
    V4l2Spec,
    redacted,
)
from edge.sources.uri import parse, usage


@pytest.mark.parametrize(
    ("uri", "spec"),
    [
        ("demo", DemoSpec()),
        (" demo: ", DemoSpec()),
        ("demo?faces=1", DemoSpec(faces=1)),
        (
            "demo:?size=1280x720&fps=15&seed=4&faces=2&realtime=0&duration=2.5",
            DemoSpec(size="1280x720", fps=15, seed=4, faces=2, realtime=False, duration_s=2.5),
        ),
        ("file:/films/a.mp4?loop=1&realtime=0", FileSpec(path="/films/a.mp4", loop=True, realtime=False)),
        ("file:/films/a.mp4?start=2.5", FileSpec(path="/films/a.mp4", start_s=2.5)),
        ("fifo:/run/camera", FifoSpec(path="/run/camera")),
        ("fifo:-", FifoSpec(path="-")),
        ("/films/a.MKV?loop=1", FileSpec(path="/films/a.MKV", loop=True)),
        ("images:shots/*.jpg?fps=5", ImagesSpec(pattern="shots/*.jpg", fps=5)),
        ("shots/a.png", ImagesSpec(pattern="shots/a.png")),
        ("shots/frame?.png", ImagesSpec(pattern="shots/frame?.png")),
        ("images:shots/frame??.png?loop=1", ImagesSpec(pattern="shots/frame??.png", loop=True)),
        ("0", V4l2Spec(device="0")),
        ("/dev/video2", V4l2Spec(device="/dev/video2")),
        ("v4l2", V4l2Spec(device="/dev/video0")),
        (
            "v4l2:/dev/v4l/by-id/cam?size=1280x720&fps=25&format=mjpg&frozen=0",
            V4l2Spec(device="/dev/v4l/by-id/cam", size="1280x720", fps=25, format="mjpg", frozen_s=0),
        ),
        ("v4l2:0?exposure=8000", V4l2Spec(device="0", exposure=8000)),
        ("v4l2:0?exposure=auto", V4l2Spec(device="0", exposure="auto")),
        ("picamera2", Picamera2Spec()),
        (
            "picamera2:0?exposure=500&autofocus=0.5&hflip=1&vflip=1",
            Picamera2Spec(exposure=500, autofocus=0.5, hflip=True, vflip=True),
        ),
        ("picamera2?autofocus=continuous", Picamera2Spec(autofocus="continuous")),
        ("picamera2:1?size=1024x768&fps=20", Picamera2Spec(camera=1, size="1024x768", fps=20)),
        ("http://cam:8080/?action=stream", UrlSpec(url="http://cam:8080/?action=stream")),
        ("RTSP://cam/live", UrlSpec(url="RTSP://cam/live")),
    ],
)
def test_a_uri_says_what_to_open(uri: str, spec: SourceSpec) -> None:
    assert parse(uri) == spec


def test_what_lies_on_the_disk_decides_about_bare_paths(tmp_path: Path) -> None:
    odd = tmp_path / "what?x=1"
    odd.write_bytes(b"")
    assert parse(str(odd)) == FileSpec(path=str(odd))
    assert parse(f"file:{odd}?loop=1") == FileSpec(path=str(odd), loop=True)
    assert parse(str(tmp_path)) == ImagesSpec(pattern=str(tmp_path))
    assert parse(f"{tmp_path}?fps=4") == ImagesSpec(pattern=str(tmp_path), fps=4)


def test_a_kind_goes_before_a_folder_of_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "demo").mkdir()
    assert parse("demo") == DemoSpec()
    assert parse("./demo") == ImagesSpec(pattern="./demo")


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("demo:?face=2", ["no option 'face'", "faces: how many people, 0 to 8", "seed:"]),
        ("demo:?faces=9", ["faces=9", "0 to 8"]),
        ("demo:?size=640", ["size=640", "WIDTHxHEIGHT"]),
        ("demo:?fps=fast", ["fps=fast", "1 to 120"]),
        ("demo:?duration=0", ["duration=0", "seconds"]),
        ("demo:?faces=1&faces=2", ["twice"]),
        ("demo:park", ["options only", "park"]),
        ("file:", ["file:PATH"]),
        ("a.mp4?loop=2", ["loop=2", "1 to begin again"]),
        ("v4l2:camera", ["camera", "v4l2:DEVICE"]),
        ("v4l2:0?format=h264", ["format=h264", "mjpg or yuyv"]),
        ("v4l2:0?exposure=bright", ["exposure=bright", "auto, or microseconds"]),
        ("picamera2:0?size=641x480", ["even"]),
        ("picamera2:0?autofocus=near", ["autofocus=near", "continuous", "dioptres"]),
        ("file:a.mp4?start=-1", ["start=-1", "seconds"]),
        ("fifo:", ["names nothing", "fifo:PATH", "named pipe"]),
        ("fifo:/run/camera?fps=5", ["no option 'fps'"]),
        ("picamera2:front", ["front", "picamera2:NUMBER"]),
        ("webcam", ["webcam", "demo", "v4l2:DEVICE", "rtsp://"]),
        ("", ["names no source"]),
        ("http://", ["no host"]),
        ("rtsp://cam:port/", ["host and port"]),
    ],
)
def test_a_mistake_is_answered_with_what_is_possible(uri: str, said: list[str]) -> None:
    with pytest.raises(ConfigError) as error:
        parse(uri)
    for words in said:
        assert words in str(error.value)


@pytest.mark.parametrize(
    "uri",
    [
        "rtsp://ann:s3same@cam:554/live?token=s3same",
        "http://ann:s3same@cam/",
        "https://cam/live?password=s3same",
        "https://ann:s3same/x@cam/live#s3same",
        "rtsp://ann:p#s3same@cam/live",
        "ftp://ann:s3same@cam/live",
        "rtsp://ann:s3same@cam:port/live",
    ],
)
def test_nothing_shows_a_password(uri: str) -> None:
    assert "s3same" not in redacted(uri)
    assert "ann" not in redacted(uri)
    try:
        shown = repr(parse(uri))
    except ConfigError as error:
        shown = str(error)
    assert "s3same" not in shown
    assert "ann:" not in shown


def test_a_redacted_url_still_says_where() -> None:
    assert redacted("rtsp://ann:s3same@cam:554/live/1?token=1") == "rtsp://cam:554/live/1"


def test_check_finds_missing_files_before_anything_is_opened(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(ConfigError, match="there is no file"):
        check(f"file:{tmp_path}/none.mp4")
    with pytest.raises(ConfigError, match=r"images:"):
        check(f"file:{tmp_path}")
    with pytest.raises(ConfigError, match=r"holds no file ending in .*\.jpg"):
        check(str(tmp_path))
    with pytest.raises(ConfigError, match="no file matches"):
        check(f"images:{tmp_path}/*.jpg")
    with pytest.raises(ConfigError, match="no option"):
        check("demo:?x=1")


def test_check_is_silent_about_what_only_opening_can_tell(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"")
    for uri in (
        "auto",
        "demo",
        "v4l2:/dev/video63",
        "picamera2:3",
        "rtsp://nowhere.invalid/x",
        str(tmp_path / "a.mp4"),
    ):
        check(uri)


def in_usage() -> dict[str, set[str]]:
    """Kinds and their options, as the program lists them."""
    found: dict[str, set[str]] = {}
    kind = ""
    for line in usage().splitlines():
        if line.startswith("    "):
            found[kind].add(line.split(":")[0].strip())
        else:
            kind = line.split(":")[0]
            found[kind] = set()
    return found


def rows_of_manual() -> list[list[str]]:
    """The cells of the tables on sources in docs/running.md, without heads."""
    text = (Path(__file__).parents[2] / "docs" / "running.md").read_text(encoding="utf-8")
    section = text.partition("## Sources")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def in_manual() -> dict[str, set[str]]:
    """The same, as the table in docs/running.md has them."""
    found = {}
    for cells in rows_of_manual():
        if len(cells) == 3 and cells[0] != "`auto`":
            kinds = {re.split("[:?]", name)[0] for name in re.findall("`([^`]+)`", cells[0])}
            (kind,) = kinds & {"demo", "file", "images", "fifo", "push", "v4l2", "picamera2", "http"}
            found[kind] = set(cells[2].strip("`").split())
    return found


def test_the_manual_and_the_program_list_the_same_kinds_and_options() -> None:
    assert in_manual() == in_usage()
    assert "duration" in in_usage()["demo"]
    explained = {name for cells in rows_of_manual() if len(cells) == 2 for name in re.findall("`([^`]+)`", cells[0])}
    assert explained == set[str]().union(*in_usage().values()), "each option is explained below the table"
    assert all(len(line.strip()) > 10 for line in usage().splitlines())
