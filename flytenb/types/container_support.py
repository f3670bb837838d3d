"""Whether a type can be used with a raw container and as a field of a dataclass."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from mashumaro.codecs.msgpack import MessagePackDecoder, MessagePackEncoder
from mashumaro.exceptions import UnserializableField

from flytenb.bridge.execution.container_contract import Support, is_pickled, no, yes
from flytenb.bridge.type_engine import LiteralType
from flytenb.bridge.type_engine.transformers import captured_log
from flytenb.types.round_trip import explain, round_trip
from flytenb.wording.types import type_text


def pickled_places(literal_type: LiteralType, path: str = "") -> list[str]:
    """Return the parts of a type that are pickled: `""` for all of it, `[…]` for the items of a list."""
    if is_pickled(literal_type):
        return [path]
    if literal_type.collection_type is not None:
        return pickled_places(literal_type.collection_type, f"{path}[…]")
    if literal_type.map_value_type is not None:
        return pickled_places(literal_type.map_value_type, f"{path}['…']")
    if literal_type.union_type is not None:
        return [p for v in literal_type.union_type.variants for p in pickled_places(v, path)]
    return []


def as_dataclass_field(python_type: Any, sample: Any, has_sample: bool, stored: Path) -> Support:
    """Try a dataclass with a field of this type, within `scratch_storage`."""
    holder = dataclasses.make_dataclass("Holder", [("value", python_type)])
    unknown = unknown_to_mashumaro(holder)
    if unknown:
        return no(unknown)
    if not has_sample:
        return yes("by its type; not tried, since there is no sample")
    trip = round_trip(holder(sample), holder, stored)
    if trip.error:
        return no(trip.error)
    if trip.change is not None:
        return yes(f"but {trip.change.path}, {trip.change.before}, comes back as {trip.change.after}")
    return yes("comes back unchanged")


def unknown_to_mashumaro(holder: type) -> str:
    """Return why mashumaro, which converts dataclasses for flytekit, rejects this one, `""` if it doesn't."""
    with captured_log():
        try:
            MessagePackEncoder(holder)
            MessagePackDecoder(holder)
        except UnserializableField as error:
            return f"mashumaro, which converts dataclasses for flytekit, doesn't know {type_text(error.field_type)}"
        except Exception as error:
            return explain(error)
    return ""
