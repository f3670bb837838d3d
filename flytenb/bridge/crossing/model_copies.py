"""Pydantic models without a literal: read the fields, prove them column by column, build anew as a validator does.

A literal round trip of a model is JSON by way of MessagePack and ends in the class's validator, with the fields only.
Pydantic states in a class's core schema all that customizes writing and reading; only known parts are handled here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from flytenb.bridge.crossing.copiers import (
    ALWAYS,
    Copier,
    DictCopy,
    ListCopy,
    OptionalCopy,
    Share,
    Trust,
    UnprovenError,
)
from flytenb.bridge.crossing.literal_limits import PACKED_INT, TEXT, Limit

_SCALARS: Mapping[str, tuple[type, Limit | None]] = {
    "bool": (bool, None),
    "int": (int, PACKED_INT),
    "float": (float, Limit.of_each(math.isfinite)),  # JSON has no other numbers
    "str": (str, TEXT),
}
_DEFAULTS = ("default", "default_factory", "default_factory_takes_data", "validate_default")
"""Not used: JSON of a model holds all fields."""


class ModelCopy:
    """Instances of one class of models, whose fields have copiers."""

    name = "copy"

    def __init__(self, cls: Any, fields: Mapping[str, Copier], trust: Trust = ALWAYS) -> None:
        self.trust = Trust({}, trust, *(copier.trust for copier in fields.values()))
        self._cls = cls
        self._names = list(fields)
        self._all_set = set(fields)
        self._fields = fields
        self._shared = [(name, copier) for name, copier in fields.items() if isinstance(copier, Share)]
        self._mutable = [(name, copier) for name, copier in fields.items() if not isinstance(copier, Share)]
        self._compiled = _compiled(cls)

    def prove(self, values: list[Any]) -> list[Any]:
        """Prove the fields of all instances, one field after the other."""
        is_one = len(values) == 1 and type(values[0]) is self._cls  # as most often, and quicker than a set
        if not (is_one or set(map(type, values)) <= {self._cls}) or _compiled(self._cls) != self._compiled:
            raise UnprovenError
        rows = [value.__dict__.copy() for value in values]
        names = self._names
        for at, row in enumerate(rows):
            if [*row] != names:
                if row.keys() != self._fields.keys():
                    raise UnprovenError
                rows[at] = {name: row[name] for name in names}
        for name, share in self._shared:
            share.prove([row[name] for row in rows])
        for name, copier in self._mutable:
            _replace(rows, name, copier.prove([row[name] for row in rows]))
        return self._build(rows, lambda: self._all_set)  # what is proven is held, and never changed

    def renew(self, values: list[Any]) -> list[Any]:
        """Build new instances."""
        rows = [value.__dict__.copy() for value in values]
        for name, copier in self._mutable:
            _replace(rows, name, copier.renew([row[name] for row in rows]))
        return self._build(rows, self._all_set.copy)

    def _build(self, rows: list[dict[str, Any]], fields_set: Callable[[], set[str]]) -> list[Any]:
        set_attribute, new, cls, made = object.__setattr__, object.__new__, self._cls, []
        for row in rows:
            model = new(cls)
            set_attribute(model, "__dict__", row)
            set_attribute(model, "__pydantic_fields_set__", fields_set())
            set_attribute(model, "__pydantic_extra__", None)
            set_attribute(model, "__pydantic_private__", None)
            made.append(model)
        return made


def _replace(rows: list[dict[str, Any]], name: str, values: list[Any]) -> None:
    """Replace a field of all rows."""
    for row, value in zip(rows, values, strict=True):
        row[name] = value


def find_model_copier(cls: Any, trust: Trust = ALWAYS) -> ModelCopy | None:
    """Return the copier of a class of models, or None if its literal might hold or return more than its fields."""
    schema = vars(cls).get("__pydantic_core_schema__")
    return _of_model(schema, trust) if isinstance(schema, dict) and schema.get("cls") is cls else None


def _is_plain(cls: Any) -> bool:
    """Tell whether instances are made, read and written by pydantic alone."""
    from pydantic import BaseModel

    return (
        cls.__new__ is object.__new__
        and cls.__getattribute__ is object.__getattribute__
        and cls.model_dump_json is BaseModel.model_dump_json
        and cls.model_validate_json.__func__ is vars(BaseModel)["model_validate_json"].__func__
        and all(type(part).__module__.startswith("pydantic_core.") for part in _compiled(cls))  # a plugin wraps them
    )


def _compiled(cls: Any) -> tuple[Any, Any]:
    """Return what pydantic made of the class; `model_rebuild` makes other objects."""
    return cls.__pydantic_validator__, cls.__pydantic_serializer__


def _of_model(schema: Mapping[str, Any], trust: Trust = ALWAYS) -> ModelCopy | None:
    inner = schema.get("schema", {})
    is_known = (
        _has_only(schema, "model", "cls", "schema", "config", "custom_init", "root_model", "ref")
        and _is_plain(schema["cls"])
        and schema.get("config", {}).keys() <= {"title"}
        and not (schema.get("custom_init") or schema.get("root_model"))
        and _has_only(inner, "model-fields", "fields", "model_name", "computed_fields")
        and not inner.get("computed_fields")
        and all(_has_only(field, "model-field", "schema") for field in inner["fields"].values())
    )
    fields = {n: _of(field["schema"]) for n, field in inner["fields"].items()} if is_known else {}
    found = {name: copier for name, copier in fields.items() if copier is not None}
    return ModelCopy(schema["cls"], found, trust) if found and len(found) == len(fields) else None


def _of(schema: Mapping[str, Any]) -> Copier | None:
    """Return the copier of a field's value, or None for a schema that isn't known."""
    kind = schema["type"]
    if kind in _SCALARS:
        return Share(dict([_SCALARS[kind]])) if _has_only(schema, kind) else None
    if kind == "model":
        return _of_model(schema)
    if _has_only(schema, "default", "schema", *_DEFAULTS):
        return _of(schema["schema"])
    if _has_only(schema, "nullable", "schema"):
        element = _of(schema["schema"])
        if isinstance(element, Share):
            return Share({**element.limits, type(None): None})
        return OptionalCopy(element) if element else None
    if _has_only(schema, "list", "items_schema"):
        element = _of(schema.get("items_schema", {"type": "any"}))
        return ListCopy(element) if element else None
    if _has_only(schema, "dict", "keys_schema", "values_schema"):
        key, element = (_of(schema.get(part, {"type": "any"})) for part in ("keys_schema", "values_schema"))
        return DictCopy(key, element) if isinstance(key, Share) and key.limits.keys() == {str} and element else None
    return None


def _has_only(schema: Mapping[str, Any], kind: str, *keys: str) -> bool:
    """Tell whether a schema is of a kind and has no other keys; metadata is for JSON schemas."""
    return schema.get("type") == kind and schema.keys() <= {"type", "metadata", *keys}
