"""Literals and literal types as plain Python data and text, without opening the files that they refer to."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from enum import Enum
from typing import Any, get_args, get_origin

import msgpack
from flytekit.core.constants import MESSAGEPACK
from flytekit.models import literals as literal_models
from flytekit.models.core.types import BlobType
from flytekit.models.types import SimpleType
from flytekit.types.pickle.pickle import FlytePickleTransformer
from google.protobuf.json_format import MessageToDict

from flytenb.wording.quantities import bytes_text
from flytenb.wording.text import name_of
from flytenb.wording.types import union_text
from flytenb.wording.values import LONG, Unquoted, brief

_SIMPLE = {
    SimpleType.NONE: "None",
    SimpleType.INTEGER: "int",
    SimpleType.FLOAT: "float",
    SimpleType.STRING: "str",
    SimpleType.BOOLEAN: "bool",
    SimpleType.DATETIME: "datetime",
    SimpleType.DURATION: "timedelta",
    SimpleType.BINARY: "bytes",
    SimpleType.ERROR: "FlyteError",
    SimpleType.STRUCT: "dict",
}


def literal_type_text(literal_type: Any) -> str:
    """Return a literal type as the Python type of its values, for entities whose Python types aren't known."""
    if literal_type.collection_type is not None:
        return f"list[{literal_type_text(literal_type.collection_type)}]"
    if literal_type.map_value_type is not None:
        return f"dict[str, {literal_type_text(literal_type.map_value_type)}]"
    if literal_type.union_type is not None:
        return union_text(map(literal_type_text, literal_type.union_type.variants))
    if literal_type.enum_type is not None:
        return f"Literal[{', '.join(map(repr, literal_type.enum_type.values))}]"
    if literal_type.blob is not None:
        multipart = BlobType.BlobDimensionality.MULTIPART
        name = "FlyteDirectory" if literal_type.blob.dimensionality == multipart else "FlyteFile"
        return f"{name}[{literal_type.blob.format!r}]" if literal_type.blob.format else name
    if literal_type.structured_dataset_type is not None:
        return "StructuredDataset"
    if literal_type.schema is not None:
        return "FlyteSchema"
    return _SIMPLE.get(literal_type.simple, "Any")


def read_literal(literal: literal_models.Literal | None, python_type: Any = None) -> Any:
    """Return the content of a literal as plain Python data; a file is its address."""
    if literal is None:
        return None
    if literal.collection is not None:
        item = (get_args(python_type) or (None,))[0]
        return [read_literal(x, item) for x in literal.collection.literals]
    if literal.map is not None:
        item = (get_args(python_type) or (None, None))[-1]
        return {k: read_literal(x, item) for k, x in literal.map.literals.items()}
    return None if literal.scalar is None else _read_scalar(literal.scalar, python_type)


def _read_scalar(scalar: literal_models.Scalar, python_type: Any) -> Any:
    if scalar.primitive is not None:
        return _read_primitive(scalar.primitive.value, python_type)
    if scalar.union is not None:
        return read_literal(scalar.union.value, _without_none(python_type))
    if scalar.binary is not None:
        if scalar.binary.tag != MESSAGEPACK:
            return Unquoted(f"<{bytes_text(len(scalar.binary.value))}>")
        return _as_dataclass(msgpack.loads(scalar.binary.value, strict_map_key=False), python_type)
    if scalar.generic is not None:
        return _as_dataclass(MessageToDict(scalar.generic), python_type)
    if is_pickled(scalar):
        return Unquoted("a pickled value")
    for stored in (scalar.schema, scalar.structured_dataset):
        if stored is not None and "://" not in stored.uri:
            return Unquoted("a data frame")  # in a temporary folder
    for stored in (scalar.blob, scalar.schema, scalar.structured_dataset):
        if stored is not None:
            return Unquoted(stored.uri or "<empty>")
    if scalar.error is not None:
        return Unquoted(f"FlyteError({scalar.error.message!r})")
    return None


def is_pickled(scalar: literal_models.Scalar) -> bool:
    """Tell whether a value is a file with a pickled Python object."""
    pickled = FlytePickleTransformer.PYTHON_PICKLE_FORMAT
    return scalar.blob is not None and scalar.blob.metadata.type.format == pickled


def _read_primitive(value: Any, python_type: Any) -> Any:
    if isinstance(python_type, type) and issubclass(python_type, Enum):
        member = next((m for m in python_type if m.value == value), None)
        return value if member is None else member
    return value


def _without_none(python_type: Any) -> Any:
    """Return the other member of an Optional; None for a wider union, whose member isn't known."""
    rest = [t for t in get_args(python_type) if t is not type(None)]
    return rest[0] if len(rest) == 1 and get_origin(python_type) not in (list, dict) else None


def _as_dataclass(data: Any, python_type: Any) -> Any:
    """Return a mapping that came from a dataclass as the call of its constructor."""
    if isinstance(data, Mapping) and dataclasses.is_dataclass(python_type) and isinstance(python_type, type):
        return Unquoted(f"{name_of(python_type)}({', '.join(f'{k}={brief(v, LONG)}' for k, v in data.items())})")
    return data
