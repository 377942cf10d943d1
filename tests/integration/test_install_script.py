"""What deploy/install.sh says it would do, what it refuses, and what it does where no system is needed for it."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from edge.config import Config
from edge.config_layers import load
from tests.elsewhere import ROOT
from tests.install_script import DEPLOY, PI_OS, TRIXIE, UBUNTU, Place

SCRIPTS = [DEPLOY / "install.sh", DEPLOY / "wheelhouse.sh", *sorted((DEPLOY / "lib").glob("*.sh"))]
BULLSEYE = PI_OS.replace("12", "11").replace("bookworm", "bullseye")
APT_HAS = {"bookworm": "1.24.2", "trixie": "2.2.4"}
"""numpy of each suite, which picamera2's modules are built for."""


@pytest.fixture
def pi(tmp_path: Path) -> Place:
    """A Raspberry Pi 4 with a fresh Raspberry Pi OS 12."""
    place = Place(tmp_path)
    place.write("proc/device-tree/model", "Raspberry Pi 4 Model B Rev 1.5\0")
    return place


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_every_shell_can_read_the_scripts(script: Path) -> None:
    subprocess.run(["sh", "-n", str(script)], check=True)


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="needs shellcheck: apt-get install -y shellcheck")
def test_shellcheck_has_nothing_to_say() -> None:
    done = subprocess.run(
        ["shellcheck", "-x", *map(str, SCRIPTS)], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.stdout == ""


def test_the_guide_names_options_that_there_are() -> None:
    shown = subprocess.run(
        ["sh", str(DEPLOY / "install.sh"), "--help"], capture_output=True, text=True, check=True
    ).stdout
    options = set(re.findall(r"--[a-z-]+", shown))
    named = re.findall(r"install\.sh ([^`#\n]+)|^\| `(--[^`]+)`", (DEPLOY / "README.md").read_text(), re.MULTILINE)
    found = {option for each in named for option in re.findall(r"--[a-z-]+", " ".join(each))}
    assert {"--lan", "--no-start", "--rollback", "--purge"} <= found
    assert found - options == set()


def test_a_dry_run_shows_every_step_on_a_raspberry_pi_and_takes_none(pi: Place) -> None:
    before = sorted(pi.root.rglob("*"))
    said = pi.dry_run("--camera", "v4l2:/dev/video0")
    steps = (
        "install -qq -y --no-install-recommends python3-picamera2",
        "groupadd --system emotion-edge",
        "useradd --system --gid emotion-edge",
        "/etc/emotion-edge/config.toml (root:emotion-edge, 640)",
        "/etc/emotion-edge/token (root:root, 600)",
        "-m venv --system-site-packages ",
        f"--ignore-installed --constraint {DEPLOY}/constraints/bookworm.txt",
        "models fetch",
        "models verify",
        "config check",
        "/opt/emotion-edge/venv.new",
        "/etc/systemd/system/emotion-edge.service.d/picamera2.conf",
        "systemctl daemon-reload",
        "systemctl enable emotion-edge.service",
        "systemctl restart emotion-edge.service",
    )
    places = [said.find(step) for step in steps]
    assert -1 not in places, steps[places.index(-1)]
    assert places == sorted(places)
    assert pi.called == ""
    assert sorted(pi.root.rglob("*")) == before


@pytest.mark.parametrize(
    ("os_release", "constraints"),
    [(PI_OS, "bookworm"), (TRIXIE, "trixie"), (UBUNTU, "other")],
    ids=lambda text: text[-9:-1],
)
def test_each_system_has_its_set_of_constraints(tmp_path: Path, os_release: str, constraints: str) -> None:
    said = Place(tmp_path, os_release, "amd64").dry_run()
    assert f"--constraint {DEPLOY}/constraints/{constraints}.txt" in said
    assert "picamera2" not in said
    assert "--system-site-packages" not in said


@pytest.mark.parametrize("suite", APT_HAS)
def test_the_constraints_match_what_apt_has_and_what_the_program_needs(suite: str) -> None:
    lines = (DEPLOY / "constraints" / f"{suite}.txt").read_text().splitlines()
    allowed = {each.name: each.specifier for each in map(Requirement, (line for line in lines if line[0] != "#"))}
    needed = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    needs = {each.name: each.specifier for each in map(Requirement, needed)}
    assert allowed.keys() <= needs.keys()
    major = APT_HAS[suite].partition(".")[0]
    numpies = ("1.24.2", "1.26.4", "2.2.4", "2.3.5", "2.4.6")
    fitting = [version for version in numpies if version in allowed["numpy"] & needs["numpy"]]
    assert fitting
    # modules built for one numpy load beside a later one of the same major version
    assert all(version.partition(".")[0] == major and version >= APT_HAS[suite] for version in fitting)
    cascades = [
        version for version in ("4.11.0.86", "4.12.0.88", "4.14.0.94") if version in allowed["opencv-python-headless"]
    ]
    assert cascades == (["4.11.0.86"] if major == "1" else ["4.12.0.88", "4.14.0.94"])


@pytest.mark.parametrize(
    ("os_release", "architecture", "says"),
    [
        (PI_OS, "armhf", "is a 32-bit system (armhf), whatever its kernel is"),
        (PI_OS.replace("ID=debian", "ID=raspbian"), "armhf", "write that to the card"),
        (PI_OS, "i386", "is a 32-bit system"),
        (PI_OS, "riscv64", "No packages are made for the architecture riscv64"),
        (BULLSEYE, "arm64", "(bullseye) is too old"),
        (UBUNTU.replace("24.04", "22.04"), "amd64", "Ubuntu 22.04.2 LTS is too old"),
        ('PRETTY_NAME="Fedora Linux 42"\nID=fedora\n', "amd64", "Fedora Linux 42 is none of the systems"),
    ],
)
def test_other_systems_are_refused(tmp_path: Path, os_release: str, architecture: str, says: str) -> None:
    said = Place(tmp_path, os_release, architecture).refusal()
    assert says in said
    assert "64-bit edition" in said


@pytest.mark.parametrize(
    "os_release",
    [
        'PRETTY_NAME="Debian GNU/Linux forky/sid"\nID=debian\nVERSION_CODENAME=forky\n',
        'PRETTY_NAME="Linux Mint 22"\nID=linuxmint\nID_LIKE="ubuntu debian"\nVERSION_ID="22"\nVERSION_CODENAME=wilma\n',
    ],
)
def test_systems_that_are_alike_are_taken(tmp_path: Path, os_release: str) -> None:
    assert "constraints/other.txt" in Place(tmp_path, os_release, "amd64").dry_run()


def test_an_old_python_is_refused(pi: Place) -> None:
    old = pi.program("python3.9", 'case $* in *exit*) exit 1 ;; esac\necho "3.9, 64-bit"')
    said = pi.refusal(PYTHON=str(old))
    assert f"A 64-bit Python from 3.11 on is needed; {old} is 3.9, 64-bit." in said


def test_nobody_but_root_may_change_anything(pi: Place) -> None:
    pi.program("id", "echo 1000")
    done = pi.install("--lan")
    assert done.returncode == 1
    assert "Only root can do this. Type: sudo sh" in done.stderr
    assert pi.called == ""
    assert "Switching" in pi.dry_run()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--nope",), "There is no option --nope."),
        (("here",), "There is no option here."),
        (("--camera",), "--camera needs a value."),
        (("--wheelhouse=",), "--wheelhouse needs a value."),
        (("--purge",), "--purge goes with --uninstall only."),
        (("--root", "/mnt"), "--root goes with --dry-run only."),
        (("--rollback", "--uninstall"), "--rollback and --uninstall do not go together."),
        (("--camera", 'a"b'), "has no quotes"),
        (("--camera", "a\nb"), "has no quotes"),
        (("--camera", "a\\b"), "has no quotes"),
    ],
)
def test_wrong_arguments_are_refused(pi: Place, arguments: tuple[str, ...], says: str) -> None:
    done = pi.install(*arguments)
    assert done.returncode == 2
    assert says in done.stderr
    assert pi.called == ""


