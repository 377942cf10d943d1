"""The program on 64-bit Raspberry Pi systems: installed, right, and at work, on each of their processors (emulated).

The slow ones need root, `apt-get install -y --no-install-recommends mmdebstrap qemu-user-static`, and a network the
first time. `python -m tests.stages.arm64_matrix` prints the same as a table.
"""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.elsewhere import VARIABLE, Answers, built_wheel, cache_folder
from tests.stages import arm64_matrix
from tests.stages.arm64_cell import MUST_BE_WELL, Cell, Faces, Watched, table
from tests.stages.arm64_matrix import examined, userland
from tests.stages.arm64_root import LEGACY, PARTS, SUITES, as_processor

FACE = (0.1, 0.2, 0.3, 0.4)
WELL = Cell(
    suite="trixie",
    processor="cortex-a72",
    versions=("3.13.5", "2.3.1", "4.12.0", "2.1.0", "3.12.0"),
    unmet=(),
    answers=Answers("aarch64", "ai-edge-litert 2.1", True, 1, (0, 0), (1, 1), 0, True),
    faces=Faces("blazeface-full", ((FACE,),), ((FACE,),)),
    faces_here=Faces("blazeface-full", ((FACE,),), ((FACE,),)),
    watched=Watched((640, 480), 3, True, 120, 110, 0, ""),
    doctor={"ok": MUST_BE_WELL, "warning": ("camera-none", "clock-unsynchronised")},
    took_s=60.0,
)
"""As it should be."""
MOVED = Faces("blazeface-full", (((0.2, 0.2, 0.3, 0.4),),), ((FACE,),))
NONE = Faces("blazeface-full", ((),), ((FACE,),))


def test_where_all_is_well_nothing_is_found():
    assert WELL.faults() == []
    head, line = table([WELL]).splitlines()
    assert head.startswith("system, Python  processor")
    assert "2 chips, all bit-exact" in line
    assert line.endswith("well")


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        (replace(WELL, unmet=("a requires b, found nothing",)), "a requires b"),
        (replace(WELL, answers=replace(WELL.answers, machine="x86_64")), "the machine is x86_64"),
        (replace(WELL, answers=replace(WELL.answers, off=(0, 2))), "2 steps off"),
        (replace(WELL, answers=replace(WELL.answers, passed=False)), "steps off"),
        (replace(WELL, answers=replace(WELL.answers, flipped=1)), "change their class"),
        (replace(WELL, answers=replace(WELL.answers, xnnpack=False)), "XNNPACK delegate"),
        (replace(WELL, answers=replace(WELL.answers, delegates=0)), "0 parts"),
        (replace(WELL, answers=replace(WELL.answers, invokes=(1, 2))), "invokes"),
        (replace(WELL, faces=replace(WELL.faces, detector="haar")), "by haar"),
        (replace(WELL, faces=NONE), "1 of the demo's faces"),
        (replace(WELL, faces=MOVED), "0.100 from those"),
        (replace(WELL, watched=replace(WELL.watched, picture=None)), "snapshot is None"),
        (replace(WELL, watched=replace(WELL.watched, with_faces=0)), "no face"),
        (replace(WELL, watched=replace(WELL.watched, exit=1)), "ended with 1"),
        (replace(WELL, watched=replace(WELL.watched, xnnpack=False)), "does not say xnnpack"),
        (replace(WELL, doctor={"ok": MUST_BE_WELL[:-1]}), "does not say detectors-ok"),
        (replace(WELL, doctor={"ok": MUST_BE_WELL, "fault": ("disk-full",)}), "says disk-full"),
        (replace(WELL, doctor={"ok": MUST_BE_WELL, "warning": ("camera-none", "check-failed")}), "says check-failed"),
        (replace(WELL, doctor={"ok": MUST_BE_WELL, "warning": ("check-timed-out",)}), "says check-timed-out"),
    ],
)
def test_each_fault_is_found(changed: Cell, fault: str):
    assert [found for found in changed.faults() if fault in found]
    assert "FAULTS" in table([changed])


@pytest.mark.parametrize(("exit_code", "verdict"), [(0, "well"), (3, "2 FAULTS")])
def test_the_command_prints_a_line_for_each_and_what_is_wrong(
    exit_code: int,
    verdict: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
):
    watched = replace(WELL.watched, exit=exit_code, log="its log")
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    monkeypatch.setattr(arm64_matrix, "built_wheel", lambda folder: folder)
    monkeypatch.setattr(arm64_matrix, "userland", lambda kept, wheel, suite: kept)
    monkeypatch.setattr(
        arm64_matrix,
        "examined",
        lambda root, suite, processor: replace(WELL, suite=suite, processor=processor, watched=watched),
    )
    assert arm64_matrix.main(["--suite", "trixie"]) == bool(exit_code)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[2] for line in lines[1 : 1 + len(PARTS)]] == list(PARTS)
    assert all(line.endswith(verdict) for line in lines[1 : 1 + len(PARTS)])
    assert ("trixie on cortex-a53: the run ended with 3" in lines) == bool(exit_code)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("processor", PARTS)
@pytest.mark.parametrize("suite", SUITES)
def test_it_installs_answers_and_runs(
    suite: str, processor: str, wheel: Path, pytestconfig: pytest.Config, capsys: pytest.CaptureFixture[str]
):
    cell = examined(userland(cache_folder(pytestconfig), wheel, suite), suite, processor)
    with capsys.disabled():
        print(f"\n{table([cell])}")
    assert cell.faults() == []


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("processor", PARTS)
def test_tflite_runtime_gives_the_golden_answers(processor: str, wheel: Path, pytestconfig: pytest.Config):
    root = userland(cache_folder(pytestconfig), wheel, "bookworm")
    answers = as_processor(root, processor, LEGACY).answers()
    assert answers.runtime.startswith("tflite-runtime 2.14")
    assert replace(WELL, answers=answers).faults() == []
