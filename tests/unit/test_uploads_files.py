"""What an uploaded file is, what it is called, and where it lies."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path

import pytest

from edge.config import Config
from edge.live import LiveSettings
from edge.server.settings import ServerSettings
from edge.uploads import protocol, store
from edge.uploads.arriving import PIECE_BYTES, receive
from edge.uploads.naming import attachment, download_name, shown_name
from edge.uploads.refused import Refused
from edge.uploads.sniff import picture_kind, video_kind, what_else
from edge.uploads.store import KEEP_FREE_BYTES, Store, tidy
from edge.uploads.videos import VideoDesk, VideoJob, _Entry

MP4 = b"\0\0\0\x18ftypisom" + bytes(100)


@pytest.mark.parametrize(
    ("head", "picture", "video"),
    [
        (b"\xff\xd8\xff\xe0", "JPEG", None),
        (b"\x89PNG\r\n\x1a\n", "PNG", None),
        (b"RIFF\0\0\0\0WEBPVP8 ", "WebP", None),
        (b"RIFF\0\0\0\0AVI LIST", None, "AVI"),
        (b"RIFF\0\0\0\0WAVEfmt ", None, None),
        (b"GIF89a", "GIF", None),
        (b"P6 1 1 255\n", "PNM", None),
        (b"PK\3\4", None, None),
        (MP4, None, "MP4"),
        (b"\0\0\0\x18ftypavif", None, None),
        (b"\x1a\x45\xdf\xa3", None, "Matroska or WebM"),
        ((b"\x47" + bytes(187)) * 3, None, "MPEG"),
        ((b"\x47" + bytes(186)) * 3, None, None),
        (b"OggS", None, "Ogg"),
        (b"#EXTM3U\n", None, None),
        (b"", None, None),
        (b"\xff", None, None),
    ],
)
def test_a_file_is_what_its_first_bytes_say(head: bytes, picture: str | None, video: str | None) -> None:
    assert (picture_kind(head), video_kind(head)) == (picture, video)


def test_what_is_refused_is_named() -> None:
    assert what_else(b"") == "is empty"
    assert what_else(b"GIF89a") == "is a GIF picture"
    assert what_else(MP4) == "is a video (MP4)"
    assert what_else(b"PK\3\4") == "begins with the bytes 50 4b 03 04"


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (None, "video"),
        ("", "video"),
        ("...", "video"),
        ("film.mp4", "film.mp4"),
        ("/etc/passwd", "passwd"),
        ("C:\\films\\a b.mp4", "a b.mp4"),
        ("a\r\nSet-Cookie: x.mp4", "aSet-Cookie: x.mp4"),
        ("a\u202egpj.exe", "agpj.exe"),
        ("a\ud800b", "ab"),
        ("Größe 🎬.mp4", "Größe 🎬.mp4"),
        ("x" * 5000, "x" * 100),
    ],
)
def test_a_name_is_for_people_and_harmless(given: str | None, shown: str) -> None:
    assert shown_name(given) == shown


def test_a_download_is_named_after_the_upload() -> None:
    assert download_name("film.mp4", "events.csv") == "film-events.csv"
    assert download_name("film", "events.csv") == "film-events.csv"
    assert attachment('a"; b=🎬.csv') == (
        "attachment; filename=\"a___b__.csv\"; filename*=UTF-8''a%22%3B%20b%3D%F0%9F%8E%AC.csv"
    )


def test_what_a_child_says_is_bounded_and_of_known_kinds() -> None:
    async def heard(data: bytes) -> protocol.Reply:
        reader = asyncio.StreamReader()
        reader.feed_data(data)
        reader.feed_eof()
        return (await protocol.receive(reader))[0]

    file = BytesIO()
    protocol.answer(file, protocol.Refusal("broken", "It is broken."), b"raw")
    assert asyncio.run(heard(file.getvalue())) == protocol.Refusal("broken", "It is broken.")
    with pytest.raises(EOFError):
        asyncio.run(heard(file.getvalue()[:-1]))
    with pytest.raises(protocol.Garbled, match="bytes"):
        asyncio.run(heard(protocol.HEADER.pack(2**31, 0)))
    with pytest.raises(protocol.Garbled, match="cannot be read"):
        asyncio.run(heard(protocol.HEADER.pack(4, 0) + b"\xff\xff\xff\xff"))


def test_a_child_learns_no_credentials() -> None:
    config = Config(server=ServerSettings(token="secret-token", key="/etc/key.pem"))
    known = protocol.without_secrets(config)
    assert (known.server.token, known.server.key) == (None, "")


def received(pieces: list[bytes], path: Path, space: int = 10**9) -> int:
    async def body() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    def check(wanted: int) -> None:
        if wanted > space:
            raise Refused("no_space", "full")

    return asyncio.run(receive(body(), path, check))


def test_a_video_is_written_as_it_comes(tmp_path: Path) -> None:
    pieces = [MP4[:3], MP4[3:], bytes(PIECE_BYTES), b"end"]
    assert received(pieces, tmp_path / "video") == sum(map(len, pieces))
    assert (tmp_path / "video").read_bytes() == b"".join(pieces)


def test_nothing_is_written_of_what_is_no_video(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="expected a video"):
        received([b"x", bytes(PIECE_BYTES)], tmp_path / "video")
    assert (tmp_path / "video").stat().st_size == 0


def test_the_disk_is_asked_before_each_piece(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="full"):
        received([MP4, bytes(PIECE_BYTES)], tmp_path / "video", space=1000)


def test_some_of_the_disk_is_left_to_others(tmp_path: Path) -> None:
    keeper = Store(str(tmp_path), free=lambda _: KEEP_FREE_BYTES + 1000)
    keeper.check_space(1000)
    with pytest.raises(Refused, match="100 MB have to stay free"):
        keeper.check_space(1001)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Refused, match=r"uploads\.folder"):
        Store(str(tmp_path / "file")).new_folder()


def test_only_plain_results_are_kept(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("x")
    folder = tmp_path / "job"
    folder.mkdir()
    (folder / "video").touch()
    (folder / "events.jsonl").write_text("{}")
    (folder / "events.csv").hardlink_to(secret)
    (folder / "annotated.webm").symlink_to(secret)
    (folder / "chips").mkdir()
    assert tidy(folder) == {"events.jsonl": 2}
    assert [path.name for path in folder.iterdir()] == ["events.jsonl"]
    assert secret.read_text() == "x"


def test_a_folder_of_a_run_that_lives_is_left_alone(tmp_path: Path) -> None:
    living = Store(str(tmp_path))
    folder = living.new_folder()
    assert Store(str(tmp_path)).clean() == 0
    assert folder.exists()
    living.close()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_just_being_made_is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / f"{store.PREFIX}new"
    folder.mkdir()
    assert Store(str(tmp_path)).clean() == 0
    old_s = time.time() - 2 * store.MAKING_S
    os.utime(folder, (old_s, old_s))
    assert Store(str(tmp_path)).clean() == 1


def test_a_link_in_place_of_a_folder_is_not_followed(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / store.LOCK).touch()
    (tmp_path / f"{store.PREFIX}link").symlink_to(precious)
    assert Store(str(tmp_path)).clean() == 0
    assert precious.exists()


def test_a_video_is_deleted_also_for_somebody_who_does_not_wait_for_it(tmp_path: Path) -> None:
    async def ends_slowly() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.05)

    async def scenario() -> None:
        desk = VideoDesk(LiveSettings(Config()), Store(str(tmp_path)))
        work = asyncio.create_task(ends_slowly())
        entry = _Entry(VideoJob("a", "film.mp4", "running"), tmp_path / "video", Config(), 0.0, work=work)
        desk._entries["a"] = entry
        deletion = asyncio.create_task(desk.delete("a"))
        await asyncio.sleep(0.01)
        deletion.cancel()
        await asyncio.wait([deletion, work])
        await desk.close()

    (tmp_path / "video").mkdir()
    asyncio.run(scenario())
    assert not (tmp_path / "video").exists()
