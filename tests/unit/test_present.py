"""When which picture is made, and for whom."""

from contextlib import ExitStack

import cv2
import msgspec
import numpy as np
import pytest

from edge.audience import Audience
from edge.config import Config
from edge.events import SceneEvent, scene_event
from edge.live import LiveSettings
from edge.present import Present
from edge.press import Press
from edge.slot import LatestSlot
from edge.status import SourceStatus
from edge.types import Frame, JpegPacket, Scene
from edge.variants import DEFAULT, Variant
from edge.worker import Control
from tests.drawn import scene, track
from tests.fakes import Ticking


class Theatre:
    """A presenter whose stop comes after a number of looks at the clock or waits."""

    def __init__(self, state: str) -> None:
        self.scenes: LatestSlot[Scene] = LatestSlot()
        self.audience = Audience()
        self.jpegs = self.audience.default.jpegs
        self.settings = LiveSettings(Config())
        self.encoded = 0
        self.source = SourceStatus("cam", state, "unplugged", 320, 240, 5)
        self.records = 0
        self.tick(200_000_000)

    def tick(self, step_ns: int) -> None:
        """Begin anew, with a clock that goes on so far at each look."""
        clock = Ticking(step_ns)
        press = Press(self.settings, clock, self._count, self._record)
        self.present = Present(self.scenes, self.audience, lambda: self.source, self.settings, clock, press)

    def _record(self, shown: Scene) -> SceneEvent:
        self.records += 1
        return scene_event(shown, "cam", None)

    def change(self, section: str, **values: object) -> None:
        """Swap the settings."""
        now = self.settings.current
        changed = msgspec.structs.replace(getattr(now, section), **values)
        self.settings.current = msgspec.structs.replace(now, **{section: changed})

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


def test_the_first_scene_of_a_source_is_not_waited_out(monkeypatch: pytest.MonkeyPatch):
    theatre = Theatre("starting")
    waited: list[int] = []

    def comes_online(seq: int, timeout_s: float) -> None:
        waited.append(seq)
        theatre.source = msgspec.structs.replace(theatre.source, state="online")
        theatre.scenes.put(scene(track()))

    monkeypatch.setattr("edge.present.WAIT_S", 60.0)  # a wait for anything but a scene would outlast the test
    monkeypatch.setattr(theatre.scenes, "wait_newer", comes_online)
    with theatre.audience.watching():
        theatre.run(1)
        monkeypatch.undo()
        theatre.run(1)
    assert waited == [0]
    packet = theatre.jpegs.newer(0)
    assert packet is not None
    assert (packet[1].seq, packet[1].notice) == (1, False)


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
    theatre.tick(1000)
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


def picture_of(packet: tuple[int, JpegPacket] | None) -> np.ndarray:
    assert packet is not None
    return cv2.imdecode(np.frombuffer(packet[1].data, np.uint8), cv2.IMREAD_COLOR)


@pytest.mark.usefixtures("_no_waiting")
def test_each_kind_of_picture_is_encoded_once_a_scene_and_only_while_it_is_watched():
    theatre = Theatre("online")
    theatre.scenes.put(scene(track()))
    small, raw = Variant(width=160), Variant(raw=True)
    with theatre.audience.watching(small) as watched, theatre.audience.watching(small):
        theatre.run(3)
        assert theatre.encoded == 1
        assert picture_of(watched.jpegs.newer(0)).shape == (120, 160, 3)
        with theatre.audience.watching() as default, theatre.audience.watching(raw) as bare:
            theatre.scenes.put(scene(track(), seq=2))
            theatre.run(2)
            assert theatre.encoded == 4
            assert picture_of(default.jpegs.newer(0)).shape == (240, 320, 3)
            assert {showing.jpegs.newer(0)[1].seq for showing in (watched, default, bare)} == {2}  # type: ignore[index]
    theatre.scenes.put(scene(track(), seq=3))
    theatre.run(3)
    assert theatre.encoded == 4


@pytest.mark.usefixtures("_no_waiting")
@pytest.mark.parametrize("width", [0, 160])
def test_a_raw_picture_has_nothing_drawn_on_it_though_another_has(width: int):
    theatre = Theatre("online")
    theatre.scenes.put(scene(track()))
    with (
        theatre.audience.watching(Variant(width, 95, raw=True)) as bare,
        theatre.audience.watching(Variant(width, 95)) as drawn,
    ):
        theatre.run(2)
    plain = scene().frame.bgr
    expected = plain if width == 0 else cv2.resize(plain, (160, 120), interpolation=cv2.INTER_AREA)
    assert np.abs(picture_of(bare.jpegs.newer(0)).astype(int) - expected).max() < 25
    assert np.abs(picture_of(drawn.jpegs.newer(0)).astype(int) - expected).max() > 60


@pytest.mark.usefixtures("_no_waiting")
def test_a_kind_that_is_wanted_five_times_a_second_is_not_encoded_more_often():
    theatre = Theatre("online")
    theatre.tick(1)
    now = [0]
    theatre.present._clock = theatre.present._press._clock = lambda: now[0]
    with theatre.audience.watching(DEFAULT, 0.2):
        for number in range(60):  # two seconds
            now[0] = 1_000_000_000 + number * 33_333_333
            theatre.scenes.put(scene(track(), seq=number + 1))
            theatre.run(2)
    assert theatre.encoded in (10, 11)


