"""What `benchmarks.streaming.viewers` measures."""

import statistics
from collections.abc import Callable, Iterable

import msgspec

from benchmarks.streaming.fake_camera import Format
from edge.machine import Machine

OWN = "emotion-edge"
LEAST_FPS = 29.0
MOST_AGE_RATIO = 1.5
MOST_GROWTH_MIB = 5.0


class Crowd(msgspec.Struct, frozen=True):
    """One server with so many healthy viewers, and the stalled ones, once.

    Attributes:
        server: which.
        camera: what the pictures are that it takes from its camera.
        viewers: healthy ones.
        least_fps: pictures a second of the healthy viewer who got fewest.
        median_fps: of the one in the middle.
        p50_ms: age of a picture when a viewer had it: since the camera drew the moment into it.
        p95_ms: likewise.
        cpu_share: processor time of the server as a share of one core.
        rss_mib: its resident memory at the end (VmRSS).
        rss_before_mib: its resident memory, without files', when all were connected.
        rss_after_mib: the same at the end.
        picture_kib: of a picture as it is sent, on average.
        encodes_per_scene: JPEGs encoded per scene analysed; None where nothing is analysed.
        lost: healthy viewers that were disconnected.
    """

    server: str
    camera: Format
    viewers: int
    least_fps: float
    median_fps: float
    p50_ms: float
    p95_ms: float
    cpu_share: float
    rss_mib: float
    rss_before_mib: float
    rss_after_mib: float
    picture_kib: float
    encodes_per_scene: float | None
    lost: int

    def text(self) -> str:
        """A line for people."""
        several = "s" if self.viewers > 1 else ""
        return (
            f"{self.server} on {self.camera}, {self.viewers} viewer{several}: {self.least_fps:.1f} fps at least, "
            f"{self.p95_ms:.1f} ms p95, {self.cpu_share:.1%} of a core"
        )


class Spread(msgspec.Struct, frozen=True):
    """One figure over the rounds."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Iterable[float]) -> "Spread":
        """Of at least one value."""
        every = sorted(values)
        return cls(statistics.median(every), every[0], every[-1])


class Crowds(msgspec.Struct, frozen=True):
    """The whole run.

    Attributes:
        machine: where.
        seconds: of each crowd.
        rounds: how often everything was measured, each server started anew.
        stalled: viewers in each crowd that take nothing.
        crowds: as they were measured: a server with one viewer, with more and so on, then another one.
        growth_mib: of the program's resident memory, without files', from before the first viewer until after the last;
            the most of all rounds.
        ustreamer: its version; empty where it is not installed.
        left_out: what could not be measured here, and why; empty if all was.
    """

    machine: Machine
    seconds: float
    rounds: int
    stalled: int
    crowds: tuple[Crowd, ...]
    growth_mib: float
    ustreamer: str
    left_out: str

    def cases(self) -> tuple[tuple[str, Format], ...]:
        """Servers with what camera they were measured, the program first, cameras in turn."""
        found = dict.fromkeys((crowd.server, crowd.camera) for crowd in self.crowds)
        servers = list(dict.fromkeys(server for server, _ in found))
        return tuple(sorted(found, key=lambda case: (case[1], servers.index(case[0]))))

    def of(self, server: str, camera: Format, viewers: int) -> tuple[Crowd, ...]:
        """One of each round."""
        return tuple(
            crowd for crowd in self.crowds if (crowd.server, crowd.camera, crowd.viewers) == (server, camera, viewers)
        )

    def viewers(self) -> tuple[int, ...]:
        """How many there were, the fewest first."""
        return tuple(sorted({crowd.viewers for crowd in self.crowds}))

    def spread(self, server: str, camera: Format, viewers: int, figure: Callable[[Crowd], float]) -> Spread:
        """A figure of such a crowd over the rounds."""
        return Spread.of(map(figure, self.of(server, camera, viewers)))

    def costs(self, server: str, camera: Format) -> tuple[float, ...]:
        """Processor time of one more viewer as a share of one core, each round; none with one crowd only."""
        least, most = self.viewers()[0], self.viewers()[-1]
        if least == most:
            return ()
        return tuple(
            (last.cpu_share - first.cpu_share) / (most - least)
            for first, last in zip(self.of(server, camera, least), self.of(server, camera, most), strict=True)
        )

    def times(self, server: str, camera: Format) -> tuple[float, ...]:
        """What one more viewer costs the program by what it costs that server, each round in which that is anything."""
        pairs = zip(self.costs(OWN, camera), self.costs(server, camera), strict=True)
        return tuple(own / theirs for own, theirs in pairs if theirs > 0)

    def musts(self) -> tuple[tuple[str, bool], ...]:
        """What the program has to keep, with its figures, and whether it did."""
        own = [crowd for crowd in self.crowds if crowd.server == OWN]
        few, many = self.viewers()[0], self.viewers()[-1]
        least = min(crowd.least_fps for crowd in own)
        encodes = [crowd.encodes_per_scene for crowd in own if crowd.encodes_per_scene is not None]
        ratio = max(
            self.spread(OWN, camera, many, _p95).median / self.spread(OWN, camera, few, _p95).median
            for server, camera in self.cases()
            if server == OWN
        )
        growth = max(self.growth_mib, *(crowd.rss_after_mib - crowd.rss_before_mib for crowd in own))
        return (
            (f"every healthy viewer gets at least {LEAST_FPS:g} fps: {least:.2f}", least >= LEAST_FPS),
            (
                f"one encode a scene: {min(encodes):.3f} to {max(encodes):.3f}",
                all(0.97 <= each <= 1.03 for each in encodes),
            ),
            (
                f"p95 of the age with {many} viewers at most {MOST_AGE_RATIO:g} times that with {few}: {ratio:.2f}",
                ratio <= MOST_AGE_RATIO,
            ),
            (
                f"memory grows by at most {MOST_GROWTH_MIB:g} MiB, in each crowd and in all: {growth:.2f} MiB",
                growth <= MOST_GROWTH_MIB,
            ),
        )


def _p95(crowd: Crowd) -> float:
    return crowd.p95_ms
