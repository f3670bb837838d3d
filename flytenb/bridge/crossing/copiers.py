"""Copiers: prove that a literal round trip would change nothing, then copy as much as is needed.

All work is done on many values at once, since a loop in C is ten times a loop in Python. The copier of a type is
found by `copier_lookup`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from itertools import chain, islice
from typing import Any, Protocol

from flytenb.bridge import private
from flytenb.bridge.crossing.literal_limits import Limit

_look_up = private.transformer_registry().get


class Trust:
    """State of the type engine's registry that a copier relies on: each key with its transformer, None for absent.

    A user may register a transformer at any time, so it is checked for every value.
    """

    __slots__ = ("_expected", "_keys", "pairs")

    def __init__(self, pairs: Mapping[Hashable, Any], *others: Trust) -> None:
        self.pairs = {**pairs}
        for other in others:
            self.pairs.update(other.pairs)
        self._keys = tuple(self.pairs)
        self._expected = tuple(self.pairs.values())

    def holds(self) -> bool:
        """Whether the registry is still in this state."""
        return tuple(map(_look_up, self._keys)) == self._expected


ALWAYS = Trust({})
"""For conversions without a transformer."""


class UnprovenError(Exception):
    """A value that a literal might not preserve."""


class Copier(Protocol):
    """Proves and copies values of one type, so that they cross without a literal.

    Attributes:
        name: `share`, `copy`, `array` or `frame`.
        trust: the state of the registry that this relies on.
    """

    @property
    def name(self) -> str: ...
    @property
    def trust(self) -> Trust: ...

    def prove(self, values: list[Any]) -> list[Any]:
        """Return the values as after a literal round trip, isolated from their producer, or raise UnprovenError."""
        ...

    def renew(self, values: list[Any]) -> list[Any]:
        """Return isolated copies of proven values."""
        ...


_NO_VALUE = Limit.of_each(lambda _: False)


class Share:
    """Immutable values, distinguished by their exact types; proven ones are passed on unchanged."""

    name = "share"

    def __init__(self, limits: Mapping[type, Limit | None], trust: Trust = ALWAYS) -> None:
        self.limits = limits
        self.trust = trust
        self._kinds = frozenset(limits)

    def prove(self, values: list[Any]) -> list[Any]:
        """Compare the set of types, then check the values of types with limits."""
        if len(values) == 1:
            limit = self.limits.get(type(values[0]), _NO_VALUE)
            if limit is None or limit.admits(values[0]):
                return values
            raise UnprovenError
        found = set(map(type, values))
        if not found <= self._kinds:
            raise UnprovenError
        for kind in found:
            limit = self.limits[kind]
            if limit is None:
                continue
            some = values if len(found) == 1 else [v for v in values if type(v) is kind]
            if not limit.admits_all(some):
                raise UnprovenError
        return values

    def renew(self, values: list[Any]) -> list[Any]:
        """Return the values."""
        return values


class ListCopy:
    """Lists with elements that have a copier."""

    name = "copy"

    def __init__(self, element: Copier, trust: Trust = ALWAYS) -> None:
        self.element = element
        self.trust = Trust({}, trust, element.trust)

    def prove(self, values: list[Any]) -> list[Any]:
        """Prove the elements of all lists at once."""
        if not set(map(type, values)) <= {list}:
            raise UnprovenError
        return self._rebuild(values, self.element.prove)

    def renew(self, values: list[Any]) -> list[Any]:
        """Copy the lists, and their elements if these are mutable."""
        return self._rebuild(values, self.element.renew)

    def _rebuild(self, values: list[Any], pass_on: Callable[[list[Any]], list[Any]]) -> list[Any]:
        if len(values) == 1:
            return [list(pass_on(values[0]))]
        elements = iter(pass_on(list(chain.from_iterable(values))))
        return [list(islice(elements, len(v))) for v in values]


class DictCopy:
    """Dicts with keys of one immutable type and values that have a copier."""

    name = "copy"

    def __init__(self, key: Copier, element: Copier, trust: Trust = ALWAYS) -> None:
        self.key = key
        self.element = element
        self.trust = Trust({}, trust, key.trust, element.trust)

    def prove(self, values: list[Any]) -> list[Any]:
        """Prove the keys and elements of all dicts at once."""
        if not set(map(type, values)) <= {dict}:
            raise UnprovenError
        self.key.prove(list(chain.from_iterable(values)))
        return self._rebuild(values, self.element.prove)

    def renew(self, values: list[Any]) -> list[Any]:
        """Copy the dicts, and their elements if these are mutable."""
        return self._rebuild(values, self.element.renew)

    def _rebuild(self, values: list[Any], pass_on: Callable[[list[Any]], list[Any]]) -> list[Any]:
        elements = iter(pass_on(list(chain.from_iterable(v.values() for v in values))))
        return [dict(zip(v, elements, strict=False)) for v in values]  # a dict takes as many elements as it has keys


class OptionalCopy:
    """None, or a value that has a copier."""

    name = "copy"

    def __init__(self, element: Copier, trust: Trust = ALWAYS) -> None:
        self.element = element
        self.trust = Trust({}, trust, element.trust)

    def prove(self, values: list[Any]) -> list[Any]:
        """Prove the values that aren't None."""
        return self._rebuild(values, self.element.prove)

    def renew(self, values: list[Any]) -> list[Any]:
        """Copy the values that aren't None."""
        return self._rebuild(values, self.element.renew)

    @staticmethod
    def _rebuild(values: list[Any], pass_on: Callable[[list[Any]], list[Any]]) -> list[Any]:
        there = iter(pass_on([v for v in values if v is not None]))
        return [None if v is None else next(there) for v in values]