@pytest.mark.usefixtures("_no_waiting")
def test_quality_follows_the_settings_while_the_program_runs():
    theatre = Theatre("online")
    with theatre.audience.watching() as default, theatre.audience.watching(Variant(quality=90)) as fixed:
        sizes = []
        for number, quality in enumerate((90, 10), 1):
            theatre.change("stream", quality=quality)
            theatre.scenes.put(scene(track(), seq=number))
            theatre.run(2)
            sizes.append([len(showing.jpegs.newer(0)[1].data) for showing in (default, fixed)])  # type: ignore[index]
    assert sizes[0][0] == sizes[0][1] == sizes[1][1]
    assert sizes[1][0] < sizes[0][0]


@pytest.mark.usefixtures("_no_waiting")
@pytest.mark.parametrize("state", ["online", "reconnecting"])
def test_where_no_picture_may_be_shown_none_is_encoded_and_who_watches_is_dismissed(state: str):
    theatre = Theatre(state)
    theatre.change("privacy", video="none")
    theatre.scenes.put(scene(track()))
    with theatre.audience.watching() as default, theatre.audience.watching(Variant(raw=True)) as bare:
        theatre.run(4)
        assert theatre.encoded == 0
        assert default.jpegs.closed
        assert bare.jpegs.closed


@pytest.mark.usefixtures("_no_waiting")
@pytest.mark.parametrize("video", ["blurred", "boxes"])
def test_what_must_not_be_seen_is_in_no_kind_of_picture(video: str):
    theatre = Theatre("online")
    theatre.change("privacy", video=video)
    shown = scene(track())
    pixels = np.random.default_rng(1).integers(0, 256, shown.frame.bgr.shape, np.uint8)
    theatre.scenes.put(msgspec.structs.replace(shown, frame=Frame(1, 1, pixels)))
    kinds = (DEFAULT, Variant(raw=True), Variant(160, raw=True), Variant(160))
    theatre.audience._max_variants = lambda: 4
    with ExitStack() as stack:
        showings = [stack.enter_context(theatre.audience.watching(kind)) for kind in kinds]
        theatre.run(2)
        for showing in showings:
            packet = showing.jpegs.newer(0)
            inside = picture_of(packet)[5:20, 5:20].astype(float)  # nothing is drawn there
            assert inside.std() < 12, "no noise is left"
            assert packet[1].privacy is theatre.settings.current.privacy  # type: ignore[index]


@pytest.mark.usefixtures("_no_waiting")
def test_a_result_is_made_once_and_only_for_those_who_want_one():
    theatre = Theatre("online")
    theatre.scenes.put(scene(track()))
    with theatre.audience.watching() as default, theatre.audience.watching(Variant(160)) as small:
        theatre.run(2)
        assert theatre.records == 0
        with theatre.audience.watching(Variant(160), results=True):
            theatre.scenes.put(scene(track(), seq=2))
            theatre.run(2)
            results = [showing.jpegs.newer(0)[1].result for showing in (default, small)]  # type: ignore[index]
    assert theatre.records == 1
    assert results[0] is results[1]
    assert results[0].seq == 2


@pytest.mark.usefixtures("_no_waiting")
def test_no_result_is_told_where_only_aggregates_may_be():
    theatre = Theatre("online")
    theatre.change("privacy", events="aggregate")
    theatre.scenes.put(scene(track()))
    with theatre.audience.watching(results=True) as default:
        theatre.run(2)
    assert theatre.records == 0
    assert default.jpegs.newer(0)[1].result is None  # type: ignore[index]


@pytest.mark.usefixtures("_no_waiting")
def test_after_the_end_of_a_film_another_kind_of_picture_is_made_of_its_last_scene():
    theatre = Theatre("ended")
    theatre.scenes.put(scene(track(), seq=7))
    with theatre.audience.watching():
        theatre.run(3)
        with theatre.audience.watching(Variant(160)) as small:
            theatre.present._repeat(theatre.source)
            packet = small.jpegs.newer(0)
    assert picture_of(packet).shape == (120, 160, 3)
    assert packet[1].seq == 7  # type: ignore[index]
    assert theatre.encoded == 2


@pytest.mark.usefixtures("_no_waiting")
def test_after_the_end_the_picture_is_made_anew_when_less_of_it_may_be_seen():
    theatre = Theatre("ended")
    theatre.scenes.put(scene(track(), seq=7))
    with theatre.audience.watching() as default:
        theatre.run(3)
        theatre.change("privacy", video="boxes")
        theatre.present._repeat(theatre.source)
        packet = default.jpegs.newer(0)
    assert packet[1].privacy == theatre.settings.current.privacy  # type: ignore[index]
    assert theatre.encoded == 2


@pytest.mark.usefixtures("_no_waiting")
def test_a_notice_comes_in_each_size():
    theatre = Theatre("stalled")
    with theatre.audience.watching(Variant(160)) as small:
        theatre.run(2)
    assert picture_of(small.jpegs.newer(0)).shape == (120, 160, 3)
