"""File contract of raw containers: how each literal type is written as an input and read as an output.

The rules are those of Flyte's co-pilot, release 1.16.8: `flytecopilot/data/download.go`, `upload.go` and
`flyteidl/clients/go/coreutils/literals.go` of flyteorg/flyte. The lens shows this table, a run follows it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flyteidl.core import literals_pb2, types_pb2
from flytekit.models.core.types import BlobType
from flytekit.models.types import LiteralType, SimpleType
from flytekit.types.pickle.pickle import FlytePickleTransformer
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from flytenb.bridge.execution import go_text
from flytenb.wording.quantities import count_text

LARGEST_OUTPUT = 1024
"""Bytes of a simple output that co-pilot reads back."""
_NANOS = 10**9


@dataclass(frozen=True)
class Support:
    """Whether something works, and how or why not."""

    is_supported: bool
    how: str


def yes(how: str) -> Support:
    """Supported, in this form."""
    return Support(True, how)


def no(why: str) -> Support:
    """Not supported, for this reason."""
    return Support(False, why)


# --- the table --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """How values of one simple type are written and read.

    Attributes:
        how: the form, as the lens shows it.
        write: makes the file's content of a `literals_pb2.Scalar`.
        read: fills a `literals_pb2.Scalar` from the trimmed content of a file.
    """

    how: str
    write: Callable[[Any], str | bytes]
    read: Callable[[str, Any], None]


def _primitive(name: str, parse: Callable[[str], Any]) -> Callable[[str, Any], None]:
    def read(text: str, scalar: Any) -> None:
        setattr(scalar.primitive, name, parse(text))

    return read


def _write_duration(scalar: Any) -> str:
    duration = scalar.primitive.duration
    return go_text.write_duration(duration.seconds * _NANOS + duration.nanos)


def _read_duration(text: str, scalar: Any) -> None:
    nanos = go_text.read_duration(text)
    seconds = abs(nanos) // _NANOS * (-1 if nanos < 0 else 1)
    scalar.primitive.duration.CopyFrom(Duration(seconds=seconds, nanos=nanos - seconds * _NANOS))


def _read_time(text: str, scalar: Any) -> None:
    seconds, nanos = go_text.read_time(text)
    scalar.primitive.datetime.CopyFrom(Timestamp(seconds=seconds, nanos=nanos))


def _read_struct(text: str, scalar: Any) -> None:
    scalar.generic.CopyFrom(go_text.read_json(text))


def _read_binary(text: str, scalar: Any) -> None:
    scalar.binary.CopyFrom(literals_pb2.Binary(value=text.encode(), tag="msgpack"))


def _read_error(text: str, scalar: Any) -> None:
    scalar.error.message = text


def _read_none(text: str, scalar: Any) -> None:
    scalar.none_type.SetInParent()


_TABLE = {
    SimpleType.NONE: Row("a text file, null", lambda s: "null", _read_none),
    SimpleType.INTEGER: Row("a text file", lambda s: str(s.primitive.integer), _primitive("integer", go_text.read_int)),
    SimpleType.FLOAT: Row(
        "a text file",
        lambda s: go_text.write_float(s.primitive.float_value),
        _primitive("float_value", go_text.read_float),
    ),
    SimpleType.STRING: Row(
        "a text file with the text as it is", lambda s: s.primitive.string_value, _primitive("string_value", str)
    ),
    SimpleType.BOOLEAN: Row(
        "a text file, true or false",
        lambda s: go_text.write_bool(s.primitive.boolean),
        _primitive("boolean", go_text.read_bool),
    ),
    SimpleType.DATETIME: Row(
        "a text file, RFC 3339",
        lambda s: go_text.write_time(s.primitive.datetime.seconds, s.primitive.datetime.nanos),
        _read_time,
    ),
    SimpleType.DURATION: Row("a text file, as in 1h2m3.5s", _write_duration, _read_duration),
    SimpleType.ERROR: Row("a text file with its message", lambda s: s.error.message, _read_error),
    SimpleType.STRUCT: Row("a JSON file", lambda s: go_text.write_json(s.generic), _read_struct),
    SimpleType.BINARY: Row(
        "a file of MessagePack bytes, which no shell script reads", lambda s: s.binary.value, _read_binary
    ),
}
"""One row per simple type. A literal of STRUCT that flytekit writes as MessagePack follows the row of BINARY."""

_KINDS = {
    "integer": SimpleType.INTEGER,
    "float_value": SimpleType.FLOAT,
    "string_value": SimpleType.STRING,
    "boolean": SimpleType.BOOLEAN,
    "datetime": SimpleType.DATETIME,
    "duration": SimpleType.DURATION,
    "none_type": SimpleType.NONE,
    "error": SimpleType.ERROR,
    "generic": SimpleType.STRUCT,
    "binary": SimpleType.BINARY,
}
"""The simple type of each field of a scalar and of a primitive."""

_PICKLE = "a pickle, which only the same Python with the same code reads"
_NOT_READ = no("co-pilot reads only simple types, files and flat directories back")
_UNION = "as its value would be (on clusters from Flyte 1.16.2 on)"


def as_container_input(literal_type: LiteralType) -> Support:
    """Return how a raw container task gets an input of this type."""
    if literal_type.simple is not None:
        return _simple_input(literal_type)
    if literal_type.enum_type is not None:
        return yes("a text file with its value")
    if literal_type.collection_type is not None:
        inner = as_container_input(literal_type.collection_type)
        return yes(f"a directory with 0, 1, 2 …, each {inner.how}") if inner.is_supported else inner
    if literal_type.map_value_type is not None:
        inner = as_container_input(literal_type.map_value_type)
        return yes(f"a directory with an entry per key, each {inner.how}") if inner.is_supported else inner
    if literal_type.union_type is not None:
        refused = [s for s in map(as_container_input, literal_type.union_type.variants) if not s.is_supported]
        return refused[0] if refused else yes(_UNION)
    if literal_type.blob is not None:
        return yes(_PICKLE if is_pickled(literal_type) else _stored(literal_type.blob))
    if literal_type.schema is not None:
        return yes("a directory of Parquet files")
    return no("co-pilot doesn't write a structured dataset")


def _simple_input(literal_type: LiteralType) -> Support:
    is_packed = literal_type.simple == SimpleType.STRUCT and "pb_type" not in (literal_type.metadata or {})
    row = _TABLE.get(SimpleType.BINARY if is_packed else literal_type.simple)
    return yes(row.how) if row is not None else no(f"co-pilot doesn't write {_name(literal_type)}")


def as_container_output(literal_type: LiteralType) -> Support:
    """Return how a raw container task gives an output of this type."""
    if literal_type.simple == SimpleType.STRUCT:
        return yes(f"a JSON file, at most {count_text(LARGEST_OUTPUT, 'byte')}; every number in it becomes a float")
    if literal_type.simple is not None:
        row = _TABLE.get(literal_type.simple)
        if row is None:
            return no(f"co-pilot doesn't read {_name(literal_type)}")
        return yes(f"{row.how}, at most {count_text(LARGEST_OUTPUT, 'byte')}")
    if literal_type.blob is not None:
        how = _PICKLE if is_pickled(literal_type) else _stored(literal_type.blob)
        return yes(how.replace("a dir", "a flat dir"))
    return _NOT_READ


def _name(literal_type: LiteralType) -> str:
    return str(types_pb2.SimpleType.Name(literal_type.simple))


def _stored(blob: BlobType) -> str:
    return "a directory" if is_directory(blob) else "the file itself"


def is_directory(blob: Any) -> bool:
    """Whether a blob type is that of a directory."""
    return bool(blob.dimensionality == BlobType.BlobDimensionality.MULTIPART)


def is_pickled(literal_type: LiteralType) -> bool:
    """Whether values of this literal type are pickles."""
    blob = literal_type.blob
    return blob is not None and blob.format == FlytePickleTransformer.PYTHON_PICKLE_FORMAT


def row_of(scalar: Any) -> Row:
    """Return the row of a `literals_pb2.Scalar` that holds a primitive or another simple value."""
    kind = scalar.WhichOneof("value")
    return _TABLE[_KINDS[scalar.primitive.WhichOneof("value") if kind == "primitive" else kind]]


def read_scalar(simple: int, text: str) -> literals_pb2.Scalar:
    """Return the value of a simple type in the trimmed content of a file.

    Raises:
        ValueError: for a text that isn't a value of the type.
    """
    scalar = literals_pb2.Scalar()
    _TABLE[simple].read(text, scalar)
    return scalar
