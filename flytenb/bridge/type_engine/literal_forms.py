"""Literals and literal types in the terms of Flyte, as bytes, and whether they fit. Stored files aren't opened."""

from __future__ import annotations

from typing import Any

import msgpack
from flyteidl.core import literals_pb2, types_pb2
from flytekit.core.constants import MESSAGEPACK
from flytekit.models.core.types import BlobType
from flytekit.models.literals import Binary, Literal, Scalar
from flytekit.models.types import LiteralType, SimpleType

from flytenb.bridge.type_engine.literal_data import read_literal
from flytenb.wording.quantities import bytes_text
from flytenb.wording.text import clip_line
from flytenb.wording.values import brief

_SHOWN = 60
_DEEPEST = 8
SIMPLE_TYPES = {
    "integer": SimpleType.INTEGER,
    "float_value": SimpleType.FLOAT,
    "string_value": SimpleType.STRING,
    "boolean": SimpleType.BOOLEAN,
    "datetime": SimpleType.DATETIME,
    "duration": SimpleType.DURATION,
}
"""The simple type of each field of a primitive."""


def describe_literal_type(literal_type: LiteralType, depth: int = 0) -> str:
    """Return a literal type in the terms of Flyte: `collection of INTEGER`, `blob, single, csv`."""
    if depth > _DEEPEST:  # a recursive type is as deep as Python's stack
        return "…"

    def inside(inner: LiteralType) -> str:
        return describe_literal_type(inner, depth + 1)

    if literal_type.simple is not None:
        name = str(types_pb2.SimpleType.Name(literal_type.simple))
        structure = literal_type.structure if literal_type.simple == SimpleType.STRUCT else None
        fields = (structure.dataclass_type if structure is not None else None) or {}
        members = ", ".join(f"{k}: {inside(v)}" for k, v in fields.items())
        return f"{name} of {members}" if members else name
    if literal_type.collection_type is not None:
        return f"collection of {inside(literal_type.collection_type)}"
    if literal_type.map_value_type is not None:
        return f"map of {inside(literal_type.map_value_type)}"
    if literal_type.union_type is not None:
        return f"union of {', '.join(map(inside, literal_type.union_type.variants))}"
    if literal_type.enum_type is not None:
        return f"enum of {', '.join(map(repr, literal_type.enum_type.values))}"
    if literal_type.blob is not None:
        return _blob(literal_type.blob)
    if literal_type.structured_dataset_type is not None:
        dataset = literal_type.structured_dataset_type
        columns = ", ".join(f"{c.name}: {inside(c.literal_type)}" for c in dataset.columns)
        return ", ".join(filter(None, ("structured dataset", dataset.format, columns)))
    return "schema" if literal_type.schema is not None else "unknown"


def _blob(blob: BlobType) -> str:
    several = blob.dimensionality == BlobType.BlobDimensionality.MULTIPART
    return ", ".join(filter(None, ("blob", "multipart" if several else "single", blob.format)))


def describe_literal(literal: Literal) -> str:
    """Return the kind and the content of a literal in one line."""
    if literal.collection is not None:
        items = literal.collection.literals
        inside = f", the first: {describe_literal(items[0])}" if items else ""
        return f"collection of {len(items)}{inside}"
    if literal.map is not None:
        named = literal.map.literals
        first = next(iter(named.items()), None)
        inside = f", {first[0]!r}: {describe_literal(first[1])}" if first else ""
        return f"map of {len(named)}{inside}"
    scalar = literal.scalar
    if scalar is None:
        return "offloaded, because of its size" if literal.offloaded_metadata else "nothing"
    if scalar.union is not None:
        tag = scalar.union.stored_type.structure.tag if scalar.union.stored_type.structure else ""
        return f"union, as {tag!r}: {describe_literal(scalar.union.value)}"
    return _describe_scalar(literal)


def _describe_scalar(literal: Literal) -> str:
    scalar = literal.scalar
    if scalar.primitive is not None:
        kind = next((k for k in SIMPLE_TYPES if getattr(scalar.primitive, k) is not None), "empty")
        return f"primitive, {kind}: {brief(scalar.primitive.value, _SHOWN)}"
    if scalar.binary is not None:
        return f"binary, {scalar.binary.tag or 'untagged'}: {_unpacked(scalar.binary)}"
    if scalar.blob is not None:
        return f"{_blob(scalar.blob.metadata.type)}: a file beside it"
    if scalar.structured_dataset is not None:
        return "structured dataset: files beside it"
    if scalar.schema is not None:
        return "schema: files beside it"
    if scalar.generic is not None:
        return f"generic (JSON): {brief(read_literal(literal), _SHOWN)}"
    if scalar.none_type is not None:
        return "none"
    return f"error: {brief(scalar.error.message, _SHOWN)}" if scalar.error is not None else "nothing"


