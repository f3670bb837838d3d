"""Literal types that a cluster accepts where another is expected.

The rules are those of `AreTypesCastable` in flyteorg/flyte, `flytepropeller/pkg/compiler/validators/typing.go`, read at
release 1.16. They work on the messages of flyteidl, in which an unset field differs from an empty one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flyteidl.core.types_pb2 import LiteralType, SchemaType, SimpleType
from google.protobuf.json_format import MessageToDict

from flytenb.bridge.workflow.json_schema import accepts_schema

_COLUMNS = SchemaType.SchemaColumn.SchemaColumnType
_SIMPLE_OF_COLUMN = {
    _COLUMNS.INTEGER: SimpleType.INTEGER,
    _COLUMNS.FLOAT: SimpleType.FLOAT,
    _COLUMNS.STRING: SimpleType.STRING,
    _COLUMNS.BOOLEAN: SimpleType.BOOLEAN,
    _COLUMNS.DATETIME: SimpleType.DATETIME,
    _COLUMNS.DURATION: SimpleType.DURATION,
}


def are_castable(given: LiteralType, expected: LiteralType) -> bool:
    """Tell whether a cluster accepts a value of type `given` where one of type `expected` is needed."""
    variants = given.union_type.variants
    return (len(variants) == 1 and _casts(variants[0], expected)) or _casts(given, expected)


def _is(literal_type: LiteralType, kind: str) -> bool:
    return bool(literal_type.WhichOneof("type") == kind)


def _is_simple(literal_type: LiteralType, simple: int) -> bool:
    return _is(literal_type, "simple") and literal_type.simple == simple


def _casts(given: LiteralType, expected: LiteralType) -> bool:
    if _is_simple(expected, SimpleType.NONE):
        return _is_simple(given, SimpleType.NONE)
    return _CHECKS.get(expected.WhichOneof("type"), _is_same)(given, expected)


def _is_same(given: LiteralType, expected: LiteralType) -> bool:
    """Simple types and enums: equal apart from descriptions; an enum and a string fit each other."""
    if _is(given, "enum_type") and _is_simple(expected, SimpleType.STRING):
        return True
    if _is(expected, "enum_type") and _is_simple(given, SimpleType.STRING):
        return True
    if given.structure.tag and given.structure.tag != expected.structure.tag:
        return False
    if _is_simple(given, SimpleType.STRUCT) and _is_simple(expected, SimpleType.STRUCT):
        if not (given.HasField("metadata") and expected.HasField("metadata")):
            return True
        return accepts_schema(MessageToDict(given.metadata), MessageToDict(expected.metadata))
    return bool(_bare(given) == _bare(expected))


def _bare(literal_type: LiteralType) -> LiteralType:
    bare = LiteralType()
    bare.CopyFrom(literal_type)
    for described in ("structure", "metadata", "annotation"):
        bare.ClearField(described)
    return bare


def _casts_map(given: LiteralType, expected: LiteralType) -> bool:
    """A map without a value type, an empty one, fits every map."""
    inner = given.map_value_type
    if not _is(given, "map_value_type"):
        return False
    return _is_simple(inner, SimpleType.NONE) or _casts(inner, expected.map_value_type)


def _casts_collection(given: LiteralType, expected: LiteralType) -> bool:
    """A collection without an item type, an empty one, fits every collection."""
    inner = given.collection_type
    if not _is(given, "collection_type"):
        return False
    return _is_simple(inner, SimpleType.NONE) or _casts(inner, expected.collection_type)


def _casts_blob(given: LiteralType, expected: LiteralType) -> bool:
    """Files and directories count as the same; formats must be equal, no format fits every format."""
    if not _is(given, "blob"):
        return False
    formats = given.blob.format, expected.blob.format
    return not all(formats) or formats[0] == formats[1]


def _casts_union(given: LiteralType, expected: LiteralType) -> bool:
    """Each variant of a union must fit one of the expected variants; any other type must fit exactly one."""
    variants = expected.union_type.variants
    if _is(given, "union_type"):
        return all(any(are_castable(one, v) for v in variants) for one in given.union_type.variants)
    return sum(are_castable(given, v) for v in variants) == 1


def _is_parquet(format_: str) -> bool:
    return not format_ or format_.lower() == "parquet"


def _casts_schema(given: LiteralType, expected: LiteralType) -> bool:
    columns = {c.name: c.type for c in expected.schema.columns}
    if _is(given, "schema"):
        return _has_columns({c.name: c.type for c in given.schema.columns}, columns, int.__eq__)
    if not _is(given, "structured_dataset_type") or not _is_parquet(given.structured_dataset_type.format):
        return False
    found = {c.name: c.literal_type.simple for c in given.structured_dataset_type.columns}
    return _has_columns(found, columns, lambda simple, column: _SIMPLE_OF_COLUMN.get(column) == simple)


def _casts_dataset(given: LiteralType, expected: LiteralType) -> bool:
    if _is_simple(given, SimpleType.NONE):
        return True
    wanted = expected.structured_dataset_type
    columns = {c.name: c.literal_type for c in wanted.columns}
    if _is(given, "schema"):
        found = {c.name: c.type for c in given.schema.columns}
        return _is_parquet(wanted.format) and _has_columns(
            found, columns, lambda column, literal_type: _SIMPLE_OF_COLUMN.get(column) == literal_type.simple
        )
    if not _is(given, "structured_dataset_type"):
        return False
    dataset = given.structured_dataset_type
    if dataset.format and wanted.format and dataset.format.lower() != wanted.format.lower():
        return False
    return _has_columns({c.name: c.literal_type for c in dataset.columns}, columns, _casts)


def _has_columns(given: dict[str, Any], expected: dict[str, Any], fits: Callable[[Any, Any], bool]) -> bool:
    """Whether the expected columns are among the given ones; a side without columns fits every other."""
    if not given or not expected:
        return True
    return all(name in given and fits(given[name], wanted) for name, wanted in expected.items())


_CHECKS: dict[str | None, Callable[[LiteralType, LiteralType], bool]] = {
    "collection_type": _casts_collection,
    "map_value_type": _casts_map,
    "blob": _casts_blob,
    "schema": _casts_schema,
    "union_type": _casts_union,
    "structured_dataset_type": _casts_dataset,
}
