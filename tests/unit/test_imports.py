"""Who may import whom: the architecture, enforced."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CORE = (
    "types",
    "errors",
    "contract",
    "ports",
    "pipeline",
    "policy",
    "tracker",
    "smoothing",
    "attention",
    "geometry",
    "motion",
    "tiles",
    "visits",
    "searching",
    "paths",
    "quality",
    "effort",
    "budget",
    "slot",
    "worker",
    "control",
    "mailbox",
    "jpeg_header",
    "events",
    "affect",
    "aggregate",
    "privacy",
)
ADAPTERS = ("detectors", "sources", "sinks", "server", "classifier", "annotate", "encode")
TRAINING_FROM_EDGE = {"edge.contract", "edge.types", "edge.errors", "edge.classifier", "edge.files"}
CONVERT_FROM_EDGE = TRAINING_FROM_EDGE | {"edge.runtime", "edge.golden", "edge.native_log", "edge.machine"}


def modules(package: str) -> list[Path]:
    return sorted(p for p in (ROOT / package).rglob("*.py"))


def imported(path: Path) -> set[str]:
    """Every module a file imports, anywhere in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
    return found


def part(module: str) -> str:
    """`edge.detectors.haar` → `detectors`."""
    return module.split(".")[1] if module.startswith("edge.") else ""


@pytest.mark.parametrize("path", modules("edge"), ids=lambda p: str(p.relative_to(ROOT)))
def test_the_runtime_knows_neither_tensorflow_nor_the_workstation(path: Path):
    roots = {module.split(".")[0] for module in imported(path)}
    assert not roots & {"tensorflow", "keras", "training", "convert", "benchmarks", "torch"}


@pytest.mark.parametrize("name", CORE)
def test_the_core_imports_no_adapter(name: str):
    file = ROOT / "edge" / f"{name}.py"
    for path in [file] if file.exists() else modules(f"edge/{name}"):
        wrong = {module for module in imported(path) if part(module) in (*ADAPTERS, "app", "cli", "supervisor")}
        assert not wrong, f"{path.name} imports {wrong}"


@pytest.mark.parametrize("path", modules("edge"), ids=lambda p: str(p.relative_to(ROOT)))
def test_only_the_composition_root_and_the_benchmark_name_concrete_adapters(path: Path):
    own = path.relative_to(ROOT / "edge").parts[0].removesuffix(".py")
    roots = ("app", "parts", "bench", "config_check", "doctor", "golden", "supervisor", "analyzer", "batch")
    if own in roots or own.startswith("cli"):
        return
    allowed = {
        "config": {"server", "sinks"},
        "press": {"annotate", "encode"},
        "app": set(ADAPTERS),
        "uploads": {"annotate", "encode", "sources"},
    }.get(own, set())
    wrong = {part(m) for m in imported(path)} & set(ADAPTERS) - {own} - allowed
    assert not wrong, f"{path.relative_to(ROOT)} imports {wrong}"


@pytest.mark.parametrize("path", modules("training"), ids=lambda p: str(p.relative_to(ROOT)))
def test_training_uses_the_contract_and_the_production_classifier_only(path: Path):
    used = {m for m in imported(path) if m.startswith("edge.")}
    wrong = {m for m in used if not any(m == ok or m.startswith(f"{ok}.") for ok in TRAINING_FROM_EDGE)}
    assert not wrong, f"{path.name} imports {wrong}"
    assert not {m for m in imported(path) if m.split(".")[0] == "convert"}


@pytest.mark.parametrize("path", modules("convert"), ids=lambda p: str(p.relative_to(ROOT)))
def test_convert_verifies_what_production_uses(path: Path):
    used = {m for m in imported(path) if m.startswith("edge.")}
    wrong = {m for m in used if not any(m == ok or m.startswith(f"{ok}.") for ok in CONVERT_FROM_EDGE)}
    assert not wrong, f"{path.name} imports {wrong}"


@pytest.mark.parametrize("package", ["edge", "training"])
def test_tf_lite_is_met_in_convert_only(package: str):
    for path in modules(package):
        text = path.read_text(encoding="utf-8")
        assert "tf.lite." not in text.replace("`tf.lite.Interpreter`", ""), path


def test_prints_come_from_the_command_line_only():
    for path in modules("edge"):
        calls = [
            node
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
        ]
        assert not calls or path.name.startswith("cli"), path


def test_a_running_program_has_loaded_none_of_them():
    code = (
        "import sys, edge.app, edge.cli, edge.bench.whole, edge.bench.served, edge.supervisor;"
        "heavy = {'tensorflow', 'keras', 'training', 'convert', 'torch', 'sklearn', 'picamera2', 'mediapipe', 'ray'};"
        "print(sorted(heavy & {name.split('.')[0] for name in sys.modules}))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert result.stdout.strip() == "[]"


def test_nothing_that_only_linux_has_is_imported_at_the_top():
    only_there = {"fcntl", "resource", "pwd", "grp", "termios", "select.epoll"}
    for path in modules("edge"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        top = {
            alias.name for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom) for alias in node.names
        }
        assert not top & only_there, f"{path.relative_to(ROOT)} imports {top & only_there} at its top"
