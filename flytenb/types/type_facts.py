"""Facts about a type that the lens shows."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from flytenb.bridge.execution.container_contract import Support, as_container_input, as_container_output, no
from flytenb.bridge.type_engine import LiteralType
from flytenb.bridge.type_engine.literal_forms import describe_literal_type
from flytenb.bridge.type_engine.scratch_storage import scratch_storage
from flytenb.bridge.type_engine.transformer_lookup import Lookup, look_up
from flytenb.bridge.type_engine.transformers import captured_log, literal_type_of
from flytenb.types.container_support import as_dataclass_field, pickled_places
from flytenb.types.round_trip import RoundTrip, explain, round_trip
from flytenb.types.samples import NoSampleError, sample_of
from flytenb.wording.text import class_name
from flytenb.wording.types import type_text

MISSING: Any = object()
"""Default of `sample`, since None may be a sample."""

_REJECTED = "Flyte rejects the type"


@dataclass(frozen=True)
class TypeFacts:
    """How Flyte treats a type.

    Attributes:
        type: the text of the type.
        lookup: the transformer, and how it was found.
        literal_type: the literal type in the terms of Flyte, `""` if Flyte rejects the type.
        refusal: why Flyte rejects it, `""` if it doesn't.
        warnings: what to know before using it.
        schema: its JSON schema as JSON text, `""` if there is none.
        container_input: whether a raw container can have an input of it.
        container_output: whether a raw container can have an output of it.
        field: whether a dataclass can have a field of it.
        trip: the round trip of a sample, None if there is no sample.
        is_generated: whether the sample was made from the type.
        no_sample: why there is no sample.
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
    trip: RoundTrip | None = None
    is_generated: bool = False
    no_sample: str = ""

    @property
    def is_pickle(self) -> bool:
        """Whether values of the type are pickled."""
        return self.lookup.is_pickle


@dataclass
class _Reading:
    """The literal type, or why there is none, and the messages that flytekit logged."""

    literal_type: LiteralType | None
    refusal: str = ""
    messages: list[str] = field(default_factory=list)


def read_type(python_type: Any, sample: Any = MISSING) -> TypeFacts:
    """Read the facts about a type, with the round trip of a sample.

    Args:
        python_type: the type of an annotation.
        sample: a value of it; by default one is made, if possible.

    Raises:
        TypeError: if flytekit can't look the type up.
    """
    lookup = look_up(python_type)
    reading = _read_literal_type(python_type)
    with scratch_storage() as stored:
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
        container_input=no(_REJECTED) if literal_type is None else as_container_input(literal_type),
        container_output=no(_REJECTED) if literal_type is None else as_container_output(literal_type),
        field=support,
        trip=trip,
        is_generated=sample is MISSING and trip is not None,
        no_sample=no_sample,
    )


def _read_literal_type(python_type: Any) -> _Reading:
    with captured_log() as messages:
        try:
            return _Reading(literal_type_of(python_type), "", messages)
        except Exception as error:
            return _Reading(None, explain(error), messages)


def _try(
    python_type: Any, sample: Any, literal_type: LiteralType | None, stored: Path
) -> tuple[RoundTrip | None, str, Any]:
    if sample is MISSING:
        try:
            sample = sample_of(python_type, stored.parent / "samples")
        except NoSampleError as error:
            return None, error.message, MISSING
    return round_trip(sample, python_type, stored, literal_type), "", sample


def _warnings(python_type: Any, reading: _Reading) -> list[str]:
    found = []
    places = pickled_places(reading.literal_type) if reading.literal_type is not None else []
    for place in dict.fromkeys(places):
        part = f"the part {place}" if place else "it"
        found.append(
            f"Flyte doesn't know the type and pickles {part}: only the same Python with the same code can read it, "
            "and the cluster can't show its content"
        )
    if _is_recursive(python_type, ()):
        found.append("the type is recursive: flytekit follows it to Python's recursion limit, which takes seconds")
    found += [s.partition("\n")[0] for s in reading.messages if "Unsupported Type" not in s]
    if get_origin(python_type) is Literal and not reading.refusal:
        kind = class_name(get_args(python_type)[0])
        found.append(f"Flyte checks that a value is of type {kind}, but not that it is one of the listed values")
    if reading.refusal and "tuple" in reading.refusal:
        found.append("a tuple can only be the outputs of a task, preferably as a NamedTuple")
    return found


def _is_recursive(python_type: Any, around: tuple[Any, ...]) -> bool:
    """Whether a dataclass is a type of its own fields, at any depth."""
    if python_type in around:
        return True
    inner = list(get_args(python_type)) if get_origin(python_type) is not Literal else []
    if isinstance(python_type, type) and dataclasses.is_dataclass(python_type):
        around = (*around, python_type)
        try:
            inner += get_type_hints(python_type).values()
        except Exception:  # a name that can't be resolved, which flytekit reports
            return False
    return any(_is_recursive(t, around) for t in inner)


def _schema(literal_type: LiteralType | None) -> str:
    metadata = literal_type.metadata if literal_type is not None else None
    if not metadata or not ({"properties", "$schema", "$ref"} & set(metadata)):
        return ""
    return json.dumps(metadata, indent=2, ensure_ascii=False, default=str)
