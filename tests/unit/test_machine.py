"""What kind of machine it is, from what Linux tells."""

import pytest
from msgspec.structs import replace

from edge.machine import cpu_name, describe

PI_4 = """\
processor\t: 0
BogoMIPS\t: 108.00
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x0
CPU part\t: 0xd08
CPU revision\t: 3

processor\t: 1
CPU implementer\t: 0x41
CPU part\t: 0xd08

Revision\t: c03115
Model\t\t: Raspberry Pi 4 Model B Rev 1.5
"""


def test_a_processor_is_named_as_it_names_itself():
    assert cpu_name("processor\t: 0\nmodel name\t: Some CPU @ 3 GHz\nmodel name\t: Another\n") == "Some CPU @ 3 GHz"


def test_an_arm_processor_is_named_by_its_part_numbers():
    assert cpu_name(PI_4) == "Cortex-A72"
    assert cpu_name(PI_4.replace("0xd08", "0xd0b")) == "Cortex-A76"
    assert cpu_name(PI_4.replace("0xd08", "0xfff")) == "Arm 0xfff"


def test_one_with_large_and_small_cores_is_named_by_both():
    assert cpu_name(PI_4.replace("0xd08", "0xd05", 1)) == "Cortex-A55 + Cortex-A72"


@pytest.mark.parametrize("text", ["", "nonsense", "CPU implementer: 0x51\nCPU part: 0xd08\n"])
def test_one_that_says_nothing_has_no_name(text: str):
    assert cpu_name(text) == ""


@pytest.mark.parametrize(("found_mb", "sold"), [(416, 0.5), (906, 1), (3792, 4), (7820, 8), (16218, 16), (24105, 24)])
def test_memory_counts_as_it_is_sold(found_mb: int, sold: float):
    assert replace(describe(), memory_mb=found_mb).identity.memory == sold


def test_two_runs_on_one_machine_have_one_identity():
    machine = describe()
    later = replace(machine, load=3.0, temperature_c=70.0, python="3.99", kernel="99", memory_mb=machine.memory_mb - 5)
    assert later.identity == machine.identity
    assert replace(machine, cores=machine.cores + 1).identity != machine.identity
    assert replace(machine, board="Raspberry Pi 5").identity != machine.identity


def test_the_machine_at_hand_is_described():
    machine = describe()
    assert machine.cores >= 1
    assert machine.name
    assert "ai-edge-litert" in machine.tflite or "tflite-runtime" in machine.tflite