def _unpacked(binary: Any) -> str:
    if binary.tag != MESSAGEPACK:
        return bytes_text(len(binary.value))
    try:
        return brief(msgpack.loads(binary.value, strict_map_key=False), _SHOWN)
    except Exception as error:  # another transformer may write other bytes with this tag
        return f"{bytes_text(len(binary.value))} that can't be unpacked: {clip_line(str(error), _SHOWN)}"


def is_struct(literal_type: LiteralType) -> bool:
    """Whether Flyte sends values of the type as plain data in MessagePack."""
    return bool(literal_type.simple == SimpleType.STRUCT)


def packed(data: Any) -> Literal:
    """Return plain data as a literal in MessagePack."""
    return Literal(scalar=Scalar(binary=Binary(value=msgpack.dumps(data), tag=MESSAGEPACK)))


def unpacked(literal: Literal) -> Any:
    """Return the plain data of a literal in MessagePack."""
    return msgpack.loads(literal.scalar.binary.value, strict_map_key=False)


def to_bytes(literal: Literal) -> bytes:
    """Return a literal as the bytes that a cluster stores.

    Raises:
        ValueError, TypeError: if protobuf can't hold a value of it, e.g. a number beyond 64 bits.
    """
    return bytes(literal.to_flyte_idl().SerializeToString())


def from_bytes(data: bytes) -> Literal:
    """Return the literal of the bytes."""
    return Literal.from_flyte_idl(literals_pb2.Literal.FromString(data))


def same_type(one: LiteralType, other: LiteralType) -> bool:
    """Whether two literal types are equal on a cluster."""
    return bool(one.to_flyte_idl() == other.to_flyte_idl())


def fits(literal: Literal, literal_type: LiteralType) -> bool:
    """Whether a literal is of a type, by the rule of a cluster before it passes the literal to a task."""
    if literal_type.union_type is not None:
        union = literal.scalar.union if literal.scalar is not None else None
        return union is not None and any(fits(union.value, variant) for variant in literal_type.union_type.variants)
    if literal.collection is not None:
        inner = literal_type.collection_type
        return inner is not None and all(fits(item, inner) for item in literal.collection.literals)
    if literal.map is not None:
        inner = literal_type.map_value_type
        return inner is not None and all(fits(item, inner) for item in literal.map.literals.values())
    return literal.scalar is not None and _scalar_fits(literal.scalar, literal_type)


def _scalar_fits(scalar: Any, literal_type: LiteralType) -> bool:
    if scalar.primitive is not None:
        kind = next((k for k in SIMPLE_TYPES if getattr(scalar.primitive, k) is not None), "")
        return literal_type.simple == SIMPLE_TYPES.get(kind) or (
            kind == "string_value" and literal_type.enum_type is not None
        )
    if scalar.binary is not None:
        # Structs are MessagePack, and so are attributes that a workflow reads from one.
        return literal_type.simple in (SimpleType.STRUCT, SimpleType.BINARY)
    if scalar.generic is not None:
        return bool(literal_type.simple == SimpleType.STRUCT)
    if scalar.none_type is not None:
        return bool(literal_type.simple == SimpleType.NONE)
    if scalar.error is not None:
        return bool(literal_type.simple == SimpleType.ERROR)
    if scalar.blob is not None:
        declared = literal_type.blob
        return declared is not None and declared.dimensionality == scalar.blob.metadata.type.dimensionality
    if scalar.structured_dataset is not None:
        return literal_type.structured_dataset_type is not None
    return scalar.schema is not None and literal_type.schema is not None


def type_to_bytes(literal_type: LiteralType) -> bytes:
    """Return a literal type as the bytes that a cluster stores."""
    return bytes(literal_type.to_flyte_idl().SerializeToString())


def type_from_bytes(data: bytes) -> LiteralType:
    """Return the literal type of the bytes."""
    return LiteralType.from_flyte_idl(types_pb2.LiteralType.FromString(data))
