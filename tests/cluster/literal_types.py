"""Propeller's types: which of them a literal has, and what may be cast to what."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flyteidl.core import literals_pb2 as lit
from flyteidl.core import types_pb2 as typ
from google.protobuf.json_format import MessageToDict

from tests.cluster.records import copied

_PRIMITIVES = {
    "integer": typ.INTEGER,
    "float_value": typ.FLOAT,
    "string_value": typ.STRING,
    "boolean": typ.BOOLEAN,
    "datetime": typ.DATETIME,
    "duration": typ.DURATION,
}
_COLUMNS = {
    typ.SchemaType.SchemaColumn.INTEGER: typ.INTEGER,
    typ.SchemaType.SchemaColumn.FLOAT: typ.FLOAT,
    typ.SchemaType.SchemaColumn.STRING: typ.STRING,
    typ.SchemaType.SchemaColumn.BOOLEAN: typ.BOOLEAN,
    typ.SchemaType.SchemaColumn.DATETIME: typ.DATETIME,
    typ.SchemaType.SchemaColumn.DURATION: typ.DURATION,
}
NONE = typ.LiteralType(simple=typ.NONE)


def type_of_literal(literal: lit.Literal) -> typ.LiteralType:
    match literal.WhichOneof("value"):
        case "scalar":
            return type_of_scalar(literal.scalar)
        case "collection":
            return typ.LiteralType(collection_type=_type_of_all(literal.collection.literals))
        case "map":
            return typ.LiteralType(map_value_type=_type_of_all(literal.map.literals.values()))
        case "offloaded_metadata":
            return literal.offloaded_metadata.inferred_type
    return typ.LiteralType()


def type_of_scalar(scalar: lit.Scalar) -> typ.LiteralType:
    match scalar.WhichOneof("value"):
        case "primitive":
            return typ.LiteralType(simple=_PRIMITIVES[scalar.primitive.WhichOneof("value")])
        case "blob":
            return typ.LiteralType(blob=scalar.blob.metadata.type)
        case "binary":
            is_struct = scalar.binary.tag == "msgpack"
            return typ.LiteralType(simple=typ.STRUCT if is_struct else typ.BINARY)
        case "schema":
            return typ.LiteralType(schema=scalar.schema.type)
        case "structured_dataset":
            return typ.LiteralType(structured_dataset_type=scalar.structured_dataset.metadata.structured_dataset_type)
        case "generic":
            return typ.LiteralType(simple=typ.STRUCT)
        case "error":
            return typ.LiteralType(simple=typ.ERROR)
        case "union":
            return typ.LiteralType(union_type=typ.UnionType(variants=[scalar.union.type]))
    return NONE


def _type_of_all(literals: Iterable[lit.Literal]) -> typ.LiteralType:
    empty: typ.LiteralType | None = None
    found: dict[str, typ.LiteralType] = {}
    for literal in literals:
        kind = type_of_literal(literal)
        if literal.HasField("collection") and not literal.collection.literals:
            empty = kind
        else:
            found[str(kind)] = kind
    if not found:
        return empty or NONE
    if len(found) == 1:
        return next(iter(found.values()))
    variants = [found[text] for text in sorted(found)]
    if any(kind.HasField("collection_type") for kind in variants):
        inner = [kind.collection_type if kind.HasField("collection_type") else kind for kind in variants]
        return typ.LiteralType(collection_type=typ.LiteralType(union_type=typ.UnionType(variants=inner)))
    return typ.LiteralType(union_type=typ.UnionType(variants=variants))


def are_castable(source: typ.LiteralType, target: typ.LiteralType) -> bool:
    """Tell whether a value of one type may be passed where the other is expected."""
    variants = source.union_type.variants
    if len(variants) == 1 and _casts(variants[0], target):
        return True
    return _casts(source, target)


def _casts(source: typ.LiteralType, target: typ.LiteralType) -> bool:
    match target.WhichOneof("type"):
        case "collection_type" | "map_value_type" as kind:
            inner = getattr(source, kind)
            return source.HasField(kind) and (_is_none(inner) or _casts(inner, getattr(target, kind)))
        case "blob":
            formats = {source.blob.format, target.blob.format} - {""}
            return source.HasField("blob") and len(formats) < 2
        case "schema" | "structured_dataset_type":
            return _casts_table(source, target)
        case "union_type":
            given = source.union_type.variants
            if source.HasField("union_type"):
                return all(any(are_castable(u, d) for d in target.union_type.variants) for u in given)
            return sum(are_castable(source, each) for each in target.union_type.variants) == 1
    return _is_none(source) if _is_none(target) else _casts_simple(source, target)


def _is_none(kind: typ.LiteralType) -> bool:
    return kind.WhichOneof("type") == "simple" and kind.simple == typ.NONE


def _casts_simple(source: typ.LiteralType, target: typ.LiteralType) -> bool:
    if source.HasField("enum_type") and target.simple == typ.STRING:
        return True
    if target.HasField("enum_type") and source.simple == typ.STRING:
        return True
    if source.structure.tag and source.structure.tag != target.structure.tag:
        return False
    if source.simple == typ.STRUCT and target.simple == typ.STRUCT:
        if not source.HasField("metadata") or not target.HasField("metadata"):
            return True
        return _extends(MessageToDict(source.metadata), MessageToDict(target.metadata))
    return bool(_bare(source) == _bare(target))


def _bare(kind: typ.LiteralType) -> typ.LiteralType:
    made: typ.LiteralType = copied(kind)
    for name in ("structure", "metadata", "annotation"):
        made.ClearField(name)
    return made


def _extends(source: Any, target: Any) -> bool:
    """Tell whether a JSON schema has all that the other one asks for."""
    if not isinstance(source, dict) or not isinstance(target, dict):
        return bool(source == target)
    properties = source.get("properties", {})
    if not all(_extends(properties.get(name), asked) for name, asked in target.get("properties", {}).items()):
        return False
    ignored = {"properties", "required", "additionalProperties", "title", "default"}
    return {k: v for k, v in source.items() if k not in ignored} == {
        k: v for k, v in target.items() if k not in ignored
    }


def _casts_table(source: typ.LiteralType, target: typ.LiteralType) -> bool:
    kinds = ("schema", "structured_dataset_type")
    if source.WhichOneof("type") not in kinds:
        return _is_none(source) and target.HasField("structured_dataset_type")
    formats = {_format(source).lower(), _format(target).lower()} - {""}
    have, asked = _columns(source), _columns(target)
    is_fitting = all(name in have and are_castable(have[name], kind) for name, kind in asked.items())
    return len(formats) < 2 and (not have or not asked or is_fitting)


def _format(kind: typ.LiteralType) -> str:
    return "" if kind.HasField("schema") else kind.structured_dataset_type.format


def _columns(kind: typ.LiteralType) -> dict[str, typ.LiteralType]:
    if kind.HasField("schema"):
        return {c.name: typ.LiteralType(simple=_COLUMNS[c.type]) for c in kind.schema.columns}
    return {c.name: c.literal_type for c in kind.structured_dataset_type.columns}
