"""The card behind a model: what is written, what is read again, what is refused, and its schema for others."""

import io
import json
import zipfile
from typing import Any

import msgspec
import numpy as np
import pytest

from edge.classifier import SHIPPED
from edge.contract.card import (
    CARD_NAME,
    GOLDEN_CHIPS_NAME,
    GOLDEN_OUTPUTS_NAME,
    LABELS_NAME,
    Golden,
    InputSpec,
    ModelCard,
    NoCard,
    Quantisation,
    read_card,
    with_card,
)
from edge.contract.chip import ChipSpec
from edge.contract.figures import Cost
from edge.contract.schema import SCHEMA_FILE, card_schema
from edge.errors import EXIT_CONFIG, PermanentError, exit_code

MODEL = b"\x1c\0\0\0TFL3" + bytes(992)
FIGURES: dict[str, Any] = {"accuracy": 0.5, "accuracy_interval": (0.4, 0.6), "macro_f1": 0.5, "ece": 0.1, "nll": 1.2}
CARD = ModelCard(
    name="small",
    labels=("angry", "häppy"),
    chip=ChipSpec(),
    input=InputSpec(),
    output="logits",
    temperature=1.5,
    quantisation=Quantisation("int8", 1.0, -128, 0.04, -23, 61, "all of them"),
    recipe={"name": "small", "seed": 3, "settings": {"network": {"stages": [[32, 3]]}}},
    data={"name": "folder", "sha256": "d" * 64, "terms": "Research only"},
    figures={"test": {"n": 30, "float": FIGURES, "int8": FIGURES, "agreement": 0.9}},
    intended_use="Naming expressions.",
    limits="An expression is not a feeling.",
)
GOLDEN = Golden(np.arange(3 * 48 * 48, dtype=np.uint8).reshape(3, 48, 48, 1), np.eye(3, 2, dtype=np.int8))


