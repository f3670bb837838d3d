"""Dataclasses without a literal: read the fields, prove them column by column, build a new one with the constructor.

A literal round trip of a dataclass is MessagePack by way of mashumaro and ends in the class's own constructor, with the
fields only: other attributes of the instance are lost. Classes that customize any of this aren't handled here.
"""

from __future__ import annotations

import dataclasses
from abc import ABCMeta
from collections.abc import Callable
from inspect import getattr_static
from operator import attrgetter
from types import MemberDescriptorType
from typing import Any, ClassVar, get_origin, get_type_hints

from mashumaro.mixins.dict import DataClassDictMixin
from mashumaro.mixins.json import DataClassJSONMixin

from flytenb.bridge.crossing.copiers import ALWAYS, Copier, Trust, UnprovenError

_MIXINS = (DataClassDictMixin, DataClassJSONMixin)
_HOOKS = ("__pre_serialize__", "__post_serialize__", "__pre_deserialize__", "__post_deserialize__")
"""Hooks that mashumaro calls if a class has them; its mixins define empty ones."""

_SAYINGS = ("Config", "__post_init__")
"""Attributes by which a class customizes writing, reading or construction."""


class RecordCopy:
    """Instances of one dataclass, whose fields have copiers."""

    name = "copy"

    def __init__(self, cls: type, fields: dict[str, Copier], trust: Trust = ALWAYS) -> None:
        self.cls = cls
        self.fields = fields
        self.trust = Trust({}, trust, *(copier.trust for copier in fields.values()))
        self._getters = [attrgetter(name) for name in fields]
        self._copiers = list(fields.values())
        self._build = _constructor(cls)

    def prove(self, values: list[Any]) -> list[Any]:
        """Prove the fields of all instances, one field after the other."""
        if not set(map(type, values)) <= {self.cls}:
            raise UnprovenError
        try:
            columns = [list(map(get, values)) for get in self._getters]
        except AttributeError as e:
            raise UnprovenError from e
        return self._build([c.prove(column) for c, column in zip(self._copiers, columns, strict=True)], len(values))

    def renew(self, values: list[Any]) -> list[Any]:
        """Construct new instances."""
        columns = [list(map(get, values)) for get in self._getters]
        return self._build([c.renew(column) for c, column in zip(self._copiers, columns, strict=True)], len(values))


def field_types(cls: type) -> dict[str, Any] | None:
    """Return the types of a dataclass's fields, or None if its literal might hold or return more than these."""
    if not _is_plain(cls):
        return None
    try:
        hints = get_type_hints(cls, include_extras=True)
    except Exception:  # names that can't be resolved: any error at all that a user's annotation raises
        return None
    fields = {f.name: f for f in dataclasses.fields(cls)}
    for name, hint in hints.items():
        if name not in fields and not _is_harmless(cls, name, hint):
            return None
    if any(not f.init or f.metadata for f in fields.values()):  # mashumaro reads its options from the metadata
        return None
    return {name: hints[name] for name in fields}


def _is_plain(cls: Any) -> bool:
    """Tell whether the class is as `@dataclass` makes it, without customized construction, reading or writing.

    A base with methods only is fine; so are frozen, slots, and keyword-only.
    """
    return (
        type(cls) in (type, ABCMeta)
        and "__dataclass_fields__" in vars(cls)
        and cls.__dataclass_params__.init
        and _is_generated(cls.__init__)
        and cls.__new__ is object.__new__
        and cls.__getattribute__ is object.__getattribute__
        and (cls.__setattr__ is object.__setattr__ or _is_generated(cls.__setattr__))
        and not any(hasattr(cls, name) for name in _SAYINGS)
        and all(getattr_static(cls, name, None) in (None, vars(DataClassDictMixin)[name]) for name in _HOOKS)
        and all(base in _MIXINS or not base.__module__.startswith("mashumaro") for base in cls.__mro__)
        and all(_is_stored(cls, f.name) for f in dataclasses.fields(cls))
    )


def _is_generated(function: Any) -> bool:
    """Tell whether `dataclasses` generated it (3.11 to 3.14); it keeps what the class body defines."""
    code = getattr(function, "__code__", None)
    return code is not None and code.co_qualname.startswith("__create_fn__.<locals>.")


def _is_stored(cls: type, name: str) -> bool:
    """Tell whether reading the field returns the stored value: a default may be a property or another descriptor."""
    default = getattr_static(cls, name, None)
    return isinstance(default, MemberDescriptorType) or not (
        hasattr(type(default), "__get__") or hasattr(type(default), "__set__")
    )


def _is_harmless(cls: type, name: str, hint: Any) -> bool:
    """Tell whether each hint that isn't a field can be read and set on the instance, as flytekit does."""
    return (get_origin(hint) or hint) is ClassVar and hasattr(cls, name) and cls.__dictoffset__ != 0


def _constructor(cls: Any) -> Callable[[list[list[Any]], int], list[Any]]:
    """Return a function that makes many instances from columns of field values."""
    fields = dataclasses.fields(cls)
    names = [f.name for f in fields]
    if not fields:
        return lambda columns, count: [cls() for _ in range(count)]
    if any(f.kw_only for f in fields):
        return lambda columns, count: [cls(**dict(zip(names, row, strict=True))) for row in zip(*columns, strict=True)]
    return lambda columns, count: list(map(cls, *columns))
