"""What docs say of the endpoints, the errors and the metrics is what there is."""

import asyncio
import re
from pathlib import Path

from aiohttp import web
from msgspec.structs import replace
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from edge.classifier import SHIPPED
from edge.metrics import ModelCollector, StatusCollector, build_registry
from edge.model_store import fingerprints
from edge.server.app import make_app
from edge.server.clients import Clients
from edge.server.clients_collector import ClientsCollector
from edge.server.errors import CODES
from edge.server.settings import ServerSettings
from edge.server.uploads import STATUSES
from edge.status import BudgetStatus, MqttStatus
from edge.telemetry import Telemetry
from edge.vitals_collector import VitalsCollector
from tests.stage import Stage

TEXT = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    found = TEXT.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    assert found, f"docs/api.md has no section {title!r}"
    return found


def rows(title: str) -> list[list[str]]:
    """The cells of all tables of a section, without heads."""
    lines = re.findall(r"^\|(.*)\|$", section(title), re.M)
    cells = [[cell.strip() for cell in line.split("|")] for line in lines]
    heads = {index for index, row in enumerate(cells) if set(row[0]) <= set("-: ")}
    return [row for index, row in enumerate(cells) if index not in heads and index + 1 not in heads]


def quoted(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def test_the_table_of_endpoints_is_that_of_the_routes() -> None:
    async def made() -> web.Application:
        return make_app(Stage().backstage(), ServerSettings(port=0))

    routes = asyncio.run(made()).router.routes()
    served = sorted((one.method, one.resource.canonical) for one in routes if one.resource and one.method != "HEAD")
    told = sorted(
        (method, path)
        for methods, paths, _ in rows("Endpoints")
        for method in methods.split(", ")
        for path in quoted(paths)
    )
    assert told == served


def test_the_tables_of_errors_have_each_code_with_its_status() -> None:
    general = {code: int(status) for status, codes, _ in rows("Conventions") for code in quoted(codes)}
    of_files = {code: int(status) for status, codes, _ in rows("Pictures and videos") for code in quoted(codes)}
    assert of_files == STATUSES
    assert {code: status for code, status in general.items() if CODES.get(status) != code} == {"no_json": 400}
    elsewhere = {"conflict", "changed_meanwhile", "range_not_satisfiable", "invalid", "upgrade_required"}
    assert set(general) - {"no_json"} == set(CODES.values()) - elsewhere


def test_the_table_of_metrics_is_what_is_exported() -> None:
    stage = Stage()
    telemetry = Telemetry(lambda: 5_000_000_000, live=True)
    for _ in range(3):
        telemetry.analysed(stage.step())
    telemetry.presented(1_000_000, 2_000_000)
    telemetry.skipped("busy", 3)
    mqtt = MqttStatus("broker:1883", True, "", 3, 2, 1)
    budget = BudgetStatus(1, 2.0, 1.0, 0.0, 9.0, 0.5, 50.0, (), {"latency": 1}, (), 250.0, 0.5, 80.0)
    collectors = [
        StatusCollector(lambda: replace(stage.status(), budget=budget, mqtt=mqtt), telemetry),
        ModelCollector(fingerprints([SHIPPED])),
        ClientsCollector(Clients()),
        VitalsCollector(lambda: (True, ""), lambda: {"infer": 0.1}, lambda: 0.1, lambda: 2**30),
    ]
    text = generate_latest(build_registry(collectors)).decode()
    exported = {}
    for family in text_string_to_metric_families(text):
        if family.name.startswith("emotion_edge_"):
            name = f"{family.name}_total" if family.type == "counter" else family.name
            labels = {label for sample in family.samples for label in sample.labels} - {"le"}
            exported[name] = labels if not name.endswith("_info") else set()
    told = {}
    for names, _ in rows("Metrics"):
        for name, labels in re.findall(r"`(emotion_edge_\w+)(?:\{(\w+)\})?`", names):
            told[name] = {labels} - {""}
    assert told == exported
