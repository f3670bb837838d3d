"""Where else a type can be used: with a raw container, in a field of a dataclass; plain use is left to `trip`."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flyteidl.core import types_pb2
from flytekit.models.core.types import BlobType
from flytekit.models.types import LiteralType, SimpleType
from flytekit.types.pickle.pickle import FlytePickleTransformer
from mashumaro.codecs.msgpack import MessagePackDecoder, MessagePackEncoder
from mashumaro.exceptions import UnserializableField

from flytenb.bridge.lens.quiet import quiet
from flytenb.bridge.lens.trip import explain, take_trip
from flytenb.bridge.type_names import name_type

LARGEST_OUTPUT = 1024
"""Bytes of a simple output that co-pilot reads back."""


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


# --- raw containers: what Flyte's co-pilot writes under /var/inputs and reads from /var/outputs ---------------------
# flytecopilot/data/download.go and upload.go of flyteorg/flyte, release 1.13.

_TEXTS = {
    SimpleType.INTEGER: "a text file",
    SimpleType.FLOAT: "a text file",
    SimpleType.STRING: "a text file with the text as it is",
    SimpleType.BOOLEAN: "a text file, true or false",
    SimpleType.DATETIME: "a text file, RFC 3339",
    SimpleType.DURATION: "a text file, as in 1h2m3.5s",
    SimpleType.NONE: "a text file, null",
    SimpleType.ERROR: "a text file with its message",
}


def as_container_input(literal_type: LiteralType) -> Support:
    """Tell how a raw container task gets an input of this type."""
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
    if literal_type.blob is not None:
        return _PICKLED if is_pickled(literal_type) else yes(_stored(literal_type.blob))
    if literal_type.schema is not None:
        return yes("a directory of Parquet files")
    what = "a union" if literal_type.union_type is not None else "a structured dataset"
    return no(f"co-pilot doesn't write {what}")


def _simple_input(literal_type: LiteralType) -> Support:
    if literal_type.simple in _TEXTS:
        return yes(_TEXTS[literal_type.simple])
    if literal_type.simple == SimpleType.STRUCT and "pb_type" in (literal_type.metadata or {}):
        return yes("a JSON file")
    return no("it arrives as MessagePack bytes, which no shell script reads")


def as_container_output(literal_type: LiteralType) -> Support:
    """Tell how a raw container task gives an output of this type."""
    if literal_type.simple in _TEXTS:
        return yes(f"{_TEXTS[literal_type.simple]}, at most {LARGEST_OUTPUT:,} bytes")
    if literal_type.simple == SimpleType.STRUCT:
        return yes(f"a JSON file, at most {LARGEST_OUTPUT:,} bytes; every number in it becomes a float")
    if literal_type.blob is not None:
        return _PICKLED if is_pickled(literal_type) else yes(_stored(literal_type.blob).replace("a dir", "a flat dir"))
    if literal_type.simple is not None:
        return no(f"nothing writes {types_pb2.SimpleType.Name(literal_type.simple)} as text")
    return no("co-pilot reads only simple types, files and flat directories back")


_PICKLED = no("it is a pickle, for Python of the very same version only")


def _stored(blob: BlobType) -> str:
    several = blob.dimensionality == BlobType.BlobDimensionality.MULTIPART
    return "a directory" if several else "the file itself"


def is_pickled(literal_type: LiteralType) -> bool:
    """Whether values of this literal type are pickles."""
    blob = literal_type.blob
    return blob is not None and blob.format == FlytePickleTransformer.PYTHON_PICKLE_FORMAT


def pickled_places(literal_type: LiteralType, path: str = "") -> list[str]:
    """Return where in a type pickle is used: `""` for the whole, `[…]` for the items of a list."""
    if is_pickled(literal_type):
        return [path]
    if literal_type.collection_type is not None:
        return pickled_places(literal_type.collection_type, f"{path}[…]")
    if literal_type.map_value_type is not None:
        return pickled_places(literal_type.map_value_type, f"{path}['…']")
    if literal_type.union_type is not None:
        return [p for v in literal_type.union_type.variants for p in pickled_places(v, path)]
    return []


# --- dataclass fields ------------------------------------------------------------------------------------------------


def as_dataclass_field(python_type: Any, sample: Any, has_sample: bool, stored: Path) -> Support:
    """Tell whether a dataclass may have a field of this type, by trying it with one; call it in a laboratory."""
    holder = dataclasses.make_dataclass("Holder", [("value", python_type)])
    unknown = unknown_to_mashumaro(holder)
    if unknown:
        return no(unknown)
    if not has_sample:
        return yes("as far as its type tells; a sample would show it")
    trip = take_trip(holder(sample), holder, stored)
    if trip.error:
        return no(trip.error)
    if trip.difference is not None:
        changed = trip.difference
        return yes(f"but {changed.path}, {changed.before}, comes back as {changed.after}")
    return yes("comes back as it was")


def unknown_to_mashumaro(holder: type) -> str:
    """Why mashumaro, which writes and reads dataclasses for flytekit, can't do it with this one."""
    with quiet():
        try:
            MessagePackEncoder(holder)
            MessagePackDecoder(holder)
        except UnserializableField as error:
            return f"mashumaro, which writes dataclasses for flytekit, doesn't know {name_type(error.field_type)}"
        except Exception as error:
            return explain(error)
    return ""
