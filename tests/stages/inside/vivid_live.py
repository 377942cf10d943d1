"""One program that watches a V4L2 camera while it fails, vanishes and returns."""

import time

from tests.e2e.program import Program, status_of
from tests.stages.inside import vivid
from tests.stages.inside.history import History
from tests.stages.inside.report import Check, handles, resident_mb, threads

DISCONNECTS = 8
GROWTH_MB = 10.0
STEADY_S = 3.5
"""After so long online a source counts as recovered, and the next fault is met with the shortest wait again."""


class Live:
    """One program that goes through it all."""

    def __init__(self, running_program: Program) -> None:
        self._program = running_program
        self._url = running_program.url()
        self._history = History(running_program, self._url)

    def checks(self) -> dict[str, Check]:
        """In this order."""
        return {
            "no camera at start": self.comes_late,
            "half of the buffers dropped": self.half,
            "all of the buffers dropped": self.none,
            "streaming fails": self.breaks,
            "frozen picture": self.freezes,
            "disconnected": self.disconnected,
            "pulled out and plugged in again": self.replugged,
            "plugged in under another number": self.renumbered,
            "disconnected again and again": self.again_and_again,
            "stops without a camera": self.stops,
        }

    def comes_late(self) -> str:
        start_s = time.monotonic() - 60
        self._history.wait("starting", start_s, reason="there is no /dev/video0")
        assert status_of(f"{self._url}readyz") == 503
        plugged_s = time.monotonic()
        vivid.plug_in()
        online = self._history.wait("online", plugged_s)
        assert status_of(f"{self._url}livez") == 200
        return f"{self._history.words(start_s)}, {online.at_s - plugged_s:.1f} s after it was plugged in"

    def half(self) -> str:
        start_s = time.monotonic()
        whole = self._rate()
        vivid.set_control("percentage_of_dropped_buffers", 50)
        half = self._rate()
        vivid.set_control("percentage_of_dropped_buffers", 0)
        assert self._history.words(start_s) == "online", self._history.words(start_s)
        told = f"{whole:.1f} → {half:.1f} frames a second, online throughout"
        assert 0.25 < half / whole < 0.75, told
        return told

    def none(self) -> str:
        start_s = time.monotonic()
        vivid.set_control("percentage_of_dropped_buffers", 100)
        stalled = self._history.wait("stalled", start_s)
        assert self._program.state(self._url)["faces"] == 0
        again = self._history.wait("reconnecting", start_s)
        vivid.set_control("percentage_of_dropped_buffers", 0)
        return f"stalled after {stalled.at_s - start_s:.1f} s, given up after {again.at_s - start_s:.1f} s, " + (
            self._recovered(start_s, time.monotonic())
        )

    def breaks(self) -> str:
        start_s = self._steady()
        vivid.set_control("inject_fatal_streaming_error")
        self._history.wait("reconnecting", start_s)
        return self._recovered(start_s, start_s)

    def freezes(self) -> str:
        start_s = self._steady()
        vivid.set_control("osd_text_mode", 2)
        found = self._history.wait("reconnecting", start_s, reason="same picture")
        vivid.set_control("osd_text_mode", 0)
        return f"found after {found.at_s - start_s:.1f} s, {self._recovered(start_s, time.monotonic())}"

    def disconnected(self) -> str:
        start_s = self._steady()
        vivid.set_control("disconnect")
        lost = self._history.wait("reconnecting", start_s)
        return f"noticed after {lost.at_s - start_s:.1f} s, {self._recovered(start_s, start_s)}"

    def replugged(self) -> str:
        start_s = self._steady()
        vivid.pull_out()
        told = self._history.wait("reconnecting", start_s, reason="there is no /dev/video0").reason
        assert status_of(f"{self._url}readyz") == 503
        time.sleep(3.0)
        plugged_s = time.monotonic()
        vivid.plug_in()
        return f"{self._recovered(start_s, plugged_s)}; meanwhile '{told.partition(';')[0]}'"

    def renumbered(self) -> str:
        start_s = self._steady()
        vivid.pull_out()
        self._history.wait("reconnecting", start_s)
        plugged_s = time.monotonic()
        vivid.plug_in(3)
        found = self._recovered(start_s, plugged_s)
        name = self._program.state(self._url)["source"]["name"]
        assert "/dev/video3" in name, name
        return f"{found} as {name}"

    def again_and_again(self) -> str:
        pid = self._program.process.pid
        before = handles(pid), threads(pid), resident_mb(pid)
        took: list[float] = []
        for _ in range(DISCONNECTS):
            start_s = self._steady()
            vivid.set_control("disconnect", device="/dev/video3")
            lost = self._history.wait("reconnecting", start_s)
            took.append(self._history.wait("online", lost.at_s).at_s - start_s)
        self._steady()
        after = handles(pid), threads(pid), resident_mb(pid)
        told = (
            f"{DISCONNECTS} times, back after {min(took):.1f} to {max(took):.1f} s; handles {before[0]} → {after[0]}, "
        )
        told += f"threads {before[1]} → {after[1]}, memory {before[2]:.0f} → {after[2]:.0f} MB"
        assert after[0] <= before[0] + 1, told
        assert after[1] <= before[1] + 1, told
        assert after[2] <= before[2] + GROWTH_MB, told
        return told

    def stops(self) -> str:
        start_s = time.monotonic()
        vivid.pull_out()
        self._history.wait("reconnecting", start_s)
        reconnects = self._program.state(self._url)["source"]["reconnects"]
        self._history.close()
        code, took_s = self._program.terminate()
        assert code == 0, self._program.errors()
        assert took_s < 5, f"it took {took_s:.1f} s"
        return f"exit code 0 after {took_s:.1f} s; opened again {reconnects} times in all"

    def _rate(self) -> float:
        """Frames a second, over four seconds."""
        before, start_s = self._frames(), time.monotonic()
        time.sleep(4.0)
        return (self._frames() - before) / (time.monotonic() - start_s)

    def _frames(self) -> int:
        return int(self._program.state(self._url)["source"]["frames"])

    def _steady(self) -> float:
        """Wait until it has been online for a while; returns the time."""
        end_s = time.monotonic() + 60
        while time.monotonic() < end_s:
            last = self._history.since(time.monotonic())[-1]
            if last.state == "online" and time.monotonic() - last.at_s > STEADY_S:
                return time.monotonic()
            time.sleep(0.2)
        raise AssertionError("it is not online for long")

    def _recovered(self, start_s: float, mended_s: float) -> str:
        """Which states it went through, and how long after `mended_s` frames came again."""
        last_lost = self._history.wait("reconnecting", start_s)
        online = self._history.wait("online", max(last_lost.at_s, mended_s))
        before = self._frames()
        time.sleep(1.0)
        assert self._frames() > before, "it says online, but no frames come"
        return f"{self._history.words(start_s)}, back after {online.at_s - mended_s:.1f} s"
