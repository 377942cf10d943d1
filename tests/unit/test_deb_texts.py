"""What is written for a Debian package: version, changelog, control file, man page, copyright."""

import itertools
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.debian.__main__ import MAINTAINER, epoch_s, main, maintainer, report
from deploy.debian.changelog import debian_changelog
from deploy.debian.documents import control, copyright_notice, man_page, packages_in
from deploy.debian.package import Built
from deploy.debian.suites import SUITES, machine_named, suite_named
from deploy.debian.versions import debian_version
from edge.errors import ConfigError
from tests.tools import require_tool

ROOT = Path(__file__).parents[2]
DEBIAN = ROOT / "deploy" / "debian"
CHANGES = """# Changelog

## [Unreleased]

## [0.2.0] - 2026-02-01

### Added

- One thing, told in so many words that there is no room for all of them in a line of seventy-eight characters.
- `another`

### Fixed

- A third.

## [0.1.0] - 2026-01-01

- Old.
"""


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("0.2.0", "0.2.0+deb12"),
        ("0.2.0a1", "0.2.0~a1+deb12"),
        ("0.2.0rc1", "0.2.0~rc1+deb12"),
        ("0.2.0.dev3", "0.2.0~~dev3+deb12"),
        ("0.2.0b1.dev3", "0.2.0~b1~~dev3+deb12"),
        ("0.2.0.post1", "0.2.0+post1+deb12"),
    ],
)
def test_a_version_is_written_as_debian_writes_it(version: str, expected: str):
    assert debian_version(version, 12) == expected


def test_dpkg_orders_versions_as_pip_does():
    dpkg = require_tool("dpkg", "Debian and its kin have it")
    ordered = ["0.2.0.dev1", "0.2.0a1.dev2", "0.2.0a1", "0.2.0b1", "0.2.0rc1", "0.2.0", "0.2.0.post1", "0.10.0"]
    packaged = [debian_version(version, 12) for version in ordered]
    packaged.insert(packaged.index("0.2.0+deb12") + 1, debian_version("0.2.0", 13))
    for older, newer in itertools.pairwise(packaged):
        assert subprocess.run([dpkg, "--compare-versions", older, "lt", newer], check=False).returncode == 0, newer


@pytest.mark.parametrize("version", ["1!0.2.0", "0.2.0+local", "next"])
def test_a_version_without_a_form_for_debian_is_refused(version: str):
    with pytest.raises(ConfigError, match="has no form for Debian"):
        debian_version(version, 12)


def entry(version: str = "0.2.0") -> str:
    return debian_changelog(CHANGES, version, "0.2.0+deb13", "trixie", "Somebody <somebody@example.org>", 1_767_225_600)


def test_the_changelog_holds_the_newest_version_alone():
    lines = entry().splitlines()
    assert lines[0] == "emotion-edge (0.2.0+deb13) trixie; urgency=medium"
    assert lines[2:4] == [
        "  [ Added ]",
        "  * One thing, told in so many words that there is no room for all of them in",
    ]
    assert lines[4] == "    a line of seventy-eight characters."
    assert lines[-3:] == ["  * A third.", "", " -- Somebody <somebody@example.org>  Thu, 01 Jan 2026 00:00:00 +0000"]
    assert "Old" not in entry()


def test_a_changelog_that_lags_behind_is_refused():
    with pytest.raises(ConfigError, match=r"CHANGELOG.md is 0.2.0, the program's is 0.3.0"):
        entry("0.3.0")


def test_the_changelog_of_this_checkout_can_be_packaged():
    version = subprocess.run(
        [sys.executable, "-c", "import edge; print(edge.__version__)"], capture_output=True, text=True, check=True
    ).stdout.strip()
    text = (ROOT / "CHANGELOG.md").read_text()
    lines = debian_changelog(text, version, "1", "bookworm", MAINTAINER, 0).splitlines()
    assert all(line == "" or line.startswith("  ") for line in lines[1:-1])
    assert len(lines) > 10


