"""Whether the expression models are there, whole, and answer as when they were made."""

import base64
import hashlib
import os
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from edge.classifier import SHIPPED, TfliteClassifier
from edge.config import ExpressionConfig
from edge.contract.card import NoCard
from edge.doctor.configuration import config_or_defaults
from edge.doctor.findings import Finding
from edge.doctor.world import World
from edge.errors import PermanentError
from edge.golden import replay
from edge.model_store import fingerprints
from edge.parts import build_classifier, model_files


def check(world: World) -> Iterator[Finding]:
    """All that the settings name, for video and for pictures."""
    settings = config_or_defaults(world).expression
    paths = dict.fromkeys((*model_files(settings), *model_files(settings, stills=True)))
    findings = [finding for path in paths for finding in _file(world, path)]
    yield from findings
    if any(finding.severity == "fault" for finding in findings):
        return
    yield from _together(world, settings, stills=False)
    if settings.still_model:
        yield from _together(world, settings, stills=True)


def altered(path: Path, distribution: metadata.Distribution) -> str:
    """What is wrong with a file of an installed package, by the hash noted when it was installed; empty: nothing.

    An installation from a checkout notes no hashes.
    """
    for file in distribution.files or ():
        if file.hash is None or Path(str(file.locate())).resolve() != path.resolve():
            continue
        digest = hashlib.new(file.hash.mode, path.read_bytes()).digest()
        if base64.urlsafe_b64encode(digest).decode().rstrip("=") != file.hash.value:
            return f"{path} has {file.hash.mode} {digest.hex()[:12]}…, which is not what was installed"
    return ""


def _file(world: World, path: Path) -> Iterator[Finding]:
    """One file by itself."""
    if not (os.path.isfile(path) and os.access(path, os.R_OK)):  # noqa: PTH113  # in a folder that may be closed to us
        yield world.finding("model-missing", f"there is no file {path} that {world.user.name} may read", path=str(path))
        return
    if path == SHIPPED:
        packages = metadata.distributions(name="emotion-edge", path=list(world.python.path))
        for found in filter(None, (altered(path, package) for package in packages)):
            yield world.finding("model-altered", found)
    try:
        result = replay(TfliteClassifier(path))
    except NoCard:
        yield world.finding("model-without-card", f"{path} carries no card")
    except PermanentError as error:
        yield world.finding("model-refused", str(error), path=str(path))
    else:
        if result.passed:
            ((name, digest),) = fingerprints((path,))
            yield world.finding("model-ok", f"{name} (SHA-256 {digest[:12]}…) {result.text()}")
        else:
            yield world.finding("model-answers-otherwise", f"{path} {result.text()}", path=str(path))


def _together(world: World, settings: ExpressionConfig, *, stills: bool) -> Iterator[Finding]:
    """Files as the program uses them: with contracts, several at once."""
    path = str(model_files(settings, stills=stills)[0])
    try:
        _, notices = build_classifier(settings, stills=stills)
    except PermanentError as error:
        yield world.finding("model-refused", str(error), path=path)
        return
    for notice in notices:
        yield world.finding("model-doubtful", notice, path=path)
