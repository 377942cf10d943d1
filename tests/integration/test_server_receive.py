"""Pictures from outside: what is taken, what is answered, and who is sent away."""

import json
import threading
import time
from dataclasses import replace

import cv2
import msgspec
import numpy as np
import pytest

from edge.mailbox import MAX_BYTES, Limits, Mailbox
from edge.server.receive import Receive
from edge.server.sender import MOST_BROKEN, MOST_PENDING
from edge.server.settings import ServerSettings
from tests.senders import PING, PONG, Sender, jpegs, receiving
from tests.serving import serve
from tests.stage import Stage
from tests.wire import Wire, eventually, get

PICTURES = jpegs(8)
CUT = PICTURES[0][: len(PICTURES[0]) // 2]
"""Its header is right."""


def test_each_picture_is_answered_with_the_number_of_its_message_and_what_was_seen() -> None:
    with receiving() as at, Sender(at.port).greeted() as sender:
        assert sender.hello == {"max_bytes": MAX_BYTES, "max_fps": 120.0, "max_width": 1920, "max_height": 1080}
        for seq, picture in enumerate(PICTURES, start=1):
            sender.post(picture)
            said = sender.answer(seq)
            assert set(said) == {"seq", "result"}
            assert (said["result"]["width"], said["result"]["height"]) == (320, 240)
            assert said["result"]["faces"][0]["label"] == "happy"
        assert at.rig.state == "online"


def test_who_connects_again_counts_from_one_again_and_is_not_told_of_pictures_of_others() -> None:
    with receiving() as at:
        with Sender(at.port).greeted() as first:
            for seq, picture in enumerate(PICTURES, start=1):
                first.post(picture)
                first.answer(seq)
        eventually(lambda: not at.mailbox.sender, "the first has gone")
        with Sender(at.port).greeted() as second:
            second.post(PICTURES[0])
            assert second.message()["seq"] == 1
            assert at.rig.capture.status.frames == len(PICTURES) + 1


def test_a_picture_is_as_old_as_its_arrival() -> None:
    with receiving() as at, Sender(at.port).greeted() as sender:
        before_ns = time.monotonic_ns()
        sender.post(PICTURES[0])
        sender.answer(1)
        newest = at.rig.frames.newer(0)
        assert newest is not None
        assert before_ns < newest[1].t_ns < time.monotonic_ns()


def test_of_more_pictures_than_are_taken_the_newest_wins_and_the_others_are_counted() -> None:
    with receiving(Limits(max_fps=10)) as at, Sender(at.port).greeted() as sender:
        for picture in PICTURES * 5:
            sender.post(picture)
            time.sleep(0.01)
        last = sender.answer(5 * len(PICTURES))
        assert last["result"]["seq"] == 5 * len(PICTURES), "what was left out shows as a gap in the numbers"
        taken = at.rig.scenes.newer(0)
        assert taken is not None
        assert 3 <= taken[0] <= 12
        (client,) = at.stage.clients.status()
        assert client.kind == "push"
        assert client.skipped == 5 * len(PICTURES) - taken[0]


def large(side: int) -> bytes:
    return cv2.imencode(".jpg", np.zeros((side, 64, 3), np.uint8))[1].tobytes()


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (b"GIF89a", "not_a_jpeg"),
        (b"", "not_a_jpeg"),
        ("a text", "not_a_jpeg"),
        (PICTURES[0][:80], "broken_jpeg"),
        (PICTURES[0].replace(b"\xff\xc0", b"\xff\xc9", 1), "unusual_jpeg"),
        (large(1921), "too_large"),
        (large(8), "too_small"),
        (CUT, "broken_jpeg"),
    ],
    ids=["gif", "empty", "text", "cut", "arithmetic", "large", "small", "undecodable"],
)
def test_what_is_no_picture_is_answered_and_the_connection_stays(message: bytes | str, code: str) -> None:
    with receiving() as at, Sender(at.port).greeted() as sender:
        sender.post(message)
        said = sender.answer(1)
        assert said["error"]["code"] == code
        assert len(said["error"]["message"]) > 30
        sender.post(PICTURES[0])
        assert "result" in sender.answer(2)


