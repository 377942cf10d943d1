"""The two revisions to compare, each as a copy of its `edge` in a folder, safe from what is edited meanwhile."""

import subprocess
import zipfile
from pathlib import Path
from shutil import copy2

import msgspec

from edge.errors import ConfigError

ROOT = Path(__file__).parents[2]
PACKAGE = "edge"
NEEDED = ("edge/__init__.py", "edge/bench/clip.py", "edge/bench/whole.py")


class Tree(msgspec.Struct, frozen=True):
    """One revision.

    Attributes:
        name: what it was asked for by; "working tree" for the files as they are.
        commit: its hash; of the working tree the one it is based on.
        changed: whether the working tree differs from that commit in what is measured.
    """

    name: str
    commit: str
    changed: bool = False

    def text(self) -> str:
        """For people."""
        return f"{self.name} ({self.commit[:10]}{', changed' if self.changed else ''})"


def revision(name: str, into: Path, root: Path = ROOT) -> Tree:
    """Copy a revision's package.

    Args:
        name: as git knows it: a hash, branch or tag, or `HEAD~3`.
        into: folder to put `edge/` into.
        root: of the checkout.

    Raises:
        ConfigError: no git, no such revision, or one that has nothing to measure with.
    """
    commit = _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}", told=False)
    if not commit:
        raise ConfigError(f"git knows no revision {name!r} in {root}; expected a hash, a branch, a tag or HEAD~3")
    packed = into / "tree.zip"
    into.mkdir(parents=True, exist_ok=True)
    if _git(root, "ls-tree", "--name-only", commit, "--", f"{PACKAGE}/__init__.py"):
        _git(root, "archive", "--format=zip", f"--output={packed}", commit, "--", PACKAGE)
        with zipfile.ZipFile(packed) as archive:
            archive.extractall(into)
        packed.unlink()
    return _whole(Tree(name, commit), into)


def working_tree(into: Path, root: Path = ROOT) -> Tree:
    """Copy the package as it is now, changes that are not committed included; files that git ignores are left out.

    Raises:
        ConfigError: no git, or not a checkout.
    """
    listed = _git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", PACKAGE)
    for name in filter(None, listed.split("\0")):
        source, target = root / name, into / name
        if source.is_file():  # not one that was deleted and is still known
            target.parent.mkdir(parents=True, exist_ok=True)
            copy2(source, target)
    commit = _git(root, "rev-parse", "--verify", "HEAD")
    changed = bool(_git(root, "status", "--porcelain", "--", PACKAGE))
    return _whole(Tree("working tree", commit, changed), into)


def _whole(tree: Tree, folder: Path) -> Tree:
    missing = [name for name in NEEDED if not (folder / name).is_file()]
    if missing:
        raise ConfigError(
            f"{tree.text()} cannot be measured: it has no {', no '.join(missing)}; take a revision that has "
            "`emotion-edge bench`"
        )
    return tree


def _git(root: Path, *words: str, told: bool = True) -> str:
    """What git says; empty if it fails and `told` is not set."""
    # a check must not touch the checkout's index
    command = ["git", "--no-optional-locks", "-C", str(root), *words]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise ConfigError("git is not installed; revisions are compared in a checkout that git keeps") from error
    if done.returncode and (told or "repository" in done.stderr):
        said = done.stderr.strip().splitlines()
        raise ConfigError(
            f"git {words[0]} failed in {root}: {said[-1] if said else f'it ended with {done.returncode}'}"
        )
    return "" if done.returncode else done.stdout.strip("\n")
