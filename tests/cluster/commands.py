"""Templates in the words of a container's command, as flyteplugins renders them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgpack
from flyteidl.core import literals_pb2 as lit

_TEMPLATE = re.compile(r"\{\{\s*[.$](\w+)(?:\.([^}\s]+))?\s*\}\}")


def rendered(words: Sequence[str], parameters: Mapping[str, str], inputs: lit.LiteralMap) -> list[str]:
    """Return the words with values instead of templates; a template that means nothing stays."""
    by_name = {name.lower(): value for name, value in parameters.items()}

    def replace(matched: re.Match[str]) -> str:
        name, variable = matched[1].lower(), matched[2]
        if name == "inputs" and variable in inputs.literals:
            return text_of(inputs.literals[variable])
        return matched[0] if variable else by_name.get(name, matched[0])

    return [_TEMPLATE.sub(replace, word) for word in words]


def text_of(literal: lit.Literal) -> str:
    """Return what a literal is in a command."""
    match literal.WhichOneof("value"):
        case "collection":
            return "[" + ",".join(text_of(each) for each in literal.collection.literals) + "]"
        case "map":
            items = sorted(literal.map.literals.items())
            return "{" + ",".join(f"{name}:{text_of(each)}" for name, each in items) + "}"
    return _text_of_scalar(literal.scalar)


def _text_of_scalar(scalar: lit.Scalar) -> str:
    match scalar.WhichOneof("value"):
        case "primitive":
            return _text_of_primitive(scalar.primitive)
        case "blob":
            return str(scalar.blob.uri)
        case "schema":
            return str(scalar.schema.uri)
        case "structured_dataset":
            return str(scalar.structured_dataset.uri)
        case "binary":
            return _go_value(msgpack.unpackb(scalar.binary.value)) if scalar.binary.tag == "msgpack" else ""
        case "union":
            return text_of(scalar.union.value)
    return ""


def _text_of_primitive(primitive: lit.Primitive) -> str:
    match primitive.WhichOneof("value"):
        case "boolean":
            return "true" if primitive.boolean else "false"
        case "float_value":
            return repr(primitive.float_value)
        case "datetime":
            return str(primitive.datetime.ToJsonString())
        case "duration":
            return f"{primitive.duration.ToTimedelta().total_seconds():g}s"
        case None:
            return ""
        case name:
            return str(getattr(primitive, name))


def _go_value(value: Any) -> str:
    """Return a value as Go prints it."""
    match value:
        case dict():
            return "map[" + " ".join(f"{k}:{_go_value(v)}" for k, v in sorted(value.items())) + "]"
        case list():
            return "[" + " ".join(map(_go_value, value)) + "]"
        case bool():
            return "true" if value else "false"
        case None:
            return "<nil>"
    return str(value)
