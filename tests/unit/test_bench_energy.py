"""Energy, from trees like /sys/class/powercap and from answers like a Raspberry Pi's."""

from pathlib import Path

import pytest

from edge.bench.energy import PowerChip, Rapl, find_meter, watts_of

# two rails that can be multiplied, one without a current, one without a voltage
PI_5 = """\
 3V7_WL_SW_A current(0)=0.10000000A
   VDD_CORE_A current(7)=2.00000000A
     HDMI_A current(22)=0.01000000A
 3V7_WL_SW_V volt(8)=3.70000000V
   VDD_CORE_V volt(15)=0.75000000V
      EXT5V_V volt(24)=5.10000000V
"""


def package(root: Path, number: int, energy_uj: int | None, name: str = "") -> Path:
    folder = root / f"intel-rapl:{number}"
    folder.mkdir(exist_ok=True, parents=True)
    (folder / "name").write_text(f"{name or f'package-{number}'}\n")
    (folder / "max_energy_range_uj").write_text("1000000\n")
    if energy_uj is not None:
        (folder / "energy_uj").write_text(f"{energy_uj}\n")
    return folder


def silent(_: str) -> None:
    return None


def test_all_packages_count_and_nothing_else(tmp_path: Path):
    for number, energy_uj in ((0, 100), (1, 200)):
        package(tmp_path, number, energy_uj)
    package(tmp_path, 2, 0, "psys")
    meter, why_not = find_meter(silent, tmp_path)
    assert isinstance(meter, Rapl)
    assert not why_not
    meter.begin()
    for number, energy_uj in ((0, 300_100), (1, 500_200)):
        package(tmp_path, number, energy_uj)
    package(tmp_path, 2, 900_000, "psys")
    assert meter.end() == pytest.approx(0.8)


def test_a_counter_that_begins_again_is_understood(tmp_path: Path):
    meter = Rapl([package(tmp_path, 0, 900_000)])
    meter.begin()
    package(tmp_path, 0, 100_000)
    assert meter.end() == pytest.approx(0.2)


def test_counters_that_only_root_may_read_are_named(tmp_path: Path):
    package(tmp_path, 0, None)
    meter, why_not = find_meter(silent, tmp_path)
    assert meter is None
    assert "only root may read" in why_not
    assert "energy_uj" in why_not


def test_a_machine_without_any_meter_says_so(tmp_path: Path):
    meter, why_not = find_meter(silent, tmp_path / "nowhere")
    assert meter is None
    assert "neither RAPL" in why_not


def test_the_power_of_a_pi_5_is_the_sum_of_its_rails():
    assert watts_of(PI_5) == pytest.approx(0.1 * 3.7 + 2 * 0.75)


@pytest.mark.parametrize("answer", ["", "vcgencmd: unknown command\n", "VDD_CORE_A current(7)=2.0A\n", "x=y\n"])
def test_other_answers_are_no_power(answer: str):
    assert watts_of(answer) is None


def test_a_pi_5_is_asked_where_there_is_no_rapl(tmp_path: Path):
    asked = []

    def ask(word: str) -> str:
        asked.append(word)
        return PI_5

    meter, _ = find_meter(ask, tmp_path)
    assert isinstance(meter, PowerChip)
    assert asked == ["pmic_read_adc"]


def test_the_power_of_a_pi_5_times_the_time_is_its_energy():
    answers = [PI_5, PI_5.replace("2.00000000A", "4.00000000A")]
    times_s = iter([10.0, 14.0])

    def ask(_: str) -> str:
        return answers.pop(0) if answers else ""

    meter = PowerChip(ask, sample_s=0.001, clock_s=lambda: next(times_s))
    meter.begin()
    while answers:
        pass
    # 1.87 and 3.37 W; an empty answer counts for nothing
    assert meter.end() == pytest.approx(4 * (1.87 + 3.37) / 2)


def test_a_power_chip_that_never_answers_tells_no_energy():
    meter = PowerChip(silent, sample_s=0.001)
    meter.begin()
    assert meter.end() == 0.0
