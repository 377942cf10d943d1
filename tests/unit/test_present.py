"""What is drawn, and when."""

import cv2
import msgspec
import numpy as np
import pytest

from edge.annotate import Annotator
from edge.audience import Audience
from edge.encode import encode_jpeg
from edge.errors import PermanentError
from edge.palette import face_colour
from edge.present import Present
from edge.slot import LatestSlot
from edge.status import SourceStatus
from edge.types import Box, Decision, JpegPacket, Scene, Track
from edge.worker import Control
from tests.fakes import Ticking, frame


def scene(*tracks: Track, seq: int = 1) -> Scene:
    return Scene(frame(seq, width=320, height=240), tracks, ("happy",), Decision(True, "first"), {})


def track(number: int = 1, *, misses: int = 0, box: Box | None = None, label: str | None = "happy") -> Track:
    return Track(number, box or Box(0.25, 0.25, 0.5, 0.5), 0.9, None, 1, misses, 1, 0, label=label, confidence=0.87)


def colours(picture: np.ndarray) -> set[tuple[int, ...]]:
    return {tuple(colour) for colour in picture.reshape(-1, 3).tolist()}


def test_a_face_gets_a_box_in_its_own_colour():
    picture = Annotator().draw(scene(track(2)))
    assert face_colour(2)[::-1] in colours(picture)
    assert tuple(picture[60, 160]) == face_colour(2)[::-1], "the box's upper edge"


def test_a_face_that_was_missed_is_grey():
    assert face_colour(1)[::-1] not in colours(Annotator().draw(scene(track(1, misses=1))))


def test_a_source_that_was_chosen_for_the_user_is_named_at_the_foot_of_the_picture():
    plain, named = Annotator().draw(scene(track())), Annotator("auto: demo, no camera answers").draw(scene(track()))
    changed = (plain != named).any(axis=(1, 2)).nonzero()[0]
    assert changed.min() > 200, "only the last rows of 240"
    assert changed.max() == 239


def test_the_frame_itself_is_never_drawn_on():
    shown = scene(track())
    before = shown.frame.bgr.copy()
    Annotator().draw(shown)
    np.testing.assert_array_equal(shown.frame.bgr, before)


def test_a_picture_without_faces_is_the_frame():
    shown = scene()
    np.testing.assert_array_equal(Annotator().draw(shown), shown.frame.bgr)


def test_nothing_of_the_scene_before_is_left_on_the_canvas():
    annotator = Annotator()
    annotator.draw(scene(track()))
    np.testing.assert_array_equal(annotator.draw(scene()), scene().frame.bgr)


@pytest.mark.parametrize("box", [Box(-0.5, -0.5, 0.6, 0.6), Box(0.9, 0.9, 0.5, 0.5), Box(0, 0, 1, 1), Box(2, 2, 1, 1)])
def test_a_face_at_the_border_can_be_drawn(box: Box):
    assert Annotator().draw(scene(track(box=box))).shape == (240, 320, 3)


def test_labels_are_kept_drawn_but_not_for_ever():
    annotator = Annotator()
    for number in range(600):
        annotator.draw(scene(track(label=f"l{number}")))
    assert len(annotator._labels) <= 256


def test_a_notice_shows_its_words():
    blank = Annotator().notice(640, 480, "", "")
    notice = Annotator().notice(640, 480, "Camera reconnecting", "/dev/video0 is not there: plug it in " * 3)
    assert (blank != notice).any()


def test_an_encoded_picture_can_be_decoded_and_one_without_pixels_is_refused():
    picture = Annotator().draw(scene(track()))
    again = cv2.imdecode(np.frombuffer(encode_jpeg(picture, 90), np.uint8), cv2.IMREAD_COLOR)
    assert np.abs(again.astype(int) - picture).mean() < 3
    with pytest.raises(PermanentError, match="shape"):
        encode_jpeg(np.empty((0, 0, 3), np.uint8), 80)