def test_a_picture_that_lies_on_its_side_or_upright_is_taken() -> None:
    with receiving(Limits(width=640, height=480)) as at, Sender(at.port).greeted() as sender:
        for seq, (width, height, taken) in enumerate(
            [(640, 480, True), (480, 640, True), (640, 481, False), (500, 500, False)], start=1
        ):
            sender.post(cv2.imencode(".jpg", np.zeros((height, width, 3), np.uint8))[1].tobytes())
            assert ("result" in sender.answer(seq)) == taken


@pytest.mark.parametrize(("message", "code"), [(b"no picture", 1007), ("a text", 1003)])
def test_who_sends_nothing_else_is_sent_away(message: bytes | str, code: int) -> None:
    with receiving() as at, Sender(at.port).greeted() as sender:
        for _ in range(MOST_BROKEN):
            sender.post(message)
        found, reason = sender.closing()
        assert found == code
        assert str(MOST_BROKEN) in reason


def test_who_sends_only_what_cannot_be_decoded_is_sent_away_too() -> None:
    with receiving() as at, Sender(at.port).greeted() as sender:
        for seq in range(1, MOST_BROKEN):
            sender.post(CUT)
            assert sender.answer(seq)["error"]["code"] == "broken_jpeg"
        eventually(lambda: "cannot be decoded" in at.rig.capture.status.reason, "it is told")
        sender.post(CUT)
        assert sender.closing()[0] == 1007


def test_broken_ones_in_between_do_not_add_up() -> None:
    with receiving() as at, Sender(at.port).greeted() as sender:
        seq = 0
        for _ in range(3):
            for _ in range(MOST_BROKEN - 1):
                sender.post(b"no picture")
                seq += 1
            sender.post(PICTURES[0])
            seq += 1
            assert "result" in sender.answer(seq)


def test_a_message_may_be_as_large_as_was_said_and_no_larger() -> None:
    limits = Limits(max_bytes=40_000)
    padded = PICTURES[0] + bytes(40_000 - len(PICTURES[0]))
    with receiving(limits) as at, Sender(at.port).greeted() as sender:
        sender.post(padded)
        assert "result" in sender.answer(1)
        sender.post(padded + bytes(2))
        assert sender.closing()[0] == 1009
        eventually(lambda: not at.mailbox.sender, "the place is free")


def test_there_is_one_sender_at_a_time() -> None:
    with receiving() as at, Sender(at.port).greeted() as first:
        with Sender(at.port) as second:
            code, reason = second.closing()
            assert code == 1013
            assert "127.0.0.1" in reason
        first.post(PICTURES[0])
        assert "result" in first.answer(1), "the first is not disturbed"
        first.close()
        eventually(lambda: not at.mailbox.sender, "the first has gone")
        Sender(at.port).greeted().close()


def test_who_shows_no_sign_of_life_is_dropped() -> None:
    stage, mailbox = Stage(), Mailbox(Limits())
    backstage = replace(stage.backstage(), mailbox=mailbox)

    class Quick(Receive):
        def __init__(self, *args: object) -> None:
            super().__init__(*args, heartbeat_s=0.4)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("edge.server.app.Receive", Quick)
        with serve(backstage, ServerSettings(port=0)) as served:
            with Sender(served.port).greeted() as dead:
                assert dead.next_frame()[0] == PING
                start_s = time.monotonic()
                eventually(lambda: not mailbox.sender, "it is dropped")
                assert time.monotonic() - start_s < 5
            with Sender(served.port).greeted() as alive:
                for _ in range(4):
                    opcode, data = alive.next_frame()
                    assert opcode == PING
                    alive.frame(PONG, data)
                assert mailbox.sender


def test_who_takes_no_answers_is_dropped_and_slow_ones_skip_to_the_newest() -> None:
    with receiving(settings=ServerSettings(port=0, send_timeout_s=0.5)) as at:
        sender = Sender(at.port, receive_buffer=2048).greeted()
        over = threading.Event()

        def send() -> None:
            try:
                while not over.wait(0.005):
                    sender.post(PICTURES[0])
            except OSError:
                over.set()

        thread = threading.Thread(target=send, daemon=True)
        thread.start()
        try:
            eventually(over.is_set, "it is dropped")
        finally:
            over.set()
            thread.join(5)
            sender.close()
        eventually(lambda: not at.mailbox.sender, "the place is free")


