"""A real Prometheus, configured as `deploy/observability` has it, watches two programs: one by https, one by http.

The last test kills one of them.
"""

import http.client
import json
import re
import shutil
import socket
import ssl
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.program import Program, running, status_of
from tests.e2e.test_observability_live import hot_board
from tests.elsewhere import require_root
from tests.observability import FOLDER, asked_by_dashboard, dashboard, rules
from tests.tools import require_tool

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

TOKEN = "one-token-for-all-devices"
DATA_S = 60.0
"""Scraped each second, a rate over ten seconds is there after a few."""
MACROS = {"$__rate_interval": "10s", "$__range": "1m", "$job": "emotion-edge", "$instance": "(hall|kitchen)"}
"""What Grafana puts in."""


@dataclass(frozen=True, slots=True)
class Prometheus:
    """A running one, asked over its API."""

    url: str

    def ask(self, path: str, *more: tuple[str, str]) -> Any:
        """The `data` of an answer.

        Raises:
            AssertionError: the answer is an error.
        """
        try:
            with urllib.request.urlopen(f"{self.url}api/v1/{path}?{urllib.parse.urlencode(more)}", timeout=10) as got:
                answer = json.loads(got.read())
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{path} {more}: {error.read().decode()}") from error
        assert answer["status"] == "success", answer
        return answer["data"]

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The samples that an expression of a panel has now."""
        for macro, value in MACROS.items():
            expression = expression.replace(macro, value)
        return list(self.ask("query", ("query", expression))["result"])

    def alerts(self, name: str) -> dict[str, str]:
        """State of an alert, by device."""
        found = [alert for alert in self.ask("alerts")["alerts"] if alert["labels"]["alertname"] == name]
        return {alert["labels"]["instance"]: alert["state"] for alert in found}


@dataclass(frozen=True, slots=True)
class Fleet:
    """Two devices, and what watches them."""

    prometheus: Prometheus
    hall: Program
    hall_url: str


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    require_root("the token is given to the group of Prometheus")
    tool = require_tool("prometheus", "apt-get install -y --no-install-recommends prometheus")
    require_tool("openssl", "apt-get install -y --no-install-recommends openssl")
    board = hot_board(tmp_path_factory.mktemp("board") / "sys")
    settings = {
        "EMOTION_EDGE_SERVER_TOKEN": TOKEN,
        "EMOTION_EDGE_BUDGET_SYSFS": board,
        "EMOTION_EDGE_BUDGET_CPU_BUDGET": "8",
        "EMOTION_EDGE_BUDGET_TARGET_FPS": "12",
        "EMOTION_EDGE_MQTT_HOST": "127.0.0.1",
        "EMOTION_EDGE_MQTT_PORT": "9",  # nobody listens there
        "XDG_STATE_HOME": str(tmp_path_factory.mktemp("state")),
        "STATE_DIRECTORY": "",
    }
    with ExitStack() as stack:
        kitchen = stack.enter_context(running("--source", "demo", "--tls", **settings))
        hall = stack.enter_context(running("--source", "demo", **settings))
        urls = kitchen.url(), hall.url()
        for url in urls:
            stack.enter_context(viewer(url))
        folder = configured(tmp_path_factory.mktemp("prometheus"), *urls)
        yield Fleet(stack.enter_context(started(tool, folder)), hall, urls[1])


def address(url: str) -> str:
    return urllib.parse.urlsplit(url).netloc


@contextmanager
def viewer(url: str) -> Iterator[None]:
    """Somebody who watches, by the token."""
    request = urllib.request.Request(f"{url}stream.mjpg", headers={"Authorization": f"Bearer {TOKEN}"})
    unverified = ssl._create_unverified_context() if url.startswith("https") else None
    leave = threading.Event()
    with urllib.request.urlopen(request, timeout=20, context=unverified) as stream:

        def watch() -> None:
            try:
                while not leave.is_set() and stream.read(10_000):
                    pass
            except (OSError, http.client.HTTPException):  # the program was killed
                return

        thread = threading.Thread(target=watch, name="viewer")
        thread.start()
        try:
            yield
        finally:
            leave.set()
            thread.join(20)


def configured(scratch: Path, kitchen_url: str, hall_url: str) -> Path:
    """The folder of `deploy/`, copied and filled in as its README says: by its own commands where it has some."""
    folder = scratch / "emotion-edge"
    (scratch / "deploy").symlink_to(FOLDER.parent)
    (scratch / "token").write_text(f"{TOKEN}\n")
    targets = [
        {"targets": [address(kitchen_url)], "labels": {"instance": "kitchen"}},
        {"targets": [address(hall_url)], "labels": {"instance": "hall", "__scheme__": "http"}},
    ]
    for command in commands():
        typed = command.replace("/etc/prometheus", str(scratch)).replace("192.0.2.10:8080", address(kitchen_url))
        done = subprocess.run(
            ["sh", "-euc", typed], cwd=scratch, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, f"{typed}: {done.stdout}{done.stderr}"
    (folder / "devices.yml").write_text(yaml.safe_dump(targets))
    for name in ("prometheus.yml", "alerts.yml"):
        text = (folder / name).read_text(encoding="utf-8")
        text = re.sub(r"(?m)^(  (?:scrape|evaluation)_interval): 15s$", r"\1: 1s", text)
        text = re.sub(r"(?m)^( +for): \w+$", r"\1: 3s", text)
        (folder / name).write_text(text)
    return folder


def commands() -> list[str]:
    """What the README tells to type, as root; what concerns this machine's own packages and services left out."""
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    lines = [line for fence in re.findall(r"(?ms)^```sh\n(.*?)^```", text) for line in fence.splitlines()]
    found = [line.replace("sudo ", "") for line in lines if not re.search(r"apt-get|systemctl|/etc/default", line)]
    assert len(found) == 7
    return found


