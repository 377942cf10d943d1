"""What holds whatever a camera and a detector come up with: thousands of random frames, the same on each run."""

import numpy as np
import pytest

from edge.attention import Attention, Faces
from edge.effort import Effort
from edge.pipeline import Pipeline
from edge.policy import LATE, Policy
from edge.quality import Gate
from edge.tiles import MOST
from edge.tracker import TrackerSettings
from edge.types import Box, Face, Frame, Framing, PixelFormat, Scene
from edge.visits import MOST_DOUBTFUL
from tests.fakes import FakeClassifier, Ticking

STEPS = 2500
MS = 1_000_000
SIZES = ((64, 48), (640, 480), (480, 640), (322, 242), (1280, 720), (34, 20))
ODD_SIZES = ((321, 241), (17, 33), (3, 1))
POLICY = Policy()
TRACKING = TrackerSettings()
KEPT_MS = max(TRACKING.memory_ms, TRACKING.max_age_ms)


class Fickle:
    """A detector that finds anything anywhere, often much the same as just before."""

    name = "fickle"
    framing = Framing(1.2, 0.05)

    def __init__(self, random: np.random.Generator, most: int) -> None:
        self._random = random
        self._most = most
        self._found: list[Face] = []
        self.parts: list[tuple[int, int]] = []

    def detect(self, frame: Frame) -> tuple[Face, ...]:
        """Some faces stay where they are, some go, some come."""
        assert frame.width > 0
        assert frame.height > 0
        self.parts.append((frame.width, frame.height))
        random = self._random
        self._found = [self._shaken(face) for face in self._found if random.random() < 0.9]
        while len(self._found) < self._most and random.random() < 0.5:
            self._found.append(self._anywhere())
        return tuple(self._found)

    def _shaken(self, face: Face) -> Face:
        dx, dy = self._random.normal(0, 0.02, 2).tolist()
        return Face(Box(face.box.x + dx, face.box.y + dy, face.box.w, face.box.h), 0.5, face.keypoints, face.sure)

    def _anywhere(self) -> Face:
        random = self._random
        x, y = random.uniform(-0.3, 1.2, 2).tolist()
        w, h = (10 ** random.uniform(-4, 0.3, 2)).tolist() if random.random() < 0.8 else (0.0, 0.0)
        marks = random.uniform(-0.5, 1.5, (6, 2)).astype(np.float32) if random.random() < 0.7 else None
        return Face(Box(x, y, w, h), float(random.random()), marks, bool(random.random() < 0.6))


class Film:
    """Frames that come late, are left out, change their size and format, rest, flicker and jump."""

    def __init__(self, random: np.random.Generator) -> None:
        self._random = random
        self._seq = self._t_ns = 0
        self._size, self._format, self._level = SIZES[1], PixelFormat.BGR, 90

    def next(self) -> Frame:
        """One more."""
        random = self._random
        self._seq += 1 if random.random() < 0.9 else int(random.integers(2, 30))
        kind = random.random()
        step_ms = 33 if kind < 0.8 else random.uniform(0.001, 3) if kind < 0.9 else random.uniform(3, 900)
        self._t_ns += int(MS * step_ms)
        if random.random() < 0.003:
            self._t_ns += 3_600_000 * MS
        if random.random() < 0.005:
            self._format = (PixelFormat.BGR, PixelFormat.GREY, PixelFormat.I420)[int(random.integers(3))]
            sizes = SIZES if self._format is PixelFormat.I420 else SIZES + ODD_SIZES
            self._size = sizes[int(random.integers(len(sizes)))]
        if random.random() < 0.2:
            self._level = int(random.integers(256))
        width, height = self._size
        rows = height * 3 // 2 if self._format is PixelFormat.I420 else height
        pixels = np.full((rows, width, 3) if self._format is PixelFormat.BGR else (rows, width), 90, np.uint8)
        pixels[: height // 2, : width // 2] = self._level
        return Frame(self._seq, self._t_ns, pixels, self._format)


@pytest.mark.parametrize(
    ("seed", "with_parts", "policy", "faces", "most"),
    [
        (1, True, POLICY, "all", 6),
        (2, True, POLICY, "largest", 20),
        (3, False, POLICY, "all", 6),
        (4, True, Policy(1), "all", 3),
        (5, True, Policy(3, 100, 1, 300, 0), "all", 1),
    ],
)
def test_whatever_comes_the_state_stays_whole_and_small(
    seed: int, with_parts: bool, policy: Policy, faces: Faces, most: int
):
    random = np.random.default_rng(seed)
    wide, near = Fickle(random, most), Fickle(random, most)
    film, attention = Film(random), Attention(faces=faces)
    core = Pipeline(
        wide,
        FakeClassifier(),
        Ticking(),
        near=near if with_parts else None,
        policy=policy,
        tracking=TRACKING,
        attention=attention,
        gate=Gate() if seed % 2 else None,
    )
    known: set[int] = set()
    for _ in range(STEPS):
        if random.random() < 0.01:
            core.effort = Effort(search_every=float(random.choice([1, 2, 4, 8])))
        frame = film.next()
        scene = core.step(frame)
        check_tracks(core, scene, known)
        check_lookout(core, frame)
        known.update(track.id for track in core._tracks.items)
        region = scene.decision.search.region if scene.decision.search else None
        if region:
            assert min(region.w, region.h) >= 0
            assert max(region.x + region.w, region.y + region.h) <= 1 + 1e-9 or min(region.w, region.h) == 0
    assert len(known) > 20, "faces came and went"


def check_tracks(core: Pipeline, scene: Scene, known: set[int]) -> None:
    """Every face has a path and an id of its own, and none is shown that was not seen for long."""
    state, now_ns = core._tracks, scene.frame.t_ns
    ids = [track.id for track in state.items]
    gone = [track.id for track in state.lost]
    assert ids == sorted(set(ids))
    assert not set(ids) & set(gone)
    assert len(set(gone)) == len(gone)
    assert state.next_id > max((*ids, *gone, *known), default=0)
    assert {*ids, *gone} <= set(state.paths)
    if scene.decision.detect:
        assert {*ids, *gone} == set(state.paths), "nobody else is remembered"
    assert all(now_ns - track.seen_ns <= TRACKING.max_age_ms * MS for track in state.items)
    assert all(now_ns - track.seen_ns <= KEPT_MS * MS for track in state.lost)
    assert {track.id for track in scene.tracks} <= set(ids)


def check_lookout(core: Pipeline, frame: Frame) -> None:
    """Little is kept of what was looked at, and the whole frame is searched in time."""
    lookout, policy = core._lookout, core._lookout._policy
    assert len(lookout._doubts._waiting) <= MOST_DOUBTFUL
    assert len(lookout._doubts._refused) <= 300
    assert len(lookout._tiles._visits) <= MOST
    assert lookout._whole
    assert lookout._whole.age_ms(frame) <= policy.max_new_face_ms * core.effort.search_every
    shown = [track for track in core._tracks.items if not core._tracks.paths[track.id].near]
    if shown:
        assert lookout._whole.age_ms(frame) <= policy.max_age_ms * min(core.effort.search_every, LATE)