class Theatre:
    """A presenter whose stop comes after a number of looks at the clock or waits."""

    def __init__(self, state: str) -> None:
        self.scenes: LatestSlot[Scene] = LatestSlot()
        self.jpegs: LatestSlot[JpegPacket] = LatestSlot()
        self.audience = Audience()
        self.encoded = 0
        self.source = SourceStatus("cam", state, "unplugged", 320, 240, 5)
        self.present = Present(
            self.scenes, self.jpegs, self.audience, lambda: self.source, 80, Ticking(200_000_000), self._count
        )

    def _count(self, *_spent_ns: int) -> None:
        self.encoded += 1

    def run(self, looks: int) -> None:
        control = Control(Ticking())
        beats = iter(range(looks))
        control.beat = lambda: control._stop.set() if next(beats, None) is None else None  # type: ignore[method-assign]
        self.present.run(control)


@pytest.fixture
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.present.WAIT_S", 0.0)


@pytest.mark.usefixtures("_no_waiting")
def test_nobody_watches_nothing_is_encoded():
    theatre = Theatre("online")
    theatre.scenes.put(scene())
    theatre.run(3)
    assert theatre.encoded == 0


@pytest.mark.usefixtures("_no_waiting")
def test_one_picture_a_scene_however_many_watch():
    theatre = Theatre("online")
    theatre.scenes.put(scene(track()))
    with theatre.audience.watching(), theatre.audience.watching():
        theatre.run(5)
    assert theatre.encoded == 1
    assert theatre.jpegs.newer(0)


@pytest.mark.usefixtures("_no_waiting")
def test_a_scene_from_before_the_camera_came_back_is_not_shown_to_who_comes_now():
    theatre = Theatre("online")
    theatre.source = msgspec.structs.replace(theatre.source, since=2)
    theatre.scenes.put(scene(track(), seq=1))
    with theatre.audience.watching():
        theatre.run(4)
        assert theatre.encoded == 0
        theatre.scenes.put(scene(track(), seq=2))
        theatre.run(4)
    assert theatre.encoded == 1


@pytest.mark.usefixtures("_no_waiting")
@pytest.mark.parametrize("state", ["starting", "stalled", "reconnecting", "failed"])
def test_without_a_camera_the_old_scene_is_not_shown_but_the_reason(state: str):
    theatre = Theatre(state)
    theatre.scenes.put(scene(track()))
    with theatre.audience.watching():
        theatre.run(3)
    packet = theatre.jpegs.newer(0)
    assert packet is not None
    picture = cv2.imdecode(np.frombuffer(packet[1].data, np.uint8), cv2.IMREAD_COLOR)
    assert picture.mean() < 60, "the dark notice, not the frame"


@pytest.mark.usefixtures("_no_waiting")
def test_the_last_picture_of_a_file_is_shown_to_who_comes_after_its_end_without_encoding_it_again():
    theatre = Theatre("ended")
    theatre.scenes.put(scene(track()))
    shown: list[JpegPacket] = []
    theatre.jpegs.subscribe(lambda: shown.append((theatre.jpegs.newer(0) or (0, JpegPacket(0, 0, b"", 0, 0)))[1]))
    with theatre.audience.watching():
        theatre.run(12)
    assert len(shown) >= 2
    assert all(packet is shown[0] for packet in shown)
    assert theatre.encoded == 1


@pytest.mark.usefixtures("_no_waiting")
def test_a_new_reason_is_shown_at_once_and_the_same_one_once_a_second():
    theatre = Theatre("online")
    theatre.present = Present(
        theatre.scenes, theatre.jpegs, theatre.audience, lambda: theatre.source, 80, Ticking(1000), theatre._count
    )
    theatre.scenes.put(scene(track()))
    with theatre.audience.watching():
        theatre.run(2)
        assert theatre.encoded == 1
        theatre.source = msgspec.structs.replace(theatre.source, state="reconnecting", reason="the cable")
        theatre.run(5)
        assert theatre.encoded == 2, "not after a second, and not five times"
        theatre.source = msgspec.structs.replace(theatre.source, reason="no such device")
        theatre.run(5)
        assert theatre.encoded == 3
    packet = theatre.jpegs.newer(0)
    assert packet is not None
    assert packet[1].notice
