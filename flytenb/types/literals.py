"""Literals and literal types in words and bytes; what is inside a stored file is left to whoever opens it."""

from __future__ import annotations

from typing import Any

import msgpack
from flyteidl.core import literals_pb2, types_pb2
from flytekit.core.constants import MESSAGEPACK
from flytekit.models.core.types import BlobType
from flytekit.models.literals import Literal
from flytekit.models.types import LiteralType, SimpleType

from flytenb.bridge.literal_data import read_literal
from flytenb.wording.quantities import bytes_text
from flytenb.wording.text import clip_line
from flytenb.wording.values import brief

_SHOWN = 60
_DEEPEST = 8
_PRIMITIVES = ("integer", "float_value", "string_value", "boolean", "datetime", "duration")


def describe_literal_type(literal_type: LiteralType, depth: int = 0) -> str:
    """Return a literal type as Flyte's own words for it: `collection of INTEGER`, `blob, single, csv`."""
    if depth > _DEEPEST:  # a type that holds itself is as deep as Python's stack
        return "…"

    def inside(inner: LiteralType) -> str:
        return describe_literal_type(inner, depth + 1)

    if literal_type.simple is not None:
        name = str(types_pb2.SimpleType.Name(literal_type.simple))
        structure = literal_type.structure if literal_type.simple == SimpleType.STRUCT else None
        fields = (structure.dataclass_type if structure is not None else None) or {}
        told = ", ".join(f"{k}: {inside(v)}" for k, v in fields.items())
        return f"{name} of {told}" if told else name
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
    return "schema" if literal_type.schema is not None else "nothing that Flyte has a word for"


def _blob(blob: BlobType) -> str:
    several = blob.dimensionality == BlobType.BlobDimensionality.MULTIPART
    return ", ".join(filter(None, ("blob", "multipart" if several else "single", blob.format)))


def describe_literal(literal: Literal) -> str:
    """Return a literal as what it is and what it holds, in one line."""
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
        return "stored elsewhere, since it is large" if literal.offloaded_metadata else "nothing"
    if scalar.union is not None:
        tag = scalar.union.stored_type.structure.tag if scalar.union.stored_type.structure else ""
        return f"union, as {tag!r}: {describe_literal(scalar.union.value)}"
    return _describe_scalar(literal)


def _describe_scalar(literal: Literal) -> str:
    scalar = literal.scalar
    if scalar.primitive is not None:
        kind = next((k for k in _PRIMITIVES if getattr(scalar.primitive, k) is not None), "empty")
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
    except Exception as error:  # somebody's transformer wrote something else under that tag
        return f"{bytes_text(len(binary.value))} that can't be unpacked: {clip_line(str(error), _SHOWN)}"


def to_bytes(literal: Literal) -> bytes:
    """Return a literal as the bytes that a cluster would store.

    Raises:
        ValueError, TypeError: if it holds what no literal can, e.g. a number beyond 64 bits.
    """
    return bytes(literal.to_flyte_idl().SerializeToString())


def from_bytes(data: bytes) -> Literal:
    """Return the literal that was stored as these bytes."""
    return Literal.from_flyte_idl(literals_pb2.Literal.FromString(data))


def same_type(one: LiteralType, other: LiteralType) -> bool:
    """Whether two literal types are the same on a cluster."""
    return bool(one.to_flyte_idl() == other.to_flyte_idl())


def fits(literal: Literal, literal_type: LiteralType) -> bool:
    """Whether a literal is of a type, as a cluster judges before it hands the literal to a task."""
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
        kind = next((k for k in _PRIMITIVES if getattr(scalar.primitive, k) is not None), "")
        return literal_type.simple == _PRIMITIVE_TYPES.get(kind) or (
            kind == "string_value" and literal_type.enum_type is not None
        )
    if scalar.binary is not None:
        # A struct is MessagePack, and so is whatever a workflow takes out of one as an attribute.
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


_PRIMITIVE_TYPES = {
    "integer": SimpleType.INTEGER,
    "float_value": SimpleType.FLOAT,
    "string_value": SimpleType.STRING,
    "boolean": SimpleType.BOOLEAN,
    "datetime": SimpleType.DATETIME,
    "duration": SimpleType.DURATION,
}
