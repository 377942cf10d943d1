"""The installed service on a machine of its own, from the boot on: its camera comes and goes, clock and memory too.

Run by root, in a VM whose systemd has started the unit with the machine.
"""

import json
import platform
import re
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.sandbox import prepare, tried
from tests.service import EVENTS, PYTHON, STATE, UNIT, Service
from tests.stages.inside import vivid
from tests.stages.inside.here import Here
from tests.stages.inside.report import Check, go_through
from tests.viewer import Viewer

HOURS = (5, -8, 3)
"""By which the clock jumps, one after the other."""
JUMP_S = 12.0
"""How long it is watched after each."""
LIMIT_MIB = 320
MIB = 1 << 20
CAN_FAIL = f"[Service]\nExecStart=\nExecStart={PYTHON} -m tests.stages.inside.wedged run\nRestartSec=1\n"
PATIENCE_S = 240.0
"""Emulated, everything takes ten times as long as usual."""


class Booted:
    """The service, which has been started with the machine."""

    def __init__(self) -> None:
        self._service = Service(Here())

    def checks(self) -> dict[str, Check]:
        """In this order."""
        return {
            "started with the machine, without a camera": self.boots,
            "waits for its camera": self.waits,
            "camera driver loaded late": self.comes_late,
            "streams with the unit's device rules": self.streams,
            "pulled out and plugged in again": self.replugged,
            "clock jumps": self.clock_jumps,
            "memory under the unit's limit": self.memory,
            "too little memory": self.out_of_memory,
            "killed while the camera is open": self.killed,
            "restarted by hand": self.restarted,
            "sandbox": self.sandbox,
        }

    def boots(self) -> str:
        found = self._service.wait_for(ActiveState="active", SubState="running", timeout_s=PATIENCE_S)
        assert found["NRestarts"] == "0", self._service.journal()
        assert not Path("/dev/video0").exists()
        process_s, ready_s = (
            int(found[f"{name}TimestampMonotonic"]) / 1e6 for name in ("ExecMainStart", "ActiveEnter")
        )
        version = self._service.machine.text("systemctl", "--version").splitlines()[0]
        return (
            f"Linux {platform.release()}, {version}; started {process_s:.1f} s after the kernel, READY "
            f"{ready_s - process_s:.1f} s later (emulated), {found['NRestarts']} restarts"
        )

    def waits(self) -> str:
        time.sleep(15.0)
        found = self._service.properties()
        assert (found["ActiveState"], found["NRestarts"]) == ("active", "0")
        assert "/dev/video0" in found["StatusText"], found["StatusText"]
        assert self._service.ask("/readyz", token=None).status == 503
        assert self._service.ask("/livez", token=None).status == 200
        return f"active, 0 restarts, '{found['StatusText']}'"

    def comes_late(self) -> str:
        before = self._service.properties()["MainPID"]
        plugged_s = time.monotonic()
        vivid.plug_in()
        self._service.online(timeout_s=PATIENCE_S)
        took_s = time.monotonic() - plugged_s
        owner = self._service.machine.text("stat", "--format=%U:%G %a", "/dev/video0")
        assert owner == "root:video 660"
        return f"online {took_s:.1f} s after `modprobe`, {self._same(before)}; /dev/video0 is {owner}"

    def streams(self) -> str:
        with Viewer(self._service) as viewer:
            viewer.wait(8, within_s=PATIENCE_S)
        state = self._service.state()
        assert self._service.ask("/readyz", token=None).status == 200
        return f"{state['source']['name']}, {state['fps']} fps, '{self._service.properties()['StatusText']}'"

    def replugged(self) -> str:
        before = self._service.properties()["MainPID"]
        pulled_s = time.monotonic()
        vivid.pull_out()
        self._service.wait_until(
            lambda state: state["source"]["state"] == "reconnecting", "reconnecting", timeout_s=PATIENCE_S
        )
        lost_s = time.monotonic() - pulled_s
        told = self._service.wait_until(
            lambda state: "there is no /dev/video0" in state["source"]["reason"], "says why", timeout_s=PATIENCE_S
        )["source"]["reason"]
        plugged_s = time.monotonic()
        vivid.plug_in()
        self._service.online(timeout_s=PATIENCE_S)
        back_s = time.monotonic() - plugged_s
        return f"noticed in {lost_s:.1f} s ('{told.partition(';')[0]}'), back in {back_s:.1f} s, {self._same(before)}"

    def clock_jumps(self) -> str:
        before = self._service.properties()["MainPID"]
        told = []
        with Viewer(self._service) as viewer:
            viewer.wait(4, within_s=PATIENCE_S)
            for hours in HOURS:
                told.append(self._jump(hours, viewer))
        storm = [entry for entry in self._service.entries() if int(entry["PRIORITY"]) <= 3]
        assert not storm, storm
        return f"{'; '.join(told)}; {self._same(before)}"

    def _jump(self, hours: int, viewer: Viewer) -> str:
        events, frames = len(self._events()), self._frames()
        jumped_s = time.monotonic()
        self._service.machine.run("date", f"--set={hours:+d} hours")
        time.sleep(JUMP_S)
        viewer.wait(4, within_s=PATIENCE_S)
        state, now_s = self._service.state(), time.time()
        assert state["source"]["state"] == "online", state["source"]
        new = self._events()[events:]
        assert len(new) > JUMP_S / 3, f"{len(new)} events in {JUMP_S:.0f} s"
        assert abs(now_s - seconds(new[-1]["time"])) < JUMP_S, f"an event says {new[-1]['time']} at {utc(now_s)}"
        for event in new:
            assert event["duration_s"] >= 0
            assert 0 <= seconds(event["until"]) - seconds(event["time"]) < JUMP_S, event
        assert abs(now_s - viewer.stamps_s[-1]) < JUMP_S, f"a picture says {utc(viewer.stamps_s[-1])} at {utc(now_s)}"
        stopped_s = viewer.longest_gap_s(jumped_s)
        return (
            f"{hours:+d} h: {self._frames() - frames} frames, {len(new)} events with the new time, longest gap of the "
            f"stream {stopped_s:.1f} s"
        )

    def memory(self) -> str:
        found = self._service.properties()
        limit = found["MemoryMax"]
        assert limit.isdigit(), f"MemoryMax is {limit}"
        group = Path(f"/sys/fs/cgroup{found['ControlGroup']}")
        assert int((group / "memory.max").read_text()) == int(limit)
        assert self._kills() == 0
        now, peak = (int((group / f"memory.{name}").read_text()) for name in ("current", "peak"))
        assert peak < int(limit)
        resident_kib = counted(f"/proc/{found['MainPID']}/status", r"VmHWM:\s+(\d+)")
        return (
            f"{now / MIB:.0f} MiB now, {peak / MIB:.0f} MiB at most with all files it has read "
            f"({resident_kib / 1024:.0f} MiB resident), of {int(limit) / MIB:.0f} MiB"
        )

    def out_of_memory(self) -> str:
        """A process that the program has started goes first, and alone; the program itself is started again."""
        with self._service.overridden(f"{CAN_FAIL}MemoryMax={LIMIT_MIB}M\nMemorySwapMax=0\n"):
            self._service.machine.run("systemctl", "restart", UNIT, timeout_s=PATIENCE_S)
            self._service.online(timeout_s=PATIENCE_S)
            before = self._service.properties()["MainPID"]
            self._fail("hoarding-child")
            end_s = time.monotonic() + PATIENCE_S
            while self._kills() == 0:
                assert time.monotonic() < end_s, "nothing was killed for memory"
                time.sleep(0.5)
            self._service.online(timeout_s=PATIENCE_S)
            child = f"a process it had started was ended by the kernel: {self._same(before)}"
            begun_s = time.monotonic()
            self._fail("hoard")
            found = self._service.restarted(before, timeout_s=PATIENCE_S)
            ready_s = time.monotonic() - begun_s
            self._service.online(timeout_s=PATIENCE_S)
            assert found["NRestarts"] == "1"
            assert "killed by the OOM killer" in self._service.journal()
        self._service.start()
        self._service.online(timeout_s=PATIENCE_S)
        itself = f"the program itself was: READY again after {ready_s:.1f} s (emulated), 1 restart"
        return f"limit {LIMIT_MIB} MiB: {child}; {itself}"

    def killed(self) -> str:
        """Nothing holds the camera afterwards."""
        before = self._service.properties()["MainPID"]
        begun_s = time.monotonic()
        self._service.machine.run("systemctl", "kill", "--signal=KILL", UNIT)
        found = self._service.restarted(before, timeout_s=PATIENCE_S)
        state = self._service.online(timeout_s=PATIENCE_S)
        assert found["NRestarts"] == "1"
        return f"{state['source']['name']} online again {time.monotonic() - begun_s:.1f} s after kill -9"

    def restarted(self) -> str:
        before = self._service.properties()["MainPID"]
        begun_s = time.monotonic()
        self._service.machine.run("systemctl", "restart", UNIT, timeout_s=PATIENCE_S)
        self._service.online(timeout_s=PATIENCE_S)
        assert self._service.properties()["MainPID"] != before
        took_s = time.monotonic() - begun_s
        stopped_s = self._service.stop()
        assert self._service.properties()["Result"] == "success"
        return f"online again after {took_s:.1f} s, then stopped in {stopped_s:.1f} s (emulated)"

    def sandbox(self) -> str:
        prepare(self._service.machine)
        found = tried(self._service)
        assert found.wrong() == [], found.wrong()
        assert found.within["processes"] == []
        return found.text()

    def _same(self, pid: str) -> str:
        """That it is still the same process."""
        found = self._service.properties()
        assert (found["MainPID"], found["NRestarts"], found["ActiveState"]) == (pid, "0", "active"), (
            f"{found['NRestarts']} restarts\n{self._service.journal()}"
        )
        return "same process, 0 restarts"

    def _frames(self) -> int:
        return int(self._service.state()["source"]["frames"])

    def _events(self) -> list[dict[str, Any]]:
        """All that are on the disk."""
        return [json.loads(line) for line in Path(EVENTS).read_text().splitlines()]

    def _kills(self) -> int:
        """Processes of the service that the kernel has ended for want of memory."""
        group = self._service.properties()["ControlGroup"]
        return counted(f"/sys/fs/cgroup{group}/memory.events", r"oom_kill (\d+)")

    def _fail(self, fault: str) -> None:
        self._service.machine.run("touch", f"{STATE}/wedge-{fault}")


def counted(path: str, pattern: str) -> int:
    """The number at the begin of whichever line of a file has this pattern."""
    found = re.search(f"(?m)^{pattern}", Path(path).read_text())
    assert found, f"{path} holds no {pattern}"
    return int(found[1])


def seconds(moment: str) -> float:
    """Since 1970, of an RFC 3339 time."""
    return datetime.fromisoformat(moment).timestamp()


def utc(at_s: float) -> str:
    """For people."""
    return datetime.fromtimestamp(at_s, UTC).isoformat(timespec="seconds")


if __name__ == "__main__":
    booted = Booted()
    failures = go_through(booted.checks())
    if failures:
        print(Here().text("journalctl", "--no-pager", "--lines=150", check=False))
    sys.exit(min(1, failures))
