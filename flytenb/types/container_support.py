"""Other uses of a type: with a raw container, in a field of a dataclass. Plain use is left to `trip`."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from flytekit.models.types import LiteralType
from mashumaro.codecs.msgpack import MessagePackDecoder, MessagePackEncoder
from mashumaro.exceptions import UnserializableField

from flytenb.bridge.execution.container_contract import (
    LARGEST_OUTPUT,
    Support,
    as_container_input,
    as_container_output,
    is_pickled,
    no,
    yes,
)
from flytenb.types.quiet import quiet
from flytenb.types.round_trip import explain, take_trip
from flytenb.wording.types import type_text

__all__ = [
    "LARGEST_OUTPUT",
    "Support",
    "as_container_input",
    "as_container_output",
    "as_dataclass_field",
    "no",
    "pickled_places",
    "unknown_to_mashumaro",
]


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
            return f"mashumaro, which writes dataclasses for flytekit, doesn't know {type_text(error.field_type)}"
        except Exception as error:
            return explain(error)
    return ""
