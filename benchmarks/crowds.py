"""What `benchmarks.viewers` measures."""

import msgspec

from edge.machine import Machine

LEAST_FPS = 29.0
MOST_AGE_RATIO = 1.5
MOST_GROWTH_MIB = 5.0


class Crowd(msgspec.Struct, frozen=True):
    """One server with so many healthy viewers, and the stalled ones.

    Attributes:
        server: which.
        viewers: healthy ones.
        least_fps: pictures a second of the healthy viewer who got fewest.
        median_fps: of the one in the middle.
        p50_ms: age of a picture when a viewer had it: for the program since the frame was grabbed, for the plain server
            since the picture was put.
        p95_ms: likewise.
        cpu_share: processor time of the server as a share of one core.
        rss_before_mib: its resident memory, without files', when all were connected.
        rss_after_mib: the same at the end.
        encodes_per_scene: JPEGs encoded per scene analysed; None where nothing is analysed.
        lost: healthy viewers that were disconnected.
    """

    server: str
    viewers: int
    least_fps: float
    median_fps: float
    p50_ms: float
    p95_ms: float
    cpu_share: float
    rss_before_mib: float
    rss_after_mib: float
    encodes_per_scene: float | None
    lost: int

    def text(self) -> str:
        """A line for people."""
        several = "s" if self.viewers > 1 else ""
        return (
            f"{self.server}, {self.viewers} viewer{several}: {self.least_fps:.1f} fps at least, "
            f"{self.p95_ms:.1f} ms p95, {self.cpu_share:.1%} of a core"
        )


class Crowds(msgspec.Struct, frozen=True):
    """The whole run.

    Attributes:
        machine: where.
        seconds: of each crowd.
        stalled: viewers in each crowd that take nothing.
        crowds: the program's first, by number of viewers.
        growth_mib: of the program's resident memory, from before the first viewer until after the last.
        left_out: what could not be measured here, and why.
    """

    machine: Machine
    seconds: float
    stalled: int
    crowds: tuple[Crowd, ...]
    growth_mib: float
    left_out: str

    def of(self, server: str) -> tuple[Crowd, ...]:
        """One server's, by number of viewers."""
        return tuple(crowd for crowd in self.crowds if crowd.server == server)

    def cost(self, server: str) -> float | None:
        """Processor time of one more viewer as a share of one core; None with one crowd only."""
        first, last = self.of(server)[0], self.of(server)[-1]
        if first.viewers == last.viewers:
            return None
        return (last.cpu_share - first.cpu_share) / (last.viewers - first.viewers)

    def musts(self) -> tuple[tuple[str, bool], ...]:
        """What the program has to keep, with its figures, and whether it did."""
        own = self.of("emotion-edge")
        least = min(crowd.least_fps for crowd in own)
        encodes = [crowd.encodes_per_scene for crowd in own if crowd.encodes_per_scene is not None]
        ratio = own[-1].p95_ms / own[0].p95_ms
        growth = max(self.growth_mib, *(crowd.rss_after_mib - crowd.rss_before_mib for crowd in own))
        return (
            (f"every healthy viewer gets at least {LEAST_FPS:g} fps: {least:.2f}", least >= LEAST_FPS),
            (
                f"one encode a scene: {', '.join(f'{each:.3f}' for each in encodes)}",
                all(0.97 <= each <= 1.03 for each in encodes),
            ),
            (
                f"p95 of the age with {own[-1].viewers} viewers at most {MOST_AGE_RATIO:g} times that with "
                f"{own[0].viewers}: {ratio:.2f}",
                ratio <= MOST_AGE_RATIO,
            ),
            (
                f"memory grows by at most {MOST_GROWTH_MIB:g} MiB, in each crowd and in all: {growth:.2f} MiB",
                growth <= MOST_GROWTH_MIB,
            ),
        )
