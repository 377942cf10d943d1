"""What the dashboard and the rules in `deploy/observability` ask for, and what the program exports."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from prometheus_client.parser import text_string_to_metric_families

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "deploy" / "observability"
TARGET_LABELS = frozenset({"job", "instance"})
"""Prometheus puts these on all that it reads from a device."""
OWN = {"up": {*TARGET_LABELS}, "ALERTS": {*TARGET_LABELS, "alertname", "alertstate", "severity"}}
"""Prometheus' own metrics, and their labels."""
KEYWORDS = frozenset({"and", "or", "unless", "bool", "group_left", "group_right", "offset"})

_WINDOW = re.compile(r"\[[^\]]*\]")
_GROUPING = re.compile(r"\b(?:by|without|on|ignoring)\s*\(([^)]*)\)")
_MATCHER = re.compile(r'(\w+)\s*(?:=~|!~|!=|=)\s*"([^"]*)"')
_NAME = re.compile(r"(?<![\w.:])([A-Za-z_:][\w:]*)\s*(\{[^}]*\}|\()?")


@dataclass(frozen=True, slots=True)
class Query:
    """An expression of a panel or of a rule.

    Attributes:
        where: title of the panel, or name of the rule.
        expression: in PromQL.
        legend: Grafana's, with labels as `{{label}}`; empty: none.
        metrics: each name it selects by, and the labels it matches with their values.
        grouping: labels that it groups by.
    """

    where: str
    expression: str
    legend: str = ""
    metrics: tuple[tuple[str, Mapping[str, str]], ...] = field(init=False)
    grouping: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        """Take the expression apart."""
        text = _WINDOW.sub("", self.expression)
        groups = [label.strip() for labels in _GROUPING.findall(text) for label in labels.split(",")]
        names = _NAME.findall(_GROUPING.sub("", text))
        selected = [
            (name, dict(_MATCHER.findall(rest))) for name, rest in names if rest != "(" and name not in KEYWORDS
        ]
        object.__setattr__(self, "metrics", tuple(selected))
        object.__setattr__(self, "grouping", frozenset(groups))

    @property
    def legend_labels(self) -> frozenset[str]:
        """What the legend shows of each line."""
        return frozenset(re.findall(r"\{\{\s*(\w+)\s*\}\}", self.legend))

    def unknown(self, known: Mapping[str, set[str]]) -> list[str]:
        """What there is not, in words.

        Args:
            known: metrics, with the labels of each.
        """
        found = [f"{self.where}: there is no metric {name}" for name, _ in self.metrics if name not in known]
        labels = TARGET_LABELS.union(*(known.get(name, set()) for name, _ in self.metrics))
        for name, matched in self.metrics:
            odd = matched.keys() - known.get(name, set()) - TARGET_LABELS
            found += [f"{self.where}: {name} has no label {label}" for label in sorted(odd)]
        odd = (self.grouping - {"le"} | self.legend_labels) - labels
        return found + [f"{self.where}: nothing it asks for has the label {label}" for label in sorted(odd)]


def dashboard() -> dict[str, Any]:
    """As it is imported."""
    return dict(json.loads((FOLDER / "dashboard.json").read_text(encoding="utf-8")))


def panels() -> list[dict[str, Any]]:
    """Those that show something; rows are headings."""
    return [panel for panel in dashboard()["panels"] if panel["type"] != "row"]


def asked_by_dashboard() -> list[Query]:
    """What its panels and its annotations ask for."""
    notes = [Query(note["name"], note["expr"]) for note in dashboard()["annotations"]["list"] if "expr" in note]
    return [
        Query(panel["title"], target["expr"], target["legendFormat"])
        for panel in panels()
        for target in panel["targets"]
    ] + notes


def rules(name: str) -> list[dict[str, Any]]:
    """Of a file."""
    groups = yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def asked_by_rules() -> list[Query]:
    """What the rules ask for."""
    every = rules("recording.yml") + rules("alerts.yml")
    return [Query(rule.get("alert") or rule["record"], rule["expr"]) for rule in every]


def recorded(known: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """What the recording rules make of metrics that are known: names, and the labels they can have."""
    made = {}
    for rule in rules("recording.yml"):
        query = Query(rule["record"], rule["expr"])
        labels = set().union(*(known.get(name, set()) for name, _ in query.metrics))
        made[rule["record"]] = labels - {"le"} - query.grouping | TARGET_LABELS
    return made


def families(text: str) -> Iterator[tuple[str, set[str]]]:
    """Name of each family that a scrape holds, and those that its samples have."""
    for family in text_string_to_metric_families(text):
        yield family.name, {sample.name for sample in family.samples}


def exported(text: str) -> dict[str, set[str]]:
    """What a scrape holds: names of samples, and the labels of each."""
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found