@pytest.mark.parametrize("status", ["ii", "hi", "iF", "iU", "rH"])
def test_what_a_package_has_installed_is_left_alone(pi: Place, status: str) -> None:
    pi.program("dpkg-query", f"printf '{status} '")
    assert "sudo apt-get remove emotion-edge" in pi.refusal()


@pytest.mark.parametrize("status", ["rc", "un", "hc"])
def test_of_what_was_a_package_only_settings_may_be_left(pi: Place, status: str) -> None:
    pi.program("dpkg-query", f"printf '{status} '")
    assert "Switching" in pi.dry_run()


def test_a_group_without_its_user_is_taken_as_it_is(pi: Place) -> None:
    pi.program("getent", '[ "$*" = "group emotion-edge" ]')
    said = pi.dry_run()
    assert "useradd --system --gid emotion-edge" in said
    assert "groupadd" not in said


BUSY = """
echo "$*" >>"$0.log"
updates=$(grep -c '^update' "$0.log")
[ "$updates" -le TIMES ] || exit 0
case $1 in update) echo "E: Could not get lock /var/lib/apt/lists/lock. It is held by process 812 (apt-get)" >&2 ;; esac
exit 100
"""
"""An apt-get that begins to work when its lists have been asked for so often."""


@pytest.mark.parametrize(("times", "picamera2"), [(2, "yes"), (1000, "no")])
def test_it_waits_for_a_system_that_is_brought_up_to_date(pi: Place, times: int, picamera2: str) -> None:
    apt = pi.program("apt-get", BUSY.replace("TIMES", str(times)))
    pi.program("sleep", "exit 0")
    done = pi.steps("check_system; find_picamera2; echo picamera2=$picamera2")
    assert done.stdout.endswith(f"picamera2={picamera2}\n"), done.stderr
    assert done.stdout.count("waiting for it") == 1
    assert ("lists/lock" in done.stderr) == (picamera2 == "no")
    calls = Path(f"{apt}.log").read_text().splitlines()
    assert all(call.startswith("-o DPkg::Lock::Timeout=300 install ") for call in calls if "install" in call)
    assert min(times, 30) < sum(call.startswith("update") for call in calls) <= min(times, 30) + 1


