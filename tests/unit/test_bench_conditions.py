"""What may have spoiled the figures, from trees like /sys and /proc."""

from pathlib import Path

from edge.bench.conditions import Conditions, doubts, look


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def silent(_: str) -> None:
    return None


def test_a_machine_that_tells_nothing_is_described_all_the_same(tmp_path: Path):
    found = look(tmp_path, tmp_path, silent)
    assert (found.temperature_c, found.governor, found.frequency_mhz) == (None, "", None)
    assert (found.throttled, found.throttle_events, found.free_mib) == (None, None, None)
    assert "temperature unknown" in found.text()


def test_everything_that_linux_tells_is_taken(tmp_path: Path):
    write(tmp_path / "class/thermal/thermal_zone0/type", "cpu-thermal\n")
    write(tmp_path / "class/thermal/thermal_zone0/temp", "61300\n")
    write(tmp_path / "devices/system/cpu/cpu0/cpufreq/scaling_governor", "ondemand\n")
    write(tmp_path / "devices/system/cpu/cpu0/cpufreq/scaling_cur_freq", "1500000\n")
    for core in (0, 1):
        write(tmp_path / f"devices/system/cpu/cpu{core}/thermal_throttle/core_throttle_count", "3\n")
    write(tmp_path / "meminfo", "MemTotal: 4000 kB\nMemAvailable: 2048 kB\n")
    write(tmp_path / "devices/platform/soc/soc:firmware/get_throttled", "50005\n")
    found = look(tmp_path, tmp_path, silent)
    assert (found.temperature_c, found.governor, found.frequency_mhz) == (61.3, "ondemand", 1500.0)
    assert found.throttled == ("under-voltage", "throttled")
    assert found.was_throttled == ("under-voltage", "throttled")
    assert (found.throttle_events, found.free_mib) == (6, 2.0)
    assert "61 °C, governor ondemand, 1500 MHz, throttling: under-voltage, throttled, " in found.text()
    assert "since it was switched on: under-voltage, throttled, 2 MiB free" in found.text()


def test_the_firmware_is_asked_where_the_kernel_does_not_tell(tmp_path: Path):
    answers = {"get_throttled": "throttled=0x20002\n"}
    found = look(tmp_path, tmp_path, answers.get)
    assert found.throttled == found.was_throttled == ("frequency capped",)
    long_ago = look(tmp_path, tmp_path, {"get_throttled": "throttled=0x10000\n"}.get)
    assert (long_ago.throttled, long_ago.was_throttled) == ((), ("under-voltage",))
    assert look(tmp_path, tmp_path, {"get_throttled": "error=no such thing"}.get).throttled is None


COOL = Conditions(load=0.1, temperature_c=50.0, governor="ondemand", throttled=(), was_throttled=(), throttle_events=7)


def test_a_quiet_cool_machine_leaves_no_doubt():
    assert doubts(COOL, COOL) == ()
    assert doubts(Conditions(), Conditions()) == ()


def test_each_thing_that_spoils_figures_is_named():
    def after(**changed: object) -> str:
        return "; ".join(doubts(COOL, Conditions(**{**COOL_AS_DICT, **changed})))

    assert "84 °C" in after(temperature_c=84.0)
    assert "held the processor back: under-voltage" in after(was_throttled=("under-voltage",))
    assert "held the processor back: throttled" in after(throttled=("throttled",), was_throttled=("throttled",))
    assert "slowed itself down 5 times" in after(throttle_events=12)
    assert "governor changed from ondemand to powersave" in after(governor="powersave")
    assert "load" not in after(load=2.0), "its own"
    (busy,) = doubts(Conditions(load=2.0), Conditions())
    assert "other programs were at work" in busy


def test_what_happened_before_the_run_is_no_matter():
    once = Conditions(throttled=(), was_throttled=("under-voltage",))
    assert doubts(once, once) == ()


COOL_AS_DICT = {name: getattr(COOL, name) for name in COOL.__struct_fields__}
