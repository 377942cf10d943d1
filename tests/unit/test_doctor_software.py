"""The doctor on what is installed: each fault is made up, and found."""

import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from edge.doctor import environment, interpreter, numpy_import, opencv_import, simplejpeg_import, tflite
from edge.doctor.findings import Finding
from edge.doctor.world import Interpreter
from tests.doctoring import ILLEGAL, INTERPRETER, WITH_XNNPACK, asked, installed, library, machine, own_world, told

DIST_PACKAGES = "usr/lib/python3/dist-packages"
WORKING = INTERPRETER.format(constructed=WITH_XNNPACK, invoked="pass")


@pytest.mark.parametrize(
    ("code", "facts"),
    [
        ("python-ok", {}),
        ("python-ok", {"version": (3, 13, 5), "machine": "x86_64"}),
        ("python-too-old", {"version": (3, 9, 2)}),
        ("python-too-new", {"version": (3, 15, 0)}),
        ("userland-32-bit", {"bits": 32, "machine": "armv7l"}),
        ("kernel-64-userland-32", {"bits": 32}),
        ("architecture-unsupported", {"machine": "riscv64"}),
    ],
)
def test_python_and_processor_are_judged(tmp_path: Path, code: str, facts: dict[str, object]) -> None:
    world = machine(tmp_path)
    (finding,) = interpreter.check(replace(world, python=replace(world.python, **facts)))
    assert finding.code == code
    assert f"{facts.get('bits', 64)}-bit, on {facts.get('machine', 'aarch64')}" in finding.found


def test_a_32_bit_system_under_a_64_bit_kernel_is_told_from_one_that_is_32_bit_throughout(tmp_path: Path) -> None:
    pi_os_32 = Interpreter(bits=32, machine="aarch64")
    kernel_64 = told(interpreter.check(machine(tmp_path, python=pi_os_32)), "kernel-64-userland-32")
    assert "getconf LONG_BIT" in kernel_64.expected
    assert kernel_64.severity == "fault"


def apt_picamera2(root: Path, built_for: str = "311") -> None:
    """What python3-picamera2 brings."""
    folder = root / DIST_PACKAGES
    (folder / "picamera2").mkdir(parents=True)
    (folder / "libcamera").mkdir()
    (folder / "libcamera" / f"_libcamera.cpython-{built_for}-aarch64-linux-gnu.so").touch()


def sees_apt(root: Path) -> None:
    (root / "venv" / "pyvenv.cfg").write_text("home = /usr/bin\ninclude-system-site-packages = true\n")


def test_an_environment_of_its_own_is_well(tmp_path: Path) -> None:
    finding = told(environment.check(machine(tmp_path)), "environment-ok")
    assert "does not see" in finding.found


def test_an_environment_that_sees_apts_libcamera_is_well(tmp_path: Path) -> None:
    world = machine(tmp_path)
    apt_picamera2(tmp_path)
    sees_apt(tmp_path)
    world = replace(world, python=replace(world.python, path=(str(tmp_path / DIST_PACKAGES),)))
    assert "sees apt" in told(environment.check(world), "environment-ok").found


def test_a_python_without_an_environment_is_noted(tmp_path: Path) -> None:
    world = machine(tmp_path)
    world = replace(world, python=replace(world.python, prefix="/usr"))
    told(environment.check(world), "environment-shared")


def test_an_environment_that_keeps_apts_picamera2_out_is_told_how_to_make_it_anew(tmp_path: Path) -> None:
    apt_picamera2(tmp_path)
    finding = told(environment.check(machine(tmp_path)), "venv-without-system-packages")
    assert finding.command == "make clean setup"
    assert f"{tmp_path}/venv/pyvenv.cfg" in finding.expected


def test_the_service_is_told_to_run_its_installer_instead(tmp_path: Path) -> None:
    world = machine(tmp_path)
    installed = replace(world, python=replace(world.python, prefix="/opt/emotion-edge/venv"))
    finding = installed.finding("venv-without-system-packages", "found", path="pyvenv.cfg")
    assert finding.command == "sudo sh deploy/install.sh"


