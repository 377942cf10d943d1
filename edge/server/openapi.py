"""Turns a table of operations into an OpenAPI 3.1 document; the schemas are those of the very types that are sent."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from edge.schema import REF, Schema, described, untitled


@dataclass(frozen=True, slots=True)
class Parameter:
    """One value a client may give.

    Attributes:
        name: of it.
        type: with its range, as `msgspec` takes it.
        text: what it is for.
        where: it is given.
        required: whether there is nothing without it.
    """

    name: str
    type: Any
    text: str
    where: Literal["query", "path", "header"] = "query"
    required: bool = False


@dataclass(frozen=True, slots=True)
class Content:
    """One kind of body.

    Attributes:
        media: its media type.
        type: what the JSON in it is; None: it is no JSON, or anything.
        schema: instead of `type`, where there is no type for it.
        example: in place of many words.
    """

    media: str
    type: Any = None
    schema: Schema | None = None
    example: Any = None


@dataclass(frozen=True, slots=True)
class Answer:
    """One status a client has to expect.

    Attributes:
        text: what it means.
        contents: the kinds of body it may have.
        headers: name → what it says.
    """

    text: str
    contents: tuple[Content, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path.

    Attributes:
        method: in lower case.
        path: as the router has it.
        name: of the operation, in camelCase, for programs that are generated from the document.
        tag: what it belongs to.
        summary: in one line.
        answers: by status.
        parameters: what may be given.
        body: the kinds of body it takes.
        text: more, where a line is not enough.
        open: whether it can be had without the token.
    """

    method: str
    path: str
    name: str
    tag: str
    summary: str
    answers: Mapping[int, Answer]
    parameters: tuple[Parameter, ...] = ()
    body: tuple[Content, ...] = ()
    text: str = ""
    open: bool = False


def document(
    operations: Sequence[Operation],
    info: Schema,
    tags: Mapping[str, str],
    security: Mapping[str, Schema],
    *,
    records: Iterable[Any] = (),
    more: Mapping[str, Schema] | None = None,
) -> Schema:
    """The document.

    Args:
        operations: all of them.
        info: title, version and description.
        tags: name → what belongs to it.
        security: ways to show the token, by name; needed but for open operations, if a token is set at all.
        records: types that are described besides those of the operations.
        more: schemas that are described besides, by name.
    """
    types = list(dict.fromkeys((*_types(operations), *records)))
    found, components = msgspec.json.schema_components(types, ref_template=REF)
    schemas = {kind: untitled(schema) for kind, schema in zip(types, found, strict=True)}
    paths: dict[str, Schema] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method] = _operation(operation, schemas, tuple(security))
    return {
        "openapi": "3.1.0",
        "info": info,
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": text} for name, text in tags.items()],
        "paths": paths,
        "components": {
            "schemas": {**{name: described(schema) for name, schema in sorted(components.items())}, **(more or {})},
            "securitySchemes": dict(security),
        },
    }


def _types(operations: Iterable[Operation]) -> Iterable[Any]:
    for operation in operations:
        yield from (parameter.type for parameter in operation.parameters)
        contents = [*operation.body, *(each for answer in operation.answers.values() for each in answer.contents)]
        yield from (content.type for content in contents if content.type is not None)


def _operation(operation: Operation, schemas: Mapping[Any, Schema], security: Sequence[str]) -> Schema:
    found: Schema = {"operationId": operation.name, "tags": [operation.tag], "summary": operation.summary}
    if operation.text:
        found["description"] = operation.text
    if operation.parameters:
        found["parameters"] = [
            {
                "name": each.name,
                "in": each.where,
                "required": each.required or each.where == "path",
                "description": each.text,
                "schema": schemas[each.type],
            }
            for each in operation.parameters
        ]
    if operation.body:
        found["requestBody"] = {"required": True, "content": _contents(operation.body, schemas)}
    found["responses"] = {str(status): _answer(answer, schemas) for status, answer in sorted(operation.answers.items())}
    # an empty one: without a token in the settings, none is asked for
    found["security"] = [] if operation.open else [{}, *({name: []} for name in security)]
    return found


def _answer(answer: Answer, schemas: Mapping[Any, Schema]) -> Schema:
    found: Schema = {"description": answer.text}
    if answer.headers:
        found["headers"] = {
            name: {"description": text, "schema": {"type": "string"}} for name, text in answer.headers.items()
        }
    if answer.contents:
        found["content"] = _contents(answer.contents, schemas)
    return found


def _contents(contents: Iterable[Content], schemas: Mapping[Any, Schema]) -> Schema:
    found: Schema = {}
    for content in contents:
        schema = content.schema if content.type is None else schemas[content.type]
        found[content.media] = {} if schema is None else {"schema": schema}
        if content.example is not None:
            found[content.media]["example"] = content.example
    return found
