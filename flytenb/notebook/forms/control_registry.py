"""Registry of input controls: lookup by declared type, dotted type name or predicate, in tiers."""

from __future__ import annotations

from typing import Any

from flytenb.display.registry import KeyMatching, Registry
from flytenb.wording.types import bare


def _class_of(declared: Any) -> type | None:
    plain = bare(declared)
    return plain if isinstance(plain, type) else None


def _is_subclass(declared: Any, abstract: type) -> bool:
    cls = _class_of(declared)
    return cls is not None and issubclass(cls, abstract)


MATCHING = KeyMatching(
    type_of=_class_of,
    is_instance=_is_subclass,
    arguments="a declared type and a control context",
    example="def ask_for_it(declared, context): …",
    decorator="control_for",
)
"""Matches a declared type by its class without `Annotated`; a predicate gets the declared type as it is written."""

FALLBACK = Registry(matching=MATCHING)
BUILT_IN = Registry(below=FALLBACK, matching=MATCHING)
CONTROLS = Registry(below=BUILT_IN, matching=MATCHING)
"""The registry that `flytenb.control_for` fills and forms read."""
