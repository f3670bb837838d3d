"""Everything that the lens shows of a type, gathered as frozen data."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from flytekit.core.type_engine import TypeEngine
from flytekit.models.types import LiteralType

from flytenb.types.container_support import (
    Support,
    as_container_input,
    as_container_output,
    as_dataclass_field,
    no,
    pickled_places,
)
from flytenb.types.literals import describe_literal_type
from flytenb.types.lookup import Lookup, look_up
from flytenb.types.quiet import quiet
from flytenb.types.round_trip import Trip, explain, take_trip
from flytenb.types.samples import NoSampleError, sample_of
from flytenb.types.scratch_folder import laboratory
from flytenb.wording.text import class_name
from flytenb.wording.types import type_text

MISSING: Any = object()
"""No sample was given: None may be one."""


@dataclass(frozen=True)
class TypeFacts:
    """What Flyte makes of a type.

    Attributes:
        type: the type as a reader would write it.
        lookup: which transformer, and how it was found.
        literal_type: what stands in an interface for it, `""` if Flyte refuses the type.
        refusal: why Flyte refuses it, `""` if it doesn't.
        warnings: what a reader should know before using it.
        schema: the JSON schema that goes with it, as JSON text, `""` if there is none.
        container_input: whether a raw container can be given one.
        container_output: whether a raw container can give one.
        field: whether a dataclass can have a field of it.
        trip: the way of a sample there and back, None if there is no sample.
        is_generated: whether the sample was made from the type.
        no_sample: why there is none.
    """

    type: str
    lookup: Lookup
    literal_type: str
    refusal: str
    warnings: tuple[str, ...]
    schema: str
    container_input: Support
    container_output: Support
    field: Support
    trip: Trip | None = None
    is_generated: bool = False
    no_sample: str = ""

    @property
    def is_pickle(self) -> bool:
        """Whether values of the type are pickled."""
        return self.lookup.is_pickle


@dataclass
class _Reading:
    """What asking for the literal type brought."""

    literal_type: LiteralType | None
    refusal: str = ""
    said: list[str] = field(default_factory=list)


def read_type(python_type: Any, sample: Any = MISSING) -> TypeFacts:
    """Look at a type, and at the way of a sample of it into a literal and back.

    Args:
        python_type: anything that can be an annotation.
        sample: a value of it; without one, one is made if the type says enough.

    Raises:
        TypeError: if flytekit can't look the type up at all.
    """
    lookup = look_up(python_type)
    reading = _read_literal_type(python_type)
    with laboratory() as stored:
        trip, no_sample, chosen = _try(python_type, sample, reading.literal_type, stored)
        support = as_dataclass_field(python_type, chosen, chosen is not MISSING, stored)
    literal_type = reading.literal_type
    return TypeFacts(
        type=type_text(python_type),
        lookup=lookup,
        literal_type=describe_literal_type(literal_type) if literal_type is not None else "",
        refusal=reading.refusal,
        warnings=tuple(_warnings(python_type, reading)),
        schema=_schema(literal_type),
        container_input=as_container_input(literal_type) if literal_type is not None else no("Flyte refuses the type"),
        container_output=as_container_output(literal_type)
        if literal_type is not None
        else no("Flyte refuses the type"),
        field=support,
        trip=trip,
        is_generated=sample is MISSING and trip is not None,
        no_sample=no_sample,
    )


def _read_literal_type(python_type: Any) -> _Reading:
    with quiet() as said:
        try:
            return _Reading(TypeEngine.to_literal_type(python_type), "", said)
        except Exception as error:
            return _Reading(None, explain(error), said)


def _try(python_type: Any, sample: Any, literal_type: LiteralType | None, stored: Path) -> tuple[Trip | None, str, Any]:
    if sample is MISSING:
        try:
            sample = sample_of(python_type, stored.parent / "samples")
        except NoSampleError as error:
            return None, error.message, MISSING
    return take_trip(sample, python_type, stored, literal_type), "", sample


def _warnings(python_type: Any, reading: _Reading) -> list[str]:
    told = []
    places = pickled_places(reading.literal_type) if reading.literal_type is not None else []
    for place in dict.fromkeys(places):
        what = f"what stands at {place}" if place else "it"
        told.append(
            f"Flyte doesn't know the type and pickles {what}: only the same Python with the same code can read it, "
            "and the cluster sees nothing of it"
        )
    if _holds_itself(python_type, ()):
        told.append("the type holds itself: flytekit follows it to Python's recursion limit, which takes seconds")
    told += [s.partition("\n")[0] for s in reading.said if "Unsupported Type" not in s]
    if get_origin(python_type) is Literal and not reading.refusal:
        kind = class_name(get_args(python_type)[0])
        told.append(f"Flyte checks that a value is a {kind}, not that it is one of those listed")
    if reading.refusal and "tuple" in reading.refusal:
        told.append("a tuple may only be what a task returns: as several outputs, best named by a NamedTuple")
    return told


def _holds_itself(python_type: Any, around: tuple[Any, ...]) -> bool:
    """Whether a dataclass has itself among the types of its fields, at any depth."""
    if python_type in around:
        return True
    inner = list(get_args(python_type)) if get_origin(python_type) is not Literal else []
    if isinstance(python_type, type) and dataclasses.is_dataclass(python_type):
        around = (*around, python_type)
        try:
            inner += get_type_hints(python_type).values()
        except Exception:  # a name that can't be resolved: flytekit says so itself
            return False
    return any(_holds_itself(t, around) for t in inner)


def _schema(literal_type: LiteralType | None) -> str:
    metadata = literal_type.metadata if literal_type is not None else None
    if not metadata or not ({"properties", "$schema", "$ref"} & set(metadata)):
        return ""
    return json.dumps(metadata, indent=2, ensure_ascii=False, default=str)
