"""The doctor on power, heat, disk and clock."""

import errno
import shlex
from pathlib import Path

import pytest
from msgspec.structs import replace

from edge.doctor import clock, disk, heat
from edge.doctor.disk import Room
from edge.doctor.findings import Finding
from edge.doctor.world import Settings, Unit, User, World
from edge.server.settings import ServerSettings
from tests.doctoring import machine, told

PI_5 = "sys/devices/platform/soc@107c000000/soc@107c000000:firmware"
LARGE = Room(30_000.0, 1_000_000, False)
NOW_S = 1_800_000_000.0
DAY_S = 86_400.0


def warm(root: Path, degrees: float, flags: int = 0) -> World:
    """A Pi that is so warm, whose firmware says so."""
    zone = root / "sys/class/thermal/thermal_zone0"
    zone.mkdir(parents=True)
    (zone / "type").write_text("cpu-thermal\n")
    (zone / "temp").write_text(f"{round(degrees * 1000)}\n")
    (root / PI_5).mkdir(parents=True)
    (root / PI_5 / "get_throttled").write_text(f"{flags:x}\n")
    return machine(root)


def test_a_cool_machine_is_well(tmp_path: Path) -> None:
    assert told(heat.check(warm(tmp_path, 48.2)), "heat-ok").found == "48 °C"


def test_a_machine_without_sensors_is_well(tmp_path: Path) -> None:
    assert told(heat.check(machine(tmp_path)), "heat-ok").found == "temperature unknown"


@pytest.mark.parametrize(
    ("flags", "code"),
    [
        (0x1, "under-voltage"),
        (0x2, "throttled"),
        (0x4, "throttled"),
        (0x8, "soft-temperature-limit"),
        (0x50000, "throttled-earlier"),
    ],
)
def test_what_a_pis_firmware_says_is_told(tmp_path: Path, flags: int, code: str) -> None:
    (finding,) = heat.check(warm(tmp_path, 61.0, flags))
    assert finding.code == code
    assert "61 °C" in finding.found


def test_of_now_and_earlier_only_now_is_told(tmp_path: Path) -> None:
    findings = tuple(heat.check(warm(tmp_path, 61.0, 0x50005)))
    assert [finding.code for finding in findings] == ["under-voltage", "throttled"]


def test_a_weak_supply_and_slowness_and_an_earlier_time_are_warnings_and_notes(tmp_path: Path) -> None:
    findings = tuple(heat.check(warm(tmp_path, 61.0, 0xF)))
    assert told(findings, "under-voltage").severity == "warning"
    assert "heat sink" in told(findings, "throttled").fix
    assert told(findings, "soft-temperature-limit").severity == "note"
    earlier = tmp_path / "earlier"
    assert "throttled" in told(heat.check(warm(earlier, 50.0, 0x40000)), "throttled-earlier").found


def test_a_processor_above_the_budgets_bound_is_too_hot(tmp_path: Path) -> None:
    world = warm(tmp_path, 82.0)
    assert told(heat.check(world), "too-hot").expected == "below 80 °C, budget.max_temperature_c"
    told(heat.check(replace(world, settings=Settings(max_temperature_c=90.0))), "heat-ok")
    told(heat.check(replace(world, settings=Settings(max_temperature_c=0.0))), "heat-ok")


def places(root: Path, room: Room, *, may: bool = True, **settings: object) -> tuple[Finding, ...]:
    (root / "state").mkdir(exist_ok=True)
    world = machine(root, settings=replace(Settings(), **settings))
    return tuple(disk.check(world, lambda _: room, lambda _: may))


