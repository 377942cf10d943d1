"""Pictures over real sockets, read by a real child process with the real model."""

import base64
import os
import signal
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import msgspec
import numpy as np
import pytest

from edge.events import SceneEvent
from edge.uploads import pictures
from edge.uploads.pictures import PictureDesk
from tests.malformed_files import progressive
from tests.uploading import Taking, ask, encoded, eventually, people, taking

EMPTY = encoded(np.full((120, 160, 3), 90, np.uint8))


@pytest.fixture(scope="module")
def faces() -> bytes:
    return encoded(people())


@pytest.fixture(scope="module")
def server() -> Iterator[Taking]:
    with taking(max_megapixels=2.0, max_mb=1.0) as server:
        yield server


def decoded(answer_json: dict) -> np.ndarray:
    jpeg = base64.b64decode(answer_json["annotated_jpeg"])
    return cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)


def test_a_picture_gives_a_record_as_live(server: Taking, faces: bytes) -> None:
    answer = server.analyze(faces)
    assert answer.status == 200
    assert answer.headers["cache-control"] == "no-store"
    record = msgspec.convert(answer.json["result"], SceneEvent)
    assert (record.width, record.height, record.source) == (640, 480, "upload")
    assert sorted(str(face.label) for face in record.faces) == ["fear", "happy", "surprise"]
    assert answer.json["message"].count("Face ") == 3
    assert answer.json["annotated_jpeg"] is None


def test_the_annotated_picture_shows_boxes(server: Taking, faces: bytes) -> None:
    shown = decoded(server.analyze(faces, "?picture=1").json)
    assert shown.shape == (480, 640, 3)
    assert np.abs(shown.astype(int) - people().astype(int)).max() > 150


def test_a_large_picture_comes_back_no_wider_than_a_page(server: Taking) -> None:
    answer = server.analyze(encoded(people("1760x990")), "?picture=true")
    assert decoded(answer.json).shape == (900, 1600, 3)
    assert (answer.json["result"]["width"], answer.json["result"]["height"]) == (1760, 990)


def test_no_face_is_said_so(server: Taking) -> None:
    answer = server.analyze(EMPTY)
    assert (answer.status, answer.json["result"]["faces"]) == (200, [])
    assert "No face" in answer.json["message"]


def test_the_whole_picture_is_read_only_if_asked_for(server: Taking) -> None:
    answer = server.analyze(EMPTY, "?whole=1&threshold=0")
    (face,) = answer.json["result"]["faces"]
    assert answer.json["result"]["reason"] == "whole"
    assert face["label"] in face["scores"] or face["doubt"] is not None


def test_below_the_threshold_a_face_is_uncertain(server: Taking, faces: bytes) -> None:
    answer = server.analyze(faces, "?threshold=0.99")
    assert {face["label"] for face in answer.json["result"]["faces"]} == {"uncertain"}
    assert "no expression reaches 99 %" in answer.json["message"]


@pytest.mark.parametrize("suffix", [".png", ".webp", ".bmp", ".tiff", ".ppm"])
def test_other_kinds_are_taken_as_well(server: Taking, suffix: str) -> None:
    answer = server.analyze(encoded(people("320x240"), suffix))
    assert answer.status == 200
    assert answer.json["result"]["faces"]


@pytest.mark.parametrize(
    "options",
    [
        "?threshold=2",
        "?threshold=-0.1",
        "?threshold=nan",
        "?threshold=x",
        "?whole=yes",
        "?picture=2",
        "?wholes=1",
        "?whole=0&whole=1",
    ],
)
def test_a_malformed_option_is_named(server: Taking, options: str) -> None:
    answer = server.analyze(EMPTY, options)
    assert (answer.status, answer.code) == (400, "bad_option")
    assert options[1:].partition("=")[0] in answer.message


