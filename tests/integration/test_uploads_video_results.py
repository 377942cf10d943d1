"""What an analysed video leaves, over real sockets: its record, its files, and nothing else."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import msgspec
import pytest

from edge.events import SceneEvent
from tests.uploading import SHORT_FRAMES, Taking, taking


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory, short_video: bytes) -> Iterator[tuple[Taking, Any]]:
    """A server, and a video that it has analysed."""
    with taking(tmp_path_factory.mktemp("done")) as server:
        sent = server.send(short_video, "?name=My%20holiday.mp4")
        assert sent.status == 202
        assert sent.headers["location"] == f"/api/v1/videos/{sent.json['id']}"
        yield server, server.wait(sent.json["id"])


def test_a_video_is_analysed_to_its_end(done: tuple[Taking, Any]) -> None:
    _, job = done
    assert (job["state"], job["name"], job["progress"]) == ("done", "My holiday.mp4", 1.0)
    assert (job["frames"], job["fps"], job["annotated"]) == (SHORT_FRAMES, 25.0, True)
    assert job["duration_s"] == pytest.approx(1.2, abs=0.05)
    assert job["faces"]
    for face in job["faces"]:
        assert face["last_s"] >= face["first_s"]
        assert sum(face["label_seconds"].values()) <= face["last_s"] - face["first_s"] + 0.05


def test_its_records_have_the_one_schema(done: tuple[Taking, Any]) -> None:
    server, job = done
    answer = server.ask("GET", f"/api/v1/videos/{job['id']}/events.jsonl")
    records = [msgspec.json.decode(line, type=SceneEvent) for line in answer.body.splitlines()]
    assert [record.seq for record in records] == list(range(1, SHORT_FRAMES + 1))
    assert records[1].media_s == pytest.approx(0.04)
    assert str(server.desk.settings.current.uploads.folder) not in answer.body.decode()
    assert answer.headers["content-disposition"].startswith('attachment; filename="My_holiday-events.jsonl"')


def test_its_table_has_a_row_for_each_face(done: tuple[Taking, Any]) -> None:
    server, job = done
    answer = server.ask("GET", f"/api/v1/videos/{job['id']}/events.csv")
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.body.decode())))
    assert len(rows) >= SHORT_FRAMES
    assert float(rows[0]["score_happy"]) >= 0


def test_the_annotated_video_plays_and_any_part_of_it_can_be_had(done: tuple[Taking, Any], tmp_path: Path) -> None:
    server, job = done
    path = f"/api/v1/videos/{job['id']}/annotated.webm"
    whole = server.ask("GET", path)
    assert whole.headers["content-type"] == "video/webm"
    assert whole.headers["accept-ranges"] == "bytes"
    (tmp_path / "film.webm").write_bytes(whole.body)
    capture = cv2.VideoCapture(str(tmp_path / "film.webm"))
    read = 0
    while capture.read()[0]:
        read += 1
    assert read == SHORT_FRAMES
    part = server.ask("GET", path, Range="bytes=100-199")
    assert (part.status, part.body) == (206, whole.body[100:200])
    assert part.headers["content-range"] == f"bytes 100-199/{len(whole.body)}"
    assert server.ask("GET", path, Range="bytes=99999999-").status == 416
    head = server.ask("HEAD", path)
    assert (head.status, head.body, int(head.headers["content-length"])) == (200, b"", len(whole.body))
    named = server.ask("GET", f"{path}?download=1").headers["content-disposition"]
    assert 'filename="My_holiday-annotated.webm"' in named


def test_all_videos_are_listed(done: tuple[Taking, Any]) -> None:
    server, job = done
    assert server.ask("GET", "/api/v1/videos").json == [server.job(job["id"])]


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE"])
@pytest.mark.parametrize("job_id", ["x", "..", "%2e%2e%2fetc", "%00", "a" * 5000, "%F0%9F%98%80"])
def test_an_unknown_id_is_not_found(done: tuple[Taking, Any], method: str, job_id: str) -> None:
    server, _ = done
    answer = server.ask(method, f"/api/v1/videos/{job_id}")
    assert answer.status in (404, 405)  # `..` is the list, which takes no DELETE
    assert method == "HEAD" or answer.code in ("not_found", "method_not_allowed")


@pytest.mark.parametrize("file", ["video", "in-use", "..%2f..%2fetc%2fpasswd", "summary.json", "%2e%2e", "x" * 5000])
def test_no_other_file_can_be_asked_for(done: tuple[Taking, Any], file: str) -> None:
    server, job = done
    answer = server.ask("GET", f"/api/v1/videos/{job['id']}/{file}")
    assert (answer.status, answer.code) == (404, "not_found")


def test_a_name_cannot_add_headers(done: tuple[Taking, Any], short_video: bytes) -> None:
    server, _ = done
    name = "../a%0d%0aX-Evil:%201%22;%20b%E2%80%AEfdp.%F0%9F%8E%AC.mp4"
    job = server.wait(server.send(short_video, f"?name={name}").json["id"])
    assert "\r" not in job["name"]
    assert "/" not in job["name"]
    headers = server.ask("GET", f"/api/v1/videos/{job['id']}/events.csv").headers
    assert "x-evil" not in headers
    assert headers["content-disposition"].count('"') == 2
    assert headers["content-disposition"].isascii()