def test_a_disk_with_room_is_well(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "events.jsonl"
    finding = told(places(tmp_path, LARGE, events=str(log), events_mb=120.0), "disk-ok")
    assert f"30.0 GB free for the event log in {log.parent}" in finding.found


@pytest.mark.parametrize("room", [Room(10.0, 1000, False), Room(10_000.0, 0, False)])
def test_a_disk_without_room_is_full(tmp_path: Path, room: Room) -> None:
    finding = told(places(tmp_path, room, server=ServerSettings(tls=True)), "disk-full")
    assert f"{room.free_mb:.0f} MB free in {tmp_path}/state" in finding.found


@pytest.mark.parametrize("room", [Room(10.0, 1000, False), Room(10_000.0, 0, False), Room(10_000.0, 1000, True)])
def test_a_disk_that_nothing_has_to_be_written_to_may_be_full_or_read_only(tmp_path: Path, room: Room) -> None:
    (finding,) = places(tmp_path, room)
    assert finding == told([finding], "disk-ok")


@pytest.mark.parametrize("room", [Room(10.0, 1000, False), Room(10_000.0, 0, False), Room(10_000.0, 1000, True)])
def test_without_room_for_uploads_the_program_still_works(tmp_path: Path, room: Room) -> None:
    finding = told(places(tmp_path, room, uploads=f"{tmp_path}/uploads"), "disk-low")
    assert finding.severity == "warning"
    assert f"in {tmp_path}/uploads, for uploads" in finding.found
    assert "uploads.folder" in finding.fix


def test_a_disk_that_the_event_log_will_fill_is_low(tmp_path: Path) -> None:
    log = tmp_path / "events.jsonl"
    findings = places(tmp_path, Room(100.0, 1000, False), events=str(log), events_mb=120.0)
    assert "120 MB" in told(findings, "disk-low").expected


def test_what_the_event_log_has_taken_of_its_share_counts(tmp_path: Path) -> None:
    log = tmp_path / "events.jsonl"
    log.with_name("events.jsonl.1").write_bytes(bytes(30_000_000))
    (finding,) = places(tmp_path, Room(100.0, 1000, False), events=str(log), events_mb=120.0)
    assert finding.code == "disk-ok"


def test_a_file_system_without_a_bound_for_files_is_well(tmp_path: Path) -> None:
    told(places(tmp_path, Room(10_000.0, None, False)), "disk-ok")


def test_a_card_that_has_turned_read_only_is_found(tmp_path: Path) -> None:
    findings = places(tmp_path, Room(10_000.0, 1000, True), events=f"{tmp_path}/log.jsonl")
    assert "mmc" in told(findings, "disk-read-only").command


def test_a_folder_that_this_user_may_not_write_to_is_found(tmp_path: Path) -> None:
    (tmp_path / "its log's").mkdir()
    finding = told(places(tmp_path, LARGE, may=False, events=f"{tmp_path}/its log's/log"), "folder-not-writable")
    assert shlex.split(finding.command) == ["ls", "-ld", f"{tmp_path}/its log's"], "whose it is stays so"


def test_a_folder_that_is_not_there_and_cannot_be_made_is_found_with_what_makes_it(tmp_path: Path) -> None:
    finding = told(places(tmp_path, LARGE, may=False, events=f"{tmp_path}/my logs/log.jsonl"), "folder-missing")
    assert shlex.split(finding.command) == ["sudo", "install", "-d", "-o", "pi", f"{tmp_path}/my logs"]


def test_a_relative_path_is_meant_from_the_worlds_folder(tmp_path: Path) -> None:
    world = machine(tmp_path, folder=str(tmp_path / "here"), settings=Settings(events="logs/log.jsonl"))
    assert (
        f"{tmp_path}/here/logs" in told(disk.check(world, lambda _: LARGE, lambda _: False), "folder-missing").expected
    )


@pytest.mark.parametrize(("tls", "code"), [(False, "disk-ok"), (True, "folder-not-writable")])
def test_the_folder_for_a_certificate_matters_to_who_needs_one(tmp_path: Path, tls: bool, code: str) -> None:
    (finding,) = places(tmp_path, LARGE, may=False, server=ServerSettings(tls=tls))
    assert finding.code == code


def test_who_is_not_the_services_user_is_not_asked_to_write_where_the_service_does(tmp_path: Path) -> None:
    unit = Unit(systemd=True, path="/etc/systemd/system/emotion-edge.service")
    (tmp_path / "var/lib/emotion-edge").mkdir(parents=True)
    world = machine(tmp_path, unit=unit)
    assert "for the service" in told(disk.check(world, lambda _: LARGE, lambda _: False), "disk-ok").found
    service = replace(world, user=User("emotion-edge", 995))
    told(disk.check(service, lambda _: LARGE, lambda _: False), "folder-not-writable")


def test_a_folder_that_cannot_be_asked_is_passed_over(tmp_path: Path) -> None:
    def gone(_: Path) -> Room:
        raise OSError(errno.ESTALE, "stale")

    assert list(disk.check(machine(tmp_path), gone)) == []


def test_the_disk_here_can_be_asked(tmp_path: Path) -> None:
    found = disk.room(tmp_path)
    assert found.free_mb > 0
    assert not found.read_only


def test_a_clock_that_is_kept_right_is_well(tmp_path: Path) -> None:
    told(clock.check(machine(tmp_path), lambda: NOW_S, lambda: True, NOW_S - DAY_S), "clock-ok")
    told(clock.check(machine(tmp_path), lambda: NOW_S, lambda: None, NOW_S - DAY_S), "clock-ok")


def test_a_clock_before_the_programs_installation_is_found(tmp_path: Path) -> None:
    finding = told(clock.check(machine(tmp_path), lambda: 1000.0, lambda: True, NOW_S), "clock-behind")
    assert "1970-01-01" in finding.found


def test_a_clock_that_no_server_keeps_is_found(tmp_path: Path) -> None:
    told(clock.check(machine(tmp_path), lambda: NOW_S, lambda: False, NOW_S - DAY_S), "clock-unsynchronised")


def test_the_kernel_here_can_be_asked() -> None:
    assert clock.kernel_says() in (True, False, None)
