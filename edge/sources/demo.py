"""A camera that needs no camera: people drawn by code who move, meet and go through all expressions."""

from edge.demand import every
from edge.errors import NotDue, PermanentError, SourceEnded
from edge.ports import Clock, Wanted
from edge.sources.backdrop import backdrop
from edge.sources.drawing import Sitter
from edge.sources.expressions import between
from edge.sources.pacing import Pacer, Sleep
from edge.sources.portrait import cast
from edge.sources.script import RADIUS_LIMIT, Script
from edge.sources.specs import DemoSpec
from edge.types import Frame, Pixels


class DemoSource:
    """Draws the demo's `Script`, in real time or in lockstep.

    Args:
        spec: size, rate, seed, and so on.
        clock: the world's time, for live pacing.
        sleep: how to wait.
        wanted: which frames to draw; in lockstep all are.

    Attributes:
        name: for people.
        live: whether it is paced; otherwise time is the film's.
        script: the ground truth; a frame with number `seq` shows `script.at((seq - 1) / fps)`.
    """

    def __init__(self, spec: DemoSpec, clock: Clock, sleep: Sleep, wanted: Wanted = every) -> None:
        self.name = f"demo {spec.width}×{spec.height}"
        self.live = spec.realtime
        self.script = Script(spec.seed, spec.faces, spec.width / spec.height)
        self._spec = spec
        self._clock = clock
        self._pacer = Pacer(spec.fps, clock, sleep) if spec.realtime else None
        self._count = spec.duration_s * spec.fps
        self._wall = backdrop(spec.width, spec.height, spec.seed)
        people = cast(spec.seed, spec.faces)
        self._sitters = tuple(Sitter(person, RADIUS_LIMIT * spec.height) for person in people)
        self._drawn = 0
        self._wanted = wanted
        self._spared = 0
        self._closed = False

    def read(self, timeout_s: float) -> Frame:
        """See `edge.ports.FrameSource`."""
        if self._closed:
            raise PermanentError(f"{self.name} is closed; open it again to read on")
        index = self._drawn if self._drawn >= self._count or not self._pacer else self._pacer.wait(timeout_s)
        if index >= self._count:
            self._drawn = index
            raise SourceEnded(f"{self.name} has run for the {self._spec.duration_s:g} s asked for")
        self._drawn = index + 1
        t_s = index / self._spec.fps
        if not self.live:
            return Frame(index + 1, round(t_s * 1e9), self.draw(t_s))
        t_ns = self._clock()
        if index and not self._wanted(t_ns):
            self._spared += 1
            raise NotDue(f"{self.name}: nobody wants picture {index}; ask again")
        return Frame(index + 1, t_ns, self.draw(t_s), spared=self._spared)

    def draw(self, t_s: float) -> Pixels:
        """uint8 (H, W, 3) BGR: the scene at `t_s` seconds of the film."""
        picture = self._wall.copy()
        # the smaller a face, the farther away: painted first
        for face in sorted(self.script.at(t_s), key=lambda face: face.radius):
            sitter = self._sitters[face.id - 1]
            # in tenths: a change drawn anew on each of its frames would cost more than all the rest
            expression = between(face.previous, face.towards, round(face.blend, 1))
            look = sitter.picture(expression, face.gaze, face.lids)
            centre_px = (face.x * self._spec.width, face.y * self._spec.height)
            sitter.paste(picture, look, centre_px, face.radius * self._spec.height, face.roll_deg)
        return picture

    def hold(self) -> bool:
        """See `edge.ports.FrameSource`."""
        if self._pacer:
            self._pacer.hold()
        return True

    def close(self) -> None:
        """See `edge.ports.FrameSource`."""
        self._closed = True