@contextmanager
def started(tool: Path, folder: Path) -> Iterator[Prometheus]:
    """It, until the context is left."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ("--config.file", folder / "prometheus.yml", "--storage.tsdb.path", folder / "data")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [tool, *options, f"--web.listen-address=127.0.0.1:{port}"], stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    try:
        url = f"http://127.0.0.1:{port}/"
        eventually(lambda: answers(f"{url}-/ready"), (folder / "log").read_text, 30.0)
        yield Prometheus(url)
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(folder / "data", ignore_errors=True)


def answers(url: str) -> bool:
    try:
        return status_of(url) == 200
    except OSError:
        return False


def eventually(condition: Any, why_not: Any, within_s: float = DATA_S) -> None:
    """Wait until it holds; else fail with what `why_not` gives."""
    end_s = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < end_s, why_not()
        time.sleep(0.2)


def test_both_devices_are_read_with_the_token_and_one_by_https(fleet: Fleet):
    def targets() -> dict[str, tuple[str, str, str]]:
        found = fleet.prometheus.ask("targets")["activeTargets"]
        return {
            target["labels"]["instance"]: (target["scrapeUrl"].partition(":")[0], target["health"], target["lastError"])
            for target in found
        }

    assert status_of(f"{fleet.hall_url}metrics") == 401, "without the token nobody is told anything"
    eventually(lambda: targets() == {"kitchen": ("https", "up", ""), "hall": ("http", "up", "")}, targets)
    for path in ("targets", "status/config"):
        assert TOKEN not in json.dumps(fleet.prometheus.ask(path)), "whoever may ask Prometheus does not learn it"


def test_every_expression_of_the_dashboard_has_data(fleet: Fleet):
    queries = asked_by_dashboard()
    assert len(queries) > 40
    # nothing was started anew meanwhile; alerts there are: the boards are hot from the start
    missing = {query.expression for query in queries if query.where != "Restart"}

    def have_data() -> bool:
        missing.difference_update([expression for expression in missing if fleet.prometheus.query(expression)])
        return not missing

    eventually(have_data, lambda: f"no data for {sorted(missing)}")
    for query in queries:
        fleet.prometheus.query(query.expression)


def test_the_dashboards_variables_find_the_devices(fleet: Fleet):
    found = {}
    for variable in dashboard()["templating"]["list"][1:]:
        asked = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["definition"])
        assert asked is not None
        series = asked[1].replace("$job", MACROS["$job"])
        found[variable["name"]] = fleet.prometheus.ask(f"label/{asked[2]}/values", ("match[]", series))
    assert found == {"job": ["emotion-edge"], "instance": ["hall", "kitchen"]}


def test_every_rule_is_worked_out_and_what_is_recorded_has_data(fleet: Fleet):
    def health() -> dict[str, str]:
        groups = fleet.prometheus.ask("rules")["groups"]
        return {rule["name"]: rule.get("lastError") or rule["health"] for group in groups for rule in group["rules"]}

    assert len(health()) == len(rules("alerts.yml")) + len(rules("recording.yml"))
    eventually(lambda: set(health().values()) == {"ok"}, health)
    names = [rule["record"] for rule in rules("recording.yml")]
    eventually(lambda: all(len(fleet.prometheus.query(name)) == 2 for name in names), lambda: names)


def test_a_hot_board_without_its_broker_is_told_of_and_nothing_else_is(fleet: Fleet):
    expected = {"EmotionEdgeBrokerAway", "EmotionEdgeHot", "EmotionEdgeThrottled", "EmotionEdgeUnderVoltage"}

    def firing() -> set[str]:
        return {alert["labels"]["alertname"] for alert in fleet.prometheus.ask("alerts")["alerts"]}

    eventually(lambda: firing() == expected, firing)


def test_a_device_that_dies_is_pending_first_then_firing_and_the_other_is_left_alone(fleet: Fleet):
    assert fleet.prometheus.alerts("EmotionEdgeDown") == {}
    fleet.hall.process.kill()
    seen: list[str] = []

    def fires() -> bool:
        state = fleet.prometheus.alerts("EmotionEdgeDown")
        assert state.keys() <= {"hall"}
        if state and state["hall"] not in seen:
            seen.append(state["hall"])
        return "firing" in seen

    eventually(fires, lambda: f"seen: {seen}")
    assert seen == ["pending", "firing"]
    alerts = fleet.prometheus.ask("alerts")["alerts"]
    (down,) = [alert for alert in alerts if alert["labels"]["alertname"] == "EmotionEdgeDown"]
    assert down["annotations"]["summary"] == "hall does not answer"
    assert down["labels"]["severity"] == "critical"
