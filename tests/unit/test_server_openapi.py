"""The description of the API agrees with what there is."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import msgspec
import pytest
from aiohttp import web

from edge.config import Config
from edge.live import LIVE, LiveSettings
from edge.schema import described
from edge.server.app import make_app
from edge.server.config_api import ConfigApi
from edge.server.openapi import Answer, Operation, document
from edge.server.operations_api import make_document
from edge.server.settings import ServerSettings
from tests.stage import Stage

DOCUMENT: dict[str, Any] = json.loads(msgspec.json.encode(make_document()))


def routes() -> set[tuple[str, str]]:
    async def made() -> web.Application:
        return make_app(Stage().backstage(), ServerSettings(port=0))

    app = asyncio.run(made())
    return {(route.method.lower(), route.resource.canonical) for route in app.router.routes() if route.resource}


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def test_every_route_is_described_and_nothing_else_is():
    # HEAD comes with every GET, and is not listed
    assert {(method, path) for method, path, _ in operations()} == {one for one in routes() if one[0] != "head"}


def test_head_works_wherever_get_does():
    found = routes()
    assert {path for method, path in found if method == "head"} == {path for method, path in found if method == "get"}


def test_names_are_unique_and_everything_says_what_it_is():
    names = [operation["operationId"] for _, _, operation in operations()]
    assert len(set(names)) == len(names)
    tags = {tag["name"] for tag in DOCUMENT["tags"]}
    for _, path, operation in operations():
        assert operation["summary"]
        assert set(operation["tags"]) <= tags
        assert all(answer["description"] for answer in operation["responses"].values())
        assert all(each["description"] for each in operation.get("parameters", ()))
        named = {each["name"] for each in operation.get("parameters", ()) if each["in"] == "path"}
        assert named == {part[1:-1] for part in path.split("/") if part.startswith("{")}


def test_every_reference_leads_somewhere_and_every_schema_is_one():
    text = json.dumps(DOCUMENT)
    schemas = DOCUMENT["components"]["schemas"]
    found = {part.split('"')[0] for part in text.split('"#/components/schemas/')[1:]}
    assert found <= set(schemas)
    for schema in schemas.values():
        jsonschema.Draft202012Validator.check_schema(schema)


PLAIN = {"schema", "kind", "hello", "p50", "p95"}


def test_every_attribute_of_every_record_is_explained():
    for name, schema in DOCUMENT["components"]["schemas"].items():
        for key, each in schema.get("properties", {}).items():
            assert "description" in each or name.startswith("Settings") or key in PLAIN, f"{name}.{key}"


def test_errors_are_json_below_api_and_text_elsewhere():
    for _, path, operation in operations():
        for status, answer in operation["responses"].items():
            if int(status) >= 400:
                kinds = set(answer["content"])
                assert kinds == {"application/json"} if path.startswith("/api/") else "text/plain" in kinds


def test_what_is_open_without_a_token_is_what_the_gate_lets_through():
    free = {path for _, path, operation in operations() if operation["security"] == []}
    assert free == {"/livez", "/readyz", "/favicon.svg", "/favicon.ico", "/login", "/logout"}


def resolved(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]}


def test_the_settings_that_are_shown_fit_their_description():
    body, _ = ConfigApi(LiveSettings(Config()))._shown(Config())
    jsonschema.validate(json.loads(body), resolved("Settings"), cls=jsonschema.Draft202012Validator)


@pytest.mark.parametrize(("patch", "right"), [
    ({}, True),
    ({"expression": {"threshold": 0.5}}, True),
    ({"privacy": {"video": "none"}}, True),
    ({"expression": {"threshold": 5}}, False),
    ({"expression": {"model": "other.tflite"}}, False),
    ({"server": {"token": "12345678"}}, False),
    ({"uploads": {}}, False),
    ([], False),
])  # fmt: skip
def test_what_the_description_takes_as_a_change_is_what_the_program_takes(patch: Any, right: bool):
    validator = jsonschema.Draft202012Validator(resolved("SettingsPatch"))
    assert validator.is_valid(patch) is right


def test_the_description_has_all_live_settings_and_no_others():
    found = DOCUMENT["components"]["schemas"]["SettingsPatch"]["properties"]
    assert {section: tuple(each["properties"]) for section, each in found.items()} == LIVE


def test_no_credentials_are_described_as_shown():
    shown = DOCUMENT["components"]["schemas"]["Settings"]["properties"]["config"]["properties"]["server"]["properties"]
    assert not {"token", "certificate", "key"} & set(shown)


def test_a_docstring_is_taken_apart():
    class Thing(msgspec.Struct):
        """A thing.

        More of it.

        Attributes:
            one: the first,
                over two lines: and a colon.
            two: the second.
        """

        one: int
        two: str = ""

    (_,), found = msgspec.json.schema_components((Thing,), ref_template="#/{name}")
    schema = described(found["Thing"])
    assert schema["description"] == "A thing.\n\nMore of it."
    assert schema["properties"]["one"] == {"type": "integer", "description": "the first, over two lines: and a colon."}
    assert schema["properties"]["two"]["description"] == "the second."
    assert schema["required"] == ["one", "two"]


def test_an_open_operation_asks_for_no_token_and_another_for_one_of_several():
    both = [
        Operation("get", f"/{name}", name, "x", "does it", {200: Answer("done")}, open=name == "open")
        for name in ("open", "closed")
    ]
    paths = document(both, {}, {}, {"bearer": {}, "basic": {}})["paths"]
    assert paths["/open"]["get"]["security"] == []
    assert paths["/closed"]["get"]["security"] == [{}, {"bearer": []}, {"basic": []}]