@pytest.mark.parametrize(
    ("body", "status", "code", "said"),
    [
        (b"", 400, "empty", "empty"),
        (b"<html><script>alert(1)</script>", 415, "unsupported_media_type", "JPEG, PNG"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415, "unsupported_media_type", "JPEG, PNG"),
        (b"\x1a\x45\xdf\xa3" + bytes(100), 415, "unsupported_media_type", "a video"),
        (b"\xff\xd8\xff\xe0" + bytes(500), 422, "broken", "broken"),
        (EMPTY[: len(EMPTY) // 3], 422, "broken", "complete?"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\xff\xff\0\0\xff\xff\x08\2\0\0\0", 413, "too_many_pixels", "65535×65535"),
        (bytes(1_000_001), 413, "too_large", "1000000"),
    ],
    ids=["empty", "html", "svg", "video", "zeros", "cut off", "bomb", "large"],
)
def test_what_cannot_be_read_is_refused_with_the_reason(
    server: Taking, body: bytes, status: int, code: str, said: str
) -> None:
    answer = server.analyze(body)
    assert (answer.status, answer.code) == (status, code)
    assert said in answer.message


def test_too_many_pixels_are_refused_by_the_header_alone(server: Taking, faces: bytes) -> None:
    big = encoded(np.zeros((1500, 1500, 3), np.uint8), ".png")
    answer = server.analyze(big)
    assert (answer.status, answer.code) == (413, "too_many_pixels")
    assert "1500×1500 = 2.2 megapixels" in answer.message
    assert "at most 2 " in answer.message
    assert server.analyze(faces).status == 200


def test_a_form_is_refused_with_what_to_do(server: Taking) -> None:
    answer = server.ask("POST", "/api/v1/analyze", EMPTY, Content_Type="multipart/form-data; boundary=x")
    assert answer.status == 415


def test_two_pictures_at_once_are_both_answered(server: Taking, faces: bytes) -> None:
    with ThreadPoolExecutor(4) as clients:
        answers = list(clients.map(server.analyze, [faces, EMPTY, faces, EMPTY]))
    assert [answer.status for answer in answers] == [200] * 4
    assert [len(answer.json["result"]["faces"]) for answer in answers] == [3, 0, 3, 0]


def test_one_process_serves_one_picture_after_the_other(server: Taking) -> None:
    server.analyze(EMPTY)
    before = server.desk.pictures.process
    assert before is not None
    server.analyze(b"\xff\xd8\xff\xe0" + bytes(500))
    server.analyze(EMPTY)
    assert server.desk.pictures.process == before


def test_the_process_is_limited(server: Taking) -> None:
    server.analyze(EMPTY)
    pid = server.desk.pictures.process
    assert pid is not None
    limits = Path(f"/proc/{pid}/limits").read_text()
    named = {line[:26].strip(): line[26:].split()[0] for line in limits.splitlines()[1:]}
    assert named["Max core file size"] == "0"
    assert int(named["Max address space"]) < 600 * 2**20
    assert int(named["Max file size"]) == 2**20
    environment = Path(f"/proc/{pid}/environ").read_text()
    assert "TOKEN" not in environment
    descriptors = [str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir()]
    assert not [name for name in descriptors if name.startswith("socket")]
    assert Path(f"/proc/{pid}/oom_score_adj").read_text().strip() == "1000"


def test_the_process_has_no_network(server: Taking) -> None:
    server.analyze(EMPTY)
    pid = server.desk.pictures.process
    interfaces = Path(f"/proc/{pid}/net/dev").read_text().splitlines()[2:]
    if os.geteuid() == 0:
        assert [line.split(":")[0].strip() for line in interfaces] == ["lo"]
        assert Path(f"/proc/{pid}/net/route").read_text() == ""


def test_a_process_that_was_killed_in_its_sleep_is_replaced(server: Taking, faces: bytes) -> None:
    server.analyze(EMPTY)
    pid = server.desk.pictures.process
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert server.analyze(faces).status == 200
    assert server.desk.pictures.process != pid


def test_a_picture_that_kills_its_process_is_refused_and_the_next_is_read(faces: bytes) -> None:
    with taking() as server, ThreadPoolExecutor(1) as client:
        asked = client.submit(server.analyze, faces)
        eventually(lambda: server.desk.pictures.process is not None, "a process was started")
        os.kill(server.desk.pictures.process or 0, signal.SIGKILL)
        assert (asked.result().status, asked.result().code) == (422, "crashed")
        assert server.analyze(faces).status == 200


def test_a_process_that_hangs_is_killed(faces: bytes) -> None:
    with taking(pictures=PictureDesk(deadline_s=8.0, priority="usual")) as server:
        assert server.analyze(faces).status == 200
        pid = server.desk.pictures.process
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        answer = server.analyze(faces)
        assert (answer.status, answer.code) == (504, "timeout")
        assert answer.headers["retry-after"]
        eventually(lambda: not Path(f"/proc/{pid}").exists(), "it is gone")
        assert server.analyze(faces).status == 200


def test_a_picture_that_takes_too_much_to_read_is_given_up(faces: bytes) -> None:
    with taking(pictures=PictureDesk(cpu_s=0.2, priority="usual")) as server:
        assert server.analyze(faces).status == 200
        answer = server.analyze(progressive(3000))
        assert (answer.status, answer.code) == (422, "too_slow")
        assert server.analyze(faces).status == 200


def test_what_is_shown_can_become_stricter_while_a_picture_is_read(faces: bytes) -> None:
    with taking() as server, ThreadPoolExecutor(1) as client:
        asked = client.submit(server.analyze, faces, "?picture=1")
        eventually(lambda: server.desk.pictures.process is not None, "it is being read")
        server.settings.change({"privacy": {"video": "none"}})
        answer = asked.result()
    assert (answer.status, answer.json["annotated_jpeg"]) == (200, None)


def test_a_client_that_leaves_ends_its_own_work_only(faces: bytes) -> None:
    with taking() as server:
        assert server.analyze(faces).status == 200
        pid = server.desk.pictures.process
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        connection = threading.Thread(target=_ask_and_leave, args=(server.port, faces))
        connection.start()
        connection.join()
        eventually(lambda: server.desk.pictures.process is None, "the work nobody waits for is ended")
        assert server.analyze(faces).status == 200


def _ask_and_leave(port: int, picture: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port)) as sock:
        head = "POST /api/v1/analyze HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/jpeg\r\n"
        sock.sendall(f"{head}Content-Length: {len(picture)}\r\n\r\n".encode() + picture)
        sock.settimeout(0.5)
        with pytest.raises(TimeoutError):
            sock.recv(1)


def test_the_process_ends_when_no_picture_came_for_a_while() -> None:
    with taking(pictures=PictureDesk(keep_warm_s=0.2, priority="usual")) as server:
        assert server.analyze(EMPTY).status == 200
        eventually(lambda: server.desk.pictures.process is None, "it has ended")
        assert server.analyze(EMPTY).status == 200


def test_the_process_ends_with_the_server() -> None:
    with taking() as server:
        server.analyze(EMPTY)
        pid = server.desk.pictures.process
    assert not Path(f"/proc/{pid}").exists()


def test_more_than_can_be_held_in_memory_have_to_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "MAX_WAITING", 0)
    with taking() as server:
        answer = server.analyze(EMPTY)
        assert (answer.status, answer.code, answer.headers["retry-after"]) == (503, "busy", "5")
        assert server.desk.pictures.process is None