def test_the_control_file_asks_for_the_suites_own_python():
    template = (DEBIAN / "control").read_text()
    for name, python, following in (("bookworm", "3.11", "3.12"), ("trixie", "3.13", "3.14")):
        text = control(template, SUITES[name], "arm64", "0.2.0+deb12", MAINTAINER, 4096)
        fields = dict(line.split(": ", 1) for line in text.splitlines() if not line.startswith(" "))
        assert f"python3 (>= {python}), python3 (<< {following})" in fields["Depends"]
        assert (fields["Architecture"], fields["Installed-Size"]) == ("arm64", "4096")
        assert fields["Suggests"] == "python3-picamera2"


def test_the_man_page_tells_every_command():
    listed = subprocess.run(
        [sys.executable, "-m", "edge", "--help"], capture_output=True, text=True, check=True, cwd=ROOT
    )
    page = man_page((DEBIAN / "emotion-edge.1").read_text(), "0.2.0", listed.stdout)
    assert 'emotion-edge 0.2.0"' in page
    for command in ("run", "analyze", "models", "sources", "bench"):
        assert f".TP\n.B {command}\n" in page


def test_the_copyright_file_names_what_is_bundled(tmp_path: Path):
    for name, version, licence in (
        ("emotion_edge", "0.2.0", "License-Expression: Apache-2.0"),
        ("one", "1.0", "License-Expression: MIT"),
        ("two", "2.0", "License: Somebody grants\n        permission\nClassifier: License :: OSI Approved :: BSD"),
        ("three", "3.0", "Summary: says nothing"),
    ):
        folder = tmp_path / f"{name}-{version}.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Name: {name.replace('_', '-')}\nVersion: {version}\n{licence}\n")
    notice = copyright_notice((DEBIAN / "copyright").read_text(), "opt/site", packages_in(tmp_path))
    assert notice.endswith("/opt/site:\n\n  one 1.0: MIT\n  three 3.0: see its folder\n  two 2.0: BSD\n")


def test_what_no_package_is_built_for_is_refused_with_what_there_is():
    with pytest.raises(ConfigError, match="SUITE is one of bookworm, trixie"):
        suite_named("buster")
    with pytest.raises(ConfigError, match="ARCH is one of amd64, arm64"):
        machine_named("armhf")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (
            (),
            "there is no package for Ubuntu 24.04.2 LTS itself; say which device's it is for: SUITE=bookworm or trixie",
        ),
        (("--suite", "trixie"), "there is no package for riscv64 itself; say which device's it is for: ARCH=amd64 or"),
    ],
)
def test_for_a_machine_without_packages_it_has_to_be_said_which(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], says: str
):
    require_tool("dpkg-deb", "Debian and its kin have it")
    noble = {"PRETTY_NAME": "Ubuntu 24.04.2 LTS", "VERSION_CODENAME": "noble"}
    monkeypatch.setattr(platform, "freedesktop_os_release", lambda: noble)
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    assert main(arguments) == 78
    assert says in capsys.readouterr().err


def test_what_is_to_be_typed_names_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a b.deb").touch()
    # apt takes a name without a slash for that of a package
    assert report(Built(Path("a b.deb"), 0, 0, 0), 1.0).endswith(f"sudo apt install '{tmp_path}/a b.deb'")


def test_the_time_of_a_package_is_the_revisions_unless_it_is_set(tmp_path: Path):
    assert epoch_s(ROOT, {"SOURCE_DATE_EPOCH": "1767225600"}) == 1_767_225_600
    with pytest.raises(ConfigError, match="set it to a number"):
        epoch_s(tmp_path, {})


def test_the_maintainer_is_who_debians_variables_name():
    assert maintainer({"DEBFULLNAME": "Somebody", "DEBEMAIL": "a@b.org"}) == "Somebody <a@b.org>"
    assert maintainer({"DEBEMAIL": "a@b.org"}) == MAINTAINER
