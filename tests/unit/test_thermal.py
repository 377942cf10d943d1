"""Temperature and throttling, read from trees like /sys."""

from pathlib import Path

import pytest

from edge.thermal import Heat, Thermometer

PI_4 = "devices/platform/soc/soc:firmware"
PI_5 = "devices/platform/soc@107c000000/soc@107c000000:firmware"


def zone(root: Path, number: int, temp: str | None, kind: str = "acpitz") -> None:
    folder = root / f"class/thermal/thermal_zone{number}"
    folder.mkdir(parents=True)
    (folder / "type").write_text(f"{kind}\n")
    if temp is not None:
        (folder / "temp").write_text(temp)


def firmware(root: Path, text: str, place: str = PI_4) -> None:
    (root / place).mkdir(parents=True)
    (root / place / "get_throttled").write_text(text)


def test_without_sensors_nothing_is_known(tmp_path: Path):
    assert Thermometer(tmp_path)() == Heat(None, ())
    assert Thermometer(tmp_path / "nowhere")() == Heat(None, ())


def test_the_hottest_zone_counts_where_none_is_known_to_be_the_processors(tmp_path: Path):
    zone(tmp_path, 0, "41000\n")
    zone(tmp_path, 1, "52500\n", "pch_skylake")
    assert Thermometer(tmp_path)().temperature_c == 52.5


@pytest.mark.parametrize("kind", ["x86_pkg_temp", "cpu-thermal"])
def test_the_processors_own_zone_counts_where_there_is_one(tmp_path: Path, kind: str):
    zone(tmp_path, 0, "95000\n", "iwlwifi_1")
    zone(tmp_path, 1, "47000\n", kind)
    zone(tmp_path, 10, "49000\n", kind)
    assert Thermometer(tmp_path)().temperature_c == 49.0


@pytest.mark.parametrize("broken", [None, "", "no data\n", "-274000\n", "200000\n"])
def test_a_broken_zone_is_left_out(tmp_path: Path, broken: str | None):
    zone(tmp_path, 0, "50000\n")
    zone(tmp_path, 1, broken)
    assert Thermometer(tmp_path)().temperature_c == 50.0


def test_a_sensor_that_goes_away_is_unknown_and_may_come_back(tmp_path: Path):
    zone(tmp_path, 0, "50000\n")
    heat = Thermometer(tmp_path)
    file = tmp_path / "class/thermal/thermal_zone0/temp"
    file.unlink()
    assert heat().temperature_c is None
    file.write_text("61000")
    assert heat().temperature_c == 61.0


@pytest.mark.parametrize("place", [PI_4, PI_5])
@pytest.mark.parametrize(
    ("text", "flags"),
    [
        ("0\n", ()),
        ("50005\n", ("under-voltage", "throttled")),
        ("0xe000e", ("frequency capped", "throttled", "soft temperature limit")),
        ("80000\n", ()),
        ("50000\n", ()),
        ("nonsense", ()),
    ],
)
def test_a_pis_firmware_tells_what_it_does_now(tmp_path: Path, place: str, text: str, flags: tuple[str, ...]):
    firmware(tmp_path, text, place)
    assert Thermometer(tmp_path)().throttled == flags