def test_only_people_are_counted_if_only_they_may_be() -> None:
    with receiving() as at, Sender(at.port).greeted() as sender:
        sender.post(PICTURES[0])
        assert sender.answer(1)["result"] is not None
        current = at.stage.settings.current
        privacy = msgspec.structs.replace(current.privacy, events="aggregate")
        at.stage.settings.current = msgspec.structs.replace(current, privacy=privacy)
        sender.post(PICTURES[1])
        assert sender.answer(2) == {"seq": 2, "result": None}


def test_nothing_is_kept_of_pictures_that_no_result_comes_for() -> None:
    with receiving() as at, Sender(at.port).greeted() as sender:
        at.rig.capture.ask("stop")
        eventually(lambda: at.rig.state == "stopped", "it is stopped")
        for _ in range(MOST_PENDING + 50):
            sender.post(PICTURES[0])
        sender.post(b"no picture")
        sender.answer(MOST_PENDING + 51)
        at.rig.capture.ask("start")
        eventually(lambda: at.rig.state == "waiting", "what came meanwhile is old")
        sender.post(PICTURES[1])
        assert sender.answer(MOST_PENDING + 52)["result"]["faces"]


def test_the_server_takes_leave_when_it_stops() -> None:
    with receiving() as at:
        sender = Sender(at.port).greeted()
        sender.post(PICTURES[0])
        sender.answer(1)
        start_s = time.monotonic()
    assert time.monotonic() - start_s < 5
    code, reason = sender.closing()
    sender.close()
    assert (code, reason) == (1001, "the program ends")


def test_other_sources_take_no_pictures_and_say_how_to_change_that() -> None:
    with serve(Stage().backstage(), ServerSettings(port=0)) as served:
        with Wire(served.port) as wire:
            wire.send("/api/v1/push", version="1.1", Host="localhost", Upgrade="websocket", Connection="Upgrade")
            assert wire.read_headers()["status"] == "409"
        _, _, body = get(served.port, "/api/v1/push")
        error = json.loads(body)["error"]
        assert error["code"] == "no_push_source"
        assert "--source push:" in error["message"]


def test_a_plain_request_is_told_that_this_is_a_websocket() -> None:
    with receiving() as at:
        status, headers, body = get(at.port, "/api/v1/push")[0:3]
        assert (status, headers["upgrade"]) == (426, "websocket")
        assert json.loads(body)["error"]["code"] == "upgrade_required"


@pytest.mark.parametrize("origin", ["http://elsewhere.example", "null"])
def test_pages_of_others_may_not_send(origin: str) -> None:
    with receiving() as at, Wire(at.port) as wire:
        upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec_WebSocket_Version": "13"}
        key = {"Sec_WebSocket_Key": "AAAAAAAAAAAAAAAAAAAAAA=="}
        wire.send("/api/v1/push", version="1.1", Host="localhost", Origin=origin, **upgrade, **key)
        assert wire.read_headers()["status"] == "403"


def test_the_token_is_asked_for() -> None:
    with receiving(settings=ServerSettings(port=0, token="sesame-sesame")) as at:
        assert get(at.port, "/api/v1/push")[0] == 401


@pytest.mark.parametrize(
    "noise",
    [
        b"\x00" * 200,
        b"\xff" * 200,
        b"\xf2\x85\x00\x00\x00\x00hello",  # reserved bits
        b"\x82\xff" + b"\x7f" + b"\xff" * 7 + b"\x00\x00\x00\x00",  # a length of exabytes
        b"\x89\xfe\x01\x00\x00\x00\x00\x00" + bytes(256),  # a ping that is too long
        b"\x80\x85\x00\x00\x00\x00hello",  # goes on with nothing
        b"\x88\x81\x00\x00\x00\x00x",  # a close code cut in two
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ],
    ids=["zeros", "ones", "reserved", "endless", "ping", "continuation", "close", "http"],
)
def test_what_is_no_websocket_ends_the_connection_and_frees_the_place(noise: bytes) -> None:
    with receiving() as at:
        with Sender(at.port).greeted() as sender:
            sender.sock.sendall(noise)
            assert sender.closing()[0] in (1002, 1006, 1007, 1009, 1000)
        eventually(lambda: not at.mailbox.sender, "the place is free")
        with Sender(at.port).greeted() as next_one:
            next_one.post(PICTURES[0])
            assert "result" in next_one.answer(1)