def test_an_environment_of_another_python_than_apts_is_found(tmp_path: Path) -> None:
    world = machine(tmp_path)
    apt_picamera2(tmp_path, built_for="313")
    sees_apt(tmp_path)
    finding = told(environment.check(world), "venv-other-python")
    assert "Python 3.13, this is 3.11" in finding.found


@pytest.mark.parametrize("way", ["apt has no libcamera", "pip's picamera2", "not where this Python looks"])
def test_a_picamera2_without_libcamera_is_found(tmp_path: Path, way: str) -> None:
    world = machine(tmp_path)
    sees_apt(tmp_path)
    match way:
        case "apt has no libcamera":
            (tmp_path / DIST_PACKAGES / "picamera2").mkdir(parents=True)
        case "pip's picamera2":
            library(tmp_path / "packages", "picamera2", "")
        case _:
            apt_picamera2(tmp_path)
    finding = told(environment.check(world), "libcamera-missing")
    assert "apt-get install -y python3-libcamera" in finding.command


def test_a_pi_without_picamera2_is_noted_and_another_machine_is_not(tmp_path: Path) -> None:
    world = machine(tmp_path)
    told(environment.check(world), "environment-ok")
    tree = world.path("/proc/device-tree")
    tree.mkdir(parents=True)
    (tree / "model").write_text("Raspberry Pi 4 Model B Rev 1.4\0")
    assert "Raspberry Pi 4" in told(environment.check(world), "picamera2-missing").found


def test_a_numpy_that_cannot_be_imported_is_found(tmp_path: Path) -> None:
    library(tmp_path, "numpy.__init__", "raise ImportError('libopenblas.so.0: cannot open shared object file')")
    finding = told(asked("numpy", own_world(tmp_path), tmp_path), "numpy-unusable")
    assert "libopenblas.so.0" in finding.found
    assert f"{sys.executable} -m pip" in finding.command


def test_a_numpy_with_an_instruction_that_the_processor_lacks_is_found_and_kills_only_its_own_process(
    tmp_path: Path,
) -> None:
    library(tmp_path, "numpy.__init__", ILLEGAL)
    finding = told(asked("numpy", own_world(tmp_path), tmp_path), "numpy-unusable")
    assert "SIGILL" in finding.found


def test_a_numpy_that_works_is_well(tmp_path: Path) -> None:
    told(numpy_import.check(own_world(tmp_path)), "numpy-ok")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "raise ValueError('numpy.dtype size changed, may indicate binary incompatibility. Expected 96')",
            "numpy.dtype size changed",
        ),
        (ILLEGAL, "SIGILL"),
    ],
)
def test_apts_simplejpeg_beside_another_numpy_is_found(tmp_path: Path, text: str, words: str) -> None:
    library(tmp_path, "simplejpeg", text)
    finding = told(asked("simplejpeg", own_world(tmp_path), tmp_path), "numpy-abi-mismatch")
    assert words in finding.found
    assert finding.command.endswith("pip install --ignore-installed --no-deps simplejpeg")


def test_a_simplejpeg_that_fits_or_is_not_there_is_not_worth_a_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert list(simplejpeg_import.check(machine(tmp_path))) == []
    library(tmp_path, "simplejpeg", "")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "simplejpeg", raising=False)
    try:
        assert list(simplejpeg_import.check(own_world(tmp_path))) == []
    finally:
        sys.modules.pop("simplejpeg", None)


def opencv(folder: Path, text: str) -> tuple[Finding, ...]:
    """What is found beside such an OpenCV."""
    library(folder, "cv2.__init__", text)
    return asked("opencv", own_world(folder), folder)


def test_an_opencv_that_wants_a_desktops_library_is_found(tmp_path: Path) -> None:
    text = "raise ImportError('libGL.so.1: cannot open shared object file: No such file or directory')"
    finding = told(opencv(tmp_path, text), "opencv-unusable")
    assert "libGL.so.1" in finding.found
    assert "opencv-python-headless<5" in finding.command