def rewritten(content: bytes, **changes: Any) -> bytes:
    """The same file whose card says something else, written by another hand."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
        start = min(info.header_offset for info in archive.infolist())
    card = {**json.loads(files[CARD_NAME]), **changes}
    tail = io.BytesIO(content[:start])
    with zipfile.ZipFile(tail, "a") as archive:
        for name, data in {**files, CARD_NAME: json.dumps(card).encode()}.items():
            archive.writestr(name, data)
    return tail.getvalue()


def test_what_was_written_is_read_again():
    card, golden = read_card(with_card(MODEL, CARD, GOLDEN), "small.tflite")
    assert card == msgspec.structs.replace(CARD, cost=Cost(1000))
    np.testing.assert_array_equal(golden.chips, GOLDEN.chips)
    np.testing.assert_array_equal(golden.outputs, GOLDEN.outputs)


def test_the_same_card_gives_the_same_bytes_behind_an_unchanged_model():
    content = with_card(MODEL, CARD, GOLDEN)
    assert content == with_card(MODEL, CARD, GOLDEN)
    assert content.startswith(MODEL)


def test_the_size_is_the_models_own_and_other_costs_stay():
    card = msgspec.structs.replace(CARD, cost=Cost(7, parameters=681, macs=36_590))
    assert read_card(with_card(MODEL, card, GOLDEN), "x")[0].cost == Cost(1000, 681, 36_590)


def test_the_labels_lie_beside_the_card_one_a_line():
    with zipfile.ZipFile(io.BytesIO(with_card(MODEL, CARD, GOLDEN))) as archive:
        assert archive.read(LABELS_NAME).decode() == "angry\nhäppy\n"


def test_a_file_of_version_1_is_read_and_written_as_it_was():
    old = msgspec.structs.replace(CARD, schema=1)
    content = with_card(MODEL, old, GOLDEN)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.namelist() == [CARD_NAME, GOLDEN_CHIPS_NAME, GOLDEN_OUTPUTS_NAME]
        assert "cost" not in json.loads(archive.read(CARD_NAME))
    assert read_card(content, "old.tflite")[0] == old


def test_a_card_of_a_version_to_come_names_those_that_can_be_read():
    content = rewritten(with_card(MODEL, CARD, GOLDEN), schema=3, something_new=True)
    with pytest.raises(PermanentError, match=r"card of x has the layout of version 3, this program reads 1 and 2") as e:
        read_card(content, "x")
    assert exit_code(e.value) == EXIT_CONFIG


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"schema": "two"}, r"card of x is broken: Expected `int`.*schema"),
        ({"colour": "blue"}, r"card of x is broken: .*unknown field `colour`"),
        ({"labels": "all"}, r"card of x is broken: Expected `array`.*labels"),
        ({"figures": {"test": {"int8": {"accuracy": 69.1}}}}, r"card of x is broken: Expected `float` <= 1.*accuracy"),
        ({"cost": {"size_b": 999}}, r"says that the model has 999 bytes, found 1000"),
        ({"cost": {"size_b": 1000, "parameters": 1001}}, r"says 1001 parameters, expected at most one for each"),
    ],
)
def test_a_card_that_is_wrong_or_of_another_model_is_refused(changes: dict[str, Any], words: str):
    with pytest.raises(PermanentError, match=words):
        read_card(rewritten(with_card(MODEL, CARD, GOLDEN), **changes), "x")


def test_bytes_lost_from_the_model_are_noticed():
    content = with_card(MODEL, CARD, GOLDEN)
    with pytest.raises(PermanentError, match="has 1000 bytes, found 990"):
        read_card(MODEL[:990] + rewritten(content)[1000:], "x")


def test_a_model_alone_has_no_card():
    with pytest.raises(NoCard, match="x carries no model card"):
        read_card(MODEL, "x")


def test_the_schema_in_the_repository_is_that_of_the_types():
    written = json.loads(SCHEMA_FILE.read_bytes())
    assert written == json.loads(card_schema()), "write it anew: python -m edge.contract.schema"


def test_every_field_of_the_card_is_described_in_the_schema():
    definition = json.loads(SCHEMA_FILE.read_bytes())["$defs"]["ModelCard"]
    assert set(definition["properties"]) == {field.encode_name for field in msgspec.structs.fields(ModelCard)}
    assert all(each["description"] for each in definition["properties"].values())
    assert "schema" in definition["required"]
    assert not {"cost"} & set(definition["required"])


def unknown(value: Any, schema: dict[str, Any], definitions: dict[str, Any], where: str = "card") -> list[str]:
    """Where a value breaks the schema's structure: an undescribed or missing key, a value not among those listed."""
    if "$ref" in schema:
        schema = {**schema, **definitions[schema["$ref"].rpartition("/")[2]]}
    if "enum" in schema and value not in schema["enum"]:
        return [f"{where} is {value!r}"]
    if not isinstance(value, dict) or "properties" not in schema:
        return []
    found = [f"{where}.{key} is missing" for key in schema["required"] if key not in value]
    for key, inner in value.items():
        if key in schema["properties"]:
            found += unknown(inner, schema["properties"][key], definitions, f"{where}.{key}")
        else:
            found.append(f"{where}.{key} is not described")
    return found


def test_the_shipped_card_is_as_the_schema_says():
    schema = json.loads(SCHEMA_FILE.read_bytes())
    definitions = schema["$defs"]
    with zipfile.ZipFile(SHIPPED) as archive:
        card = json.loads(archive.read(CARD_NAME))
    assert unknown(card, schema, definitions) == []
    card["quantisation"]["mode"] = "int4"
    del card["labels"]
    assert unknown({**card, "colour": "blue"}, schema, definitions) == [
        "card.labels is missing",
        "card.quantisation.mode is 'int4'",
        "card.colour is not described",
    ]


def test_a_validator_of_json_schema_takes_the_shipped_card_and_refuses_a_wrong_one():
    jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed")
    validator = jsonschema.Draft202012Validator(json.loads(SCHEMA_FILE.read_bytes()))
    with zipfile.ZipFile(SHIPPED) as archive:
        card = json.loads(archive.read(CARD_NAME))
    assert not list(validator.iter_errors(card))
    assert list(validator.iter_errors({**card, "temperature": "warm"}))
