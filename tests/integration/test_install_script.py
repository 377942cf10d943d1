"""What deploy/install.sh says it would do, what it refuses, and what it does where no system is needed for it."""

import re
import shutil
import subprocess
import sys
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
    assert {option for found in named for option in re.findall(r"--[a-z-]+", " ".join(found))} - options == set()


def test_a_dry_run_shows_every_step_on_a_raspberry_pi_and_takes_none(pi: Place) -> None:
    before = sorted(pi.root.rglob("*"))
    said = pi.dry_run("--camera", "v4l2:/dev/video0")
    steps = (
        "apt-get install -qq -y --no-install-recommends python3-picamera2",
        "useradd --system --user-group",
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


def test_what_a_package_has_installed_is_left_alone(pi: Place) -> None:
    pi.program("dpkg-query", "printf 'ii '")
    assert "sudo apt-get remove emotion-edge" in pi.refusal()


def test_what_was_installed_by_hand_is_left_alone(pi: Place) -> None:
    (pi.root / "opt" / "emotion-edge" / "venv").mkdir(parents=True)
    assert "is a folder that this script has not made" in pi.refusal()


def test_a_full_disk_is_seen_before_anything_is_installed(pi: Place) -> None:
    pi.program("df", "echo Filesystem; echo '/dev/root 30000000 29000000 204800 99% /'")
    assert "has 200 MB left, and a release takes 700 MB" in pi.refusal()


def wheelhouse(folder: Path, target: str, *wheels: str) -> Path:
    (folder / "wheels").mkdir(parents=True)
    (folder / "TARGET").write_text(target)
    for name in wheels:
        (folder / "wheels" / name).touch()
    return folder


def test_from_a_wheelhouse_nothing_is_fetched(pi: Place, tmp_path: Path) -> None:
    version = "{}.{}".format(*sys.version_info)
    house = wheelhouse(tmp_path / "house", f"arch=arm64\npython={version}\n", "emotion_edge-7.8-py3-none-any.whl")
    said = pi.dry_run("--wheelhouse", house)
    assert "emotion_edge-7.8-py3-none-any.whl" in said
    assert "apt-get" not in said
    assert "python3-picamera2 is missing and nothing is fetched" in said


@pytest.mark.parametrize(
    ("wheels", "target", "says"),
    [
        ((), "", "Expected one file emotion_edge-….whl"),
        (("emotion_edge-1-py3-none-any.whl", "emotion_edge-2-py3-none-any.whl"), "", "Expected one file"),
        (("emotion_edge-1-py3-none-any.whl",), "python=3.99\narch=arm64\n", "is for python=3.99 arch=arm64, and this"),
        (("emotion_edge-1-py3-none-any.whl",), "python=3.11\narch=amd64\n", "--suite bookworm --arch arm64"),
    ],
)
def test_a_wheelhouse_has_to_fit(pi: Place, tmp_path: Path, wheels: tuple[str, ...], target: str, says: str) -> None:
    assert says in pi.refusal("--wheelhouse", wheelhouse(tmp_path / "house", target, *wheels))


def test_a_wheelhouse_has_to_be_there(pi: Place, tmp_path: Path) -> None:
    assert f"There is no folder {tmp_path}/none" in pi.refusal("--wheelhouse", tmp_path / "none")


def test_without_a_network_it_says_which_package_to_get(pi: Place, tmp_path: Path) -> None:
    bare = pi.program("bare-python", f'case $* in *ensurepip*) exit 1 ;; esac\nexec {sys.executable} "$@"')
    house = wheelhouse(tmp_path / "house", "", "emotion_edge-1-py3-none-any.whl")
    said = pi.refusal("--wheelhouse", house, PYTHON=str(bare))
    assert "cannot make environments, and nothing is fetched" in said
    assert "python3-venv" in said


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