def test_a_camera_that_apt_could_not_bring_is_told_of_as_it_is(pi: Place) -> None:
    pi.program("apt-get", "echo 'E: Unable to fetch some archives' >&2; exit 100")
    done = pi.steps("check_system; find_picamera2; echo picamera2=$picamera2")
    assert done.returncode == 0
    assert "E: Unable to fetch some archives" in done.stderr
    assert "python3-picamera2 could not be installed; apt says why above." in done.stdout
    assert "run this again" in done.stdout
    assert "has none" not in done.stdout
    assert done.stdout.endswith("picamera2=no\n")


def test_what_was_installed_by_hand_is_left_alone(pi: Place) -> None:
    (pi.root / "opt" / "emotion-edge" / "venv").mkdir(parents=True)
    assert "is a folder that this script has not made" in pi.refusal()


def test_a_full_disk_is_seen_before_anything_is_installed(pi: Place) -> None:
    pi.program("df", "echo Filesystem; echo '/dev/root 30000000 29000000 204800 99% /'")
    assert "has 200 MB left, and a release takes 700 MB" in pi.refusal()


def test_every_setting_of_the_template_is_one(tmp_path: Path) -> None:
    text = (DEPLOY / "config.toml").read_text()
    file = tmp_path / "config.toml"
    file.write_text(text)
    assert load(file, environment={}) == Config()
    file.write_text(re.sub(r"(?m)^# (\w+ = )", r"\1", text))
    given = load(file, environment={})
    assert (given.server.host, given.server.tls) == ("0.0.0.0", True)
    assert given.source.uri == "v4l2:/dev/video0?size=640x480"
    assert given.mqtt.host == "broker.local"
    assert given.server.token is None


def test_what_was_asked_for_is_written_into_the_configuration(pi: Place, tmp_path: Path) -> None:
    script = "make_settings && cp $config before && cp $token token-before && make_settings"
    done = pi.steps(f"cd {tmp_path}; {script}", lan="yes", camera="rtsp://cam/live?a=1&b=2")
    assert done.returncode == 0, done.stderr
    config = pi.root / "etc" / "emotion-edge" / "config.toml"
    given = load(config, environment={})
    assert (given.server.host, given.source.uri) == ("0.0.0.0", "rtsp://cam/live?a=1&b=2")
    assert given.mqtt.host == "", "the broker has a key of that name, too"
    # the second time both are kept, and it says so
    assert config.read_text() == (tmp_path / "before").read_text()
    token = config.with_name("token")
    assert token.read_text() == (tmp_path / "token-before").read_text()
    assert re.fullmatch(r"[\w-]{43}\n", token.read_text())
    assert token.stat().st_mode & 0o777 == 0o600
    assert done.stdout.count("is there and stays as it is") == 2