@pytest.mark.parametrize(("version", "code"), [("5.0.0", "opencv-5"), ("4.6.0", "opencv-too-old")])
def test_an_opencv_that_the_program_is_not_made_for_is_found(tmp_path: Path, version: str, code: str) -> None:
    (finding,) = opencv(tmp_path, f"__version__ = '{version}'")
    assert finding.code == code
    assert version in finding.found
    assert str(tmp_path) in finding.found


def test_several_editions_of_opencv_are_found_with_what_removes_them(tmp_path: Path) -> None:
    installed(tmp_path, "opencv-contrib-python", "4.11.0")
    installed(tmp_path, "opencv-python-headless", "4.12.0")
    finding = told(opencv_import.check(own_world(tmp_path)), "opencv-several")
    assert finding.found == "opencv-python-headless 4.12.0 and opencv-contrib-python 4.11.0"
    assert "uninstall -y opencv-contrib-python;" in finding.command


def test_one_edition_of_opencv_is_well(tmp_path: Path) -> None:
    told(opencv_import.check(own_world(tmp_path)), "opencv-ok")


def litert(folder: Path, text: str) -> Path:
    return library(folder, "ai_edge_litert.interpreter", text, "ai-edge-litert", "2.3.0")


def legacy(folder: Path, text: str) -> Path:
    return library(folder, "tflite_runtime.interpreter", text, "tflite-runtime", "2.14.0")


def test_the_runtime_here_is_constructed_and_uses_xnnpack(tmp_path: Path) -> None:
    assert "with XNNPACK" in told(asked("runtime", own_world(tmp_path)), "runtime-ok").found


def test_without_any_runtime_the_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tflite.runtime, "CANDIDATES", (("no-such-runtime", "no_such.interpreter"),))
    finding = told(tflite.check(own_world(tmp_path)), "runtime-missing")
    assert finding.command.endswith("pip install ai-edge-litert")


def test_a_runtime_that_cannot_be_constructed_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    constructed = "raise SystemError('initialization of _pywrap raised unreported exception')"
    litert(tmp_path, INTERPRETER.format(constructed=constructed, invoked="pass"))
    finding = told(asked("runtime", own_world(tmp_path), tmp_path), "runtime-unusable")
    assert "raised unreported exception" in finding.found


def test_a_runtime_that_is_constructed_and_cannot_run_is_found(tmp_path: Path) -> None:
    litert(tmp_path, INTERPRETER.format(constructed="pass", invoked="raise RuntimeError('node 3 failed to invoke')"))
    finding = told(asked("runtime", own_world(tmp_path), tmp_path), "runtime-unusable")
    assert "node 3" in finding.found


def test_a_runtime_with_an_illegal_instruction_is_found_and_kills_only_its_own_process(tmp_path: Path) -> None:
    litert(tmp_path, INTERPRETER.format(constructed=WITH_XNNPACK, invoked=ILLEGAL))
    finding = told(asked("runtime", own_world(tmp_path), tmp_path), "runtime-crashes")
    assert "an instruction that this processor does not have" in finding.found


def test_the_slow_built_in_kernels_are_found_by_what_the_runtime_does_not_say(tmp_path: Path) -> None:
    litert(tmp_path, INTERPRETER.format(constructed="pass", invoked="pass"))
    finding = told(asked("runtime", own_world(tmp_path), tmp_path), "runtime-without-xnnpack")
    assert "ai-edge-litert 2.3.0" in finding.found


def test_the_older_runtime_is_found_with_why_the_newer_does_not_serve(tmp_path: Path) -> None:
    litert(tmp_path, "raise ImportError('GLIBC_2.38 not found')")
    legacy(tmp_path, WORKING)
    finding = told(asked("runtime", own_world(tmp_path), tmp_path), "runtime-legacy")
    assert "tflite-runtime 2.14.0 serves" in finding.found
    assert "GLIBC_2.38 not found" in finding.found


def test_the_older_runtime_beside_numpy_2_is_noted(tmp_path: Path) -> None:
    litert(tmp_path, WORKING)
    legacy(tmp_path, WORKING)
    installed(tmp_path, "numpy", "2.4.0")
    findings = asked("runtime", own_world(tmp_path), tmp_path)
    assert "beside NumPy 2.4.0" in told(findings, "runtime-legacy-numpy-2").found
    told(findings, "runtime-ok")
