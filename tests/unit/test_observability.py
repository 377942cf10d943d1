"""The dashboard, the rules and the scraping in `deploy/observability`: whole, in order, and right by promtool."""

import json
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest
import yaml

from edge.config import BudgetConfig
from edge.doctor.codes import TABLE
from edge.status import SOURCE_STATES
from edge.telemetry import AGE_BUCKETS_S
from edge.thermal import FLAGS
from tests.observability import (
    FOLDER,
    OWN,
    ROOT,
    Query,
    asked_by_dashboard,
    asked_by_rules,
    dashboard,
    panels,
    recorded,
    rules,
)
from tests.tools import require_tool
from tests.unit.test_docs_links import anchors, links

REASONS = ("busy", "late", "rate", "unwatched", "budget")
"""Why frames are skipped."""
VALUES = {"state": SOURCE_STATES, "flag": FLAGS, "reason": REASONS}
ALERTS = [rule["alert"] for rule in rules("alerts.yml")]


def promtool(*arguments: str, folder: Path = FOLDER) -> tuple[int, str]:
    """Exit code, and what it prints."""
    tool = require_tool("promtool", "apt-get install -y --no-install-recommends prometheus")
    done = subprocess.run([tool, *arguments], cwd=folder, capture_output=True, text=True, check=False, timeout=120)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The folder as somebody has it who has filled in what is his own."""
    folder = tmp_path / "observability"
    shutil.copytree(FOLDER, folder)
    (folder / "token").write_text("a-made-up-token\n")
    (folder / "devices.pem").write_text("")
    return folder


def test_promtool_takes_the_configuration(copied: Path):
    code, said = promtool("check", "config", "prometheus.yml", folder=copied)
    assert code == 0, said
    assert "2 rule files found" in said


def test_promtool_misses_the_token_where_it_is_not(copied: Path):
    (copied / "token").unlink()
    code, said = promtool("check", "config", "prometheus.yml", folder=copied)
    assert code != 0
    assert "token" in said


def test_promtool_takes_the_rules():
    code, said = promtool("check", "rules", "--lint=all", "--lint-fatal", "alerts.yml", "recording.yml")
    assert code == 0, said


def test_the_alerts_fire_when_they_should_and_not_before():
    code, said = promtool("test", "rules", "alerts_test.yml")
    assert (code, said.split()[-1]) == (0, "SUCCESS"), said


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_that_asks_for_something_else_is_found_out(alert: str, copied: Path):
    file = copied / "alerts.yml"
    document = yaml.safe_load(file.read_text())
    (rule,) = [rule for group in document["groups"] for rule in group["rules"] if rule.get("alert") == alert]
    rule["expr"] = "vector(0) > 1"
    file.write_text(yaml.safe_dump(document))
    code, said = promtool("test", "rules", "alerts_test.yml", folder=copied)
    assert code != 0, "no test has seen it fire"
    assert alert in said


def test_every_alert_is_seen_pending_or_firing_and_also_silent():
    tests = yaml.safe_load((FOLDER / "alerts_test.yml").read_text())["tests"]
    seen, silent = set(), set()
    for check in (check for test in tests for check in test.get("promql_expr_test", ())):
        name = re.search(r'alertname="(\w+)"', check["expr"])
        states = [sample["labels"] for sample in check["exp_samples"]]
        if name and any('alertstate="firing"' in labels for labels in states):
            seen.add(name[1])
        elif name:
            silent.add(name[1])
    assert seen == set(ALERTS)
    assert silent == set(ALERTS), "before its time, or on a device that is well"


def test_every_alert_says_how_bad_it_is_what_it_is_and_what_to_do():
    readme = FOLDER / "README.md"
    for rule in rules("alerts.yml"):
        assert re.fullmatch(r"\d+[smh]", rule["for"]), rule["alert"]
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert len(rule["annotations"]["summary"]) < 80
        assert rule["annotations"]["description"].endswith(".")
        page, _, anchor = rule["annotations"]["runbook"].partition("#")
        assert ROOT / page == readme
        assert anchor == rule["alert"].lower()
        assert anchor in anchors(readme), f"{readme} has no heading {rule['alert']}"


def test_what_to_do_names_codes_that_the_doctor_has_and_leads_somewhere():
    readme = FOLDER / "README.md"
    lines = re.findall(r"(?m)^Doctor: (.+)\.$", readme.read_text(encoding="utf-8"))
    named = {code for line in lines for code in re.findall(r"`([^`]+)`", line)}
    assert len(named) > 10
    assert named - TABLE.keys() == set()
    for link in links(readme):
        path, _, anchor = link.partition("#")
        target = (readme.parent / path).resolve() if path else readme
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_no_two_alerts_have_one_name():
    assert Counter(ALERTS).most_common(1)[0][1] == 1


def test_the_values_that_are_asked_for_are_such_as_there_are():
    asked = [
        (query.where, label, value)
        for query in (*asked_by_dashboard(), *asked_by_rules())
        for _, matched in query.metrics
        for label, values in matched.items()
        if label in VALUES
        for value in values.split("|")
    ]
    assert {label for _, label, _ in asked} == set(VALUES)
    assert [each for each in asked if each[2] not in VALUES[each[1]]] == []


def test_the_usual_limit_of_latency_is_a_bound_of_the_histogram():
    assert BudgetConfig().max_latency_ms / 1000 in AGE_BUCKETS_S


def test_the_dashboard_can_be_imported_anywhere():
    found = dashboard()
    assert found["id"] is None, "Grafana gives it one"
    assert found["uid"]
    names = [variable["name"] for variable in found["templating"]["list"]]
    assert names == ["datasource", "job", "instance"]
    device = found["templating"]["list"][2]
    assert (device["multi"], device["includeAll"]) == (True, True)
    own = [note for note in found["annotations"]["list"] if note.get("builtIn")]
    sources = re.findall(r'"uid": "([^"]+)"', json.dumps({**found, "annotations": {"list": []}}))
    assert set(sources) == {"emotion-edge", "${datasource}"}, "each asks the source that was chosen"
    assert len(own) == 1


def test_every_panel_has_a_unit_a_description_and_asks_for_the_chosen_devices():
    assert len(panels()) > 30
    for panel in panels():
        title = panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], title
        assert panel["description"].endswith("."), title
        assert panel["datasource"]["uid"] == "${datasource}", title
        assert panel["targets"], title
        for target in panel["targets"]:
            for name, matched in Query(title, target["expr"]).metrics:
                assert matched.get("job") == "$job", f"{title}: {name}"
                assert matched.get("instance", "").startswith("$instance"), f"{title}: {name}"
    titles = Counter(panel["title"] for panel in panels())
    assert titles.most_common(1)[0][1] == 1


def test_no_two_panels_lie_on_each_other_and_none_beside_the_page():
    taken: dict[tuple[int, int], str] = {}
    ids = Counter(panel["id"] for panel in dashboard()["panels"])
    assert ids.most_common(1)[0][1] == 1
    for panel in dashboard()["panels"]:
        place = panel["gridPos"]
        assert 0 <= place["x"] <= place["x"] + place["w"] <= 24, panel["title"]
        for cell in (
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        ):
            assert cell not in taken, f"{panel['title']} lies on {taken[cell]}"
            taken[cell] = panel["title"]


def test_the_time_of_day_of_a_start_is_asked_only_whether_it_changed():
    asked = [query for query in (*asked_by_dashboard(), *asked_by_rules()) if "process_start_time" in query.expression]
    assert len(asked) > 2
    for query in asked:
        times_of_day = re.findall(r"(\w+)\(\s*process_start_time_seconds", query.expression)
        assert times_of_day == ["changes"] * query.expression.count("process_start_time"), query.where


def test_while_a_device_is_down_it_has_no_pictures(tmp_path: Path):
    (query,) = [each for each in asked_by_dashboard() if each.where == "Share of time with pictures"]
    expression = query.expression.replace("$__range", "20m").replace("$job", "emotion-edge").replace("$instance", ".+")
    series = {
        ("up", "kitchen"): "1x9 0x9",
        ("emotion_edge_source_online", "kitchen"): "1x9 stale",
        ("up", "hall"): "1x19",
        ("emotion_edge_source_online", "hall"): "1x4 0x4 1x9",
        ("up", "attic"): "0x19",
    }
    shares = {"kitchen": 0.5, "hall": 0.75, "attic": 0}
    labels = '{{job="emotion-edge",instance="{}",site="home"}}'
    test = {
        "interval": "1m",
        "input_series": [
            {"series": name + labels.format(instance), "values": values} for (name, instance), values in series.items()
        ],
        "promql_expr_test": [
            {
                "expr": expression,
                "eval_time": "19m",
                "exp_samples": [{"labels": labels.format(name), "value": share} for name, share in shares.items()],
            }
        ],
    }
    file = tmp_path / "shares.yml"
    file.write_text(yaml.safe_dump({"rule_files": [], "evaluation_interval": "1m", "tests": [test]}))
    code, said = promtool("test", "rules", str(file))
    assert code == 0, said


def test_an_expression_is_taken_apart():
    query = Query(
        "p",
        'quantile(0.95, sum by (instance, le) (rate(a_bucket{job="$job",x=~"b|c"}[5m]))) > bool 1e3 * d:e or f',
        "{{instance}} {{ kind }}",
    )
    assert query.metrics == (("a_bucket", {"job": "$job", "x": "b|c"}), ("d:e", {}), ("f", {}))
    assert query.grouping == {"instance", "le"}
    assert query.legend_labels == {"instance", "kind"}
    known = {"a_bucket": {"le", "x"}, "d:e": set(), "f": {"kind"}}
    assert query.unknown(known) == []
    assert query.unknown({**known, "a_bucket": {"le"}}) == ["p: a_bucket has no label x"]
    assert query.unknown({**known, "f": set()}) == ["p: nothing it asks for has the label kind"]
    assert query.unknown({name: known[name] for name in ("a_bucket", "f")}) == ["p: there is no metric d:e"]


def test_what_is_recorded_has_the_labels_that_are_left():
    known = {
        "emotion_edge_skipped_frames_total": {"reason"},
        "emotion_edge_frames_total": set[str](),
        "emotion_edge_frame_age_seconds_bucket": {"le"},
        "emotion_edge_delivery_age_seconds_bucket": {"le"},
    }
    made = recorded(known)
    assert all(labels == {"job", "instance"} for labels in made.values())
    assert made.keys().isdisjoint(OWN)
    assert [query for query in asked_by_rules() if query.where in made and query.unknown(known)] == []
