"""The table of codes: whole, in the manual, and each with a test that makes the fault up."""

import ast
import re
import shlex
from pathlib import Path
from string import Formatter

import msgspec
import pytest
from msgspec.structs import replace

from edge.doctor.codes import ENTRIES, TABLE
from edge.doctor.findings import Finding, counted, exit_of
from edge.doctor.groups import FIRST, GROUPS
from edge.doctor.table import HEADINGS, SLOTS, page
from edge.doctor.text import lines, summary
from edge.doctor.world import Unit
from tests.doctoring import machine

ROOT = Path(__file__).parents[2]
TESTS = sorted(ROOT.glob("tests/**/test_doctor*.py"))


def simulated() -> set[str]:
    """Codes that a test asserts to be found: the second argument of `told`, or a case of a test's argument `code`."""
    found: set[str] = set()
    for file in TESTS:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(func=ast.Name(id="told"), args=[_, ast.Constant(value=code)]):
                    found.add(code)
                case ast.FunctionDef(args=ast.arguments(args=arguments), decorator_list=cases):
                    if any(argument.arg == "code" for argument in arguments):
                        found |= {code for case in cases for code in words(case) if code in TABLE}
    return found


def words(tree: ast.AST) -> set[str]:
    """All texts in an expression."""
    constants = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return {value for value in constants if isinstance(value, str)}


def test_every_code_has_a_test_that_makes_it_up() -> None:
    assert TABLE.keys() - simulated() == set()


def test_no_test_is_of_a_code_that_is_not_there() -> None:
    assert simulated() - TABLE.keys() == set()


def test_codes_are_words_with_hyphens_and_there_once() -> None:
    assert len(TABLE) == len(ENTRIES)
    assert [code for code in TABLE if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", code)] == []


@pytest.mark.parametrize("entry", [entry for entry in ENTRIES if entry.severity != "ok"], ids=lambda entry: entry.code)
def test_whatever_is_wrong_has_what_was_expected_and_what_to_do(entry) -> None:
    assert entry.expected
    assert entry.fix.endswith((".", "!")) or "`" in entry.fix
    assert not entry.title.endswith(".")
    assert len(entry.title) > 20


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.code)
def test_what_is_well_needs_no_fix_and_all_areas_are_in_the_manual(entry) -> None:
    assert entry.area in HEADINGS
    if entry.severity == "ok":
        assert (entry.expected, entry.fix, entry.command) == ("", "", "")


def test_the_codes_of_processes_that_end_badly_are_in_the_table() -> None:
    assert {group.crashed for group in GROUPS.values()} | {group.hung for group in GROUPS.values()} <= TABLE.keys()
    assert set(FIRST) <= GROUPS.keys()


def test_what_ends_a_group_badly_needs_no_slot_that_only_its_checks_know(tmp_path: Path) -> None:
    world = machine(tmp_path)
    for group in GROUPS.values():
        for code in (group.crashed, group.hung, "check-failed"):
            assert world.finding(code, "found").command


def test_the_manual_is_as_the_table_has_it() -> None:
    manual = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    assert manual == page(), "write it anew: python -m edge.doctor.table >docs/troubleshooting.md"


def test_the_manual_explains_each_fault_under_a_heading_that_can_be_linked_to() -> None:
    manual = page()
    for entry in ENTRIES:
        assert (f"\n### {entry.code}\n" in manual) == (entry.severity != "ok")
    names = {name for entry in ENTRIES for _, name, _, _ in Formatter().parse(entry.command) if name}
    assert not re.search(r"\{(" + "|".join(names | SLOTS.keys()) + r")\}", manual)


def finding(severity: str, code: str = "camera-none") -> Finding:
    return Finding(code, severity, "cameras", "Title", "found", "expected", "Fix.", "command --with 'its arguments'")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("findings", "status"),
    [
        ([], 0),
        ([finding("ok"), finding("note"), finding("warning")], 0),
        ([finding("warning"), finding("fault", "disk-full")], 1),
        ([finding("fault", "disk-full"), finding("fault", "config-invalid")], 78),
    ],
)
def test_the_exit_status_is_of_the_worst(findings: list[Finding], status: int) -> None:
    assert exit_of(findings) == status


def test_a_person_reads_what_was_found_and_can_copy_the_command() -> None:
    assert list(lines(finding("fault", "disk-full"))) == [
        "fault    disk-full",
        "         Title.",
        "         found: found",
        "         expected: expected",
        "         Fix.",
        "           command --with 'its arguments'",
    ]
    assert list(lines(finding("ok"))) == ["ok       found"]


def test_what_would_move_a_terminals_cursor_is_not_shown() -> None:
    raw = replace(finding("fault"), found="in use by \x1b[2Jevil\x07", command="sudo fuser -v '/dev/\x1b[1A\n'")
    told = "\n".join(lines(raw))
    assert "in use by ?[2Jevil?" in told
    assert "sudo fuser -v '/dev/?[1A?'" in told
    assert all(character.isprintable() or character == "\n" for character in told)


def test_what_a_shell_would_take_apart_is_quoted(tmp_path: Path) -> None:
    world = machine(tmp_path, unit=Unit(path="/etc/systemd/system/emotion-edge.service", program="/my opt/bin/edge"))
    world = replace(world, python=replace(world.python, executable="/my env/bin/python"))
    assert shlex.split(world.finding("camera-busy", "f", path="/dev/a b").command)[-1] == "/dev/a b"
    assert shlex.split(world.finding("runtime-missing", "f").command)[0] == "/my env/bin/python"
    assert shlex.split(world.finding("not-the-service", "f").command)[3] == "/my opt/bin/edge"
    assert world.finding("camera-busy", "f", path="/dev/a b").expected == TABLE["camera-busy"].expected


def test_names_that_are_no_text_can_be_handed_on(tmp_path: Path) -> None:
    world = machine(tmp_path)
    finding = world.finding("config-missing", "no \udcff", path="/tmp/\udcff/config.toml")
    assert msgspec.json.decode(msgspec.json.encode(finding), type=Finding).found == "no \\xff"


def test_the_end_counts_the_worst_first() -> None:
    counts = counted([finding("fault"), finding("note"), finding("note")])
    assert summary(counts).strip().startswith("1 fault, 2 notes.")
    assert summary(counted([finding("ok")])).strip() == "All is well."
