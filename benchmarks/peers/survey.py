"""All programs in turn on the same film, and all runtimes in turn on the same models."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.clips import real_clip
from benchmarks.peers.catalogue import Peer, Place
from benchmarks.peers.environments import Environment, Made, provide, python_of
from benchmarks.peers.found import Peers, Program, Turn
from benchmarks.peers.running import ROOT, run_alone, run_watched
from benchmarks.peers.runtimes import RUNTIMES, Invoked, float32_model, invoker, take_turns
from benchmarks.peers.sight import Sight, judge, read_events, reference
from edge.bench.clip import FPS, load_clip
from edge.classifier import SHIPPED
from edge.errors import EdgeError, PermanentError
from edge.machine import describe

TURNS, CALLS = 15, 200
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked for.

    Attributes:
        peers: the programs.
        environments: that they may need.
        folder: of the environments.
        source: a video; None: the real clip where it is at hand, else one drawn by code.
        frames: of it, at most.
        rounds: in which each program has its turn.
        turns: of each runtime with each model; 0: they are left out.
    """

    peers: Sequence[Peer]
    environments: Sequence[Environment]
    folder: Path
    source: str | None = None
    frames: int = 300
    rounds: int = 5
    turns: int = TURNS


def survey(plan: Plan, say: Say) -> Peers:
    """Measure.

    Raises:
        ConfigError: the source has no frames, or the reference detector is missing.
        PermanentError: this is not Linux, or the program itself fails.
    """
    if not sys.platform.startswith("linux"):
        raise PermanentError(f"processor time of other processes is measured on Linux only, not on {sys.platform}")
    made, missing = _environments(plan, say)
    left_out: dict[str, str] = {}
    machine = describe()
    real = real_clip()
    source = plan.source or (str(real) if real else None)
    with tempfile.TemporaryDirectory(prefix="emotion-edge-peers-") as folder:
        place = Place(plan.folder, Path(folder) / "clip.mp4", Path(folder))
        clip = load_clip(source, plan.frames)
        clip.write(place.film)
        faces = reference(place.film)
        peers = _ready(plan, place, missing, left_out)
        turns, sights = _rounds(
            peers, plan.rounds, place, lambda lines: judge(faces, read_events(lines)), left_out, say
        )
        invoked = _invoked(plan, place, made, missing, left_out, say) if plan.turns else ()
    programs = tuple(
        Program(peer.name, peer.about, tuple(turns[peer.name]), sights[peer.name])
        for peer in peers
        if peer.name in sights
    )
    return Peers(
        machine=machine,
        clip=clip.name,
        frames=len(clip.jpegs),
        fps=FPS,
        faces=sum(map(len, faces)),
        rounds=plan.rounds,
        programs=programs,
        invoked=invoked,
        environments=tuple(made.values()),
        left_out=left_out,
    )


def _environments(plan: Plan, say: Say) -> tuple[dict[str, Made], dict[str, str]]:
    """Those that are needed and can be had, and why the others cannot."""
    needed = {peer.environment for peer in plan.peers} | (
        {each.environment for each in RUNTIMES} if plan.turns else set()
    )
    needed |= {each.base for each in plan.environments if each.name in needed}
    made: dict[str, Made] = {}
    missing: dict[str, str] = {}
    for environment in plan.environments:
        if environment.name not in needed:
            continue
        if environment.base in missing:
            missing[environment.name] = missing[environment.base]
            continue
        try:
            made[environment.name] = provide(environment, plan.folder, say)
        except EdgeError as error:
            missing[environment.name] = str(error)
            say(str(error))
    return made, missing


def _ready(plan: Plan, place: Place, missing: dict[str, str], left_out: dict[str, str]) -> list[Peer]:
    """The programs whose environments and files are there."""
    ready = []
    for peer in plan.peers:
        try:
            if peer.environment in missing:
                raise PermanentError(missing[peer.environment])
            for command in peer.prepare(place):
                done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
                if done.returncode:
                    raise PermanentError(f"`{' '.join(command[1:3])}` failed: {done.stderr.strip()[-300:]}")
        except EdgeError as error:
            left_out[peer.name] = str(error)
        else:
            ready.append(peer)
    return ready


def _rounds(
    peers: Sequence[Peer],
    rounds: int,
    place: Place,
    judged: Callable[[list[bytes]], Sight],
    left_out: dict[str, str],
    say: Say,
) -> tuple[dict[str, list[Turn]], dict[str, Sight]]:
    """Every program in every round, in turning order; one that fails is not asked again."""
    turns: dict[str, list[Turn]] = {peer.name: [] for peer in peers}
    sights: dict[str, Sight] = {}
    for number in range(rounds):
        for peer in peers if number % 2 == 0 else reversed(peers):
            if number % peer.every or peer.name in left_out:
                continue
            shutil.rmtree(place.events.parent, ignore_errors=True)
            place.events.parent.mkdir()
            try:
                command = peer.command(place)
                cost = run_watched(command, waits=peer.waits) if peer.watched else run_alone(command)
            except PermanentError as error:
                if not peer.environment:
                    raise
                left_out[peer.name] = str(error)
                say(str(error))
                continue
            turns[peer.name].append(Turn(number, cost))
            sights[peer.name] = judged(place.events.read_bytes().splitlines() if place.events.exists() else [])
            spent = f"{cost.cpu_s:.2f} s of processor time in {cost.wall_s:.1f} s"
            say(f"round {number + 1} of {rounds}, {peer.name}: {spent}")
    return turns, sights


def _invoked(
    plan: Plan, place: Place, made: dict[str, Made], missing: dict[str, str], left_out: dict[str, str], say: Say
) -> tuple[Invoked, ...]:
    """Every model on every runtime that is there."""
    models = {"int8": SHIPPED}
    try:
        models["float32"] = float32_model(place.folder)
    except PermanentError as error:
        left_out["float32 model"] = str(error)
    commands = {}
    for runtime in RUNTIMES:
        if runtime.environment in missing:
            left_out[runtime.name] = missing[runtime.environment]
            continue
        python = str(python_of(plan.folder.absolute(), runtime.environment)) if runtime.environment else sys.executable
        commands[runtime.title(made.get(runtime.environment))] = invoker(python, runtime)
    say(f"{len(models)} models on {', '.join(commands)}")
    try:
        return take_turns(commands, models, turns=plan.turns, count=CALLS)
    except PermanentError as error:
        left_out["runtimes"] = str(error)
        return ()