@pytest.mark.parametrize("path", ["/api/v1/videos", "/api/v1/videos/x", "/api/v1/videos/x/events.csv"])
def test_where_uploads_are_off_all_is_refused(path: str) -> None:
    with taking(enabled=False) as server:
        assert (server.analyze(EMPTY).status, server.analyze(EMPTY).code) == (403, "disabled")
        assert server.send(b"x").status == 403
        assert server.ask("GET", path).status == 403
        assert server.ask("DELETE", "/api/v1/videos/x").status == 403


@pytest.mark.parametrize(("mode", "shown"), [("none", False), ("boxes", True), ("blurred", True)])
def test_no_more_of_a_picture_is_shown_than_of_the_camera(mode: str, shown: bool, faces: bytes) -> None:
    with taking(privacy={"video": mode}) as server:
        answer = server.analyze(faces, "?picture=1").json
    assert len(answer["result"]["faces"]) == 3
    assert (answer["annotated_jpeg"] is not None) == shown
    if shown:
        # between the eyes of the face in the middle: skin with sharp eyes beside it
        sharpness = cv2.Laplacian(decoded(answer)[215:250, 300:375], cv2.CV_64F).var()
        original = cv2.Laplacian(people()[215:250, 300:375], cv2.CV_64F).var()
        assert sharpness < original / 20


def test_other_programs_settings_and_pages_get_json_errors(server: Taking) -> None:
    assert ask(server.port, "GET", "/api/v1/analyze").status == 405
    assert ask(server.port, "POST", "/api/v1/analyze", EMPTY, Origin="http://evil.example").status == 403
