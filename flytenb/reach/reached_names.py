"""The own code that a task reaches, and the installed things that it may use; no digest is made, no data is read."""

from __future__ import annotations

from functools import partial
from itertools import islice
from types import FunctionType
from typing import Any

from flytenb.bridge.entities.kind import function_of, is_entity
from flytenb.reach.bytecode import NameUse
from flytenb.reach.code_description import describe
from flytenb.reach.installed_names import NamesByModule, names_of, scope_of
from flytenb.reach.name_lookup import MISSING, is_module, is_own, unloaded_module
from flytenb.reach.object_digest import Measure, OpaqueError, Read
from flytenb.reach.plain_bytes import is_scalar
from flytenb.reach.reach_walk import ReachWalker

_MOST_PARTS = 100
"""Elements of a list or dict that are looked at: a table holds no code."""


class Reach(ReachWalker):
    """What a function reaches through own code.

    Args:
        function: where the walk begins.
        calls_run: whether a task that it calls runs there and then, as in another task; in a dynamic it becomes a node.

    Attributes:
        names: the installed things that own code may use, each by the attributes that the code asks for
            (`os.environ.get` includes `os.environ`), an object also by what it is called where it is defined.
    """

    def __init__(self, function: Any, *, calls_run: bool = True) -> None:
        super().__init__(_describe, _parts_of)
        self.calls_run = calls_run
        self.names: set[str] = set()
        self._seen: dict[int, Any] = {}
        self._known_names: NamesByModule = {}
        self._todo: list[Any] = []
        self.of(function)
        while self._todo:
            self._visit(self._todo.pop())

    @property
    def functions(self) -> list[FunctionType]:
        """The own functions, the first one among them."""
        return [value for value in self.values if type(value) is FunctionType and is_own(value)]

    @property
    def values(self) -> list[Any]:
        """Every object."""
        return list(self._seen.values())

    def watched_names(self) -> tuple[tuple[dict[str, Any], str, int], ...]:
        """Return the global names that the code reads, each by its scope and the identity of its value."""
        return tuple({(id(scope), name): (scope, name, id(value)) for scope, name, value in self._names}.values())

    def of(self, value: Any) -> bytes:
        """Visit an object later."""
        if not is_scalar(value) and id(value) not in self._seen:
            self._seen[id(value)] = value
            self._todo.append(value)
        return b""

    def watch(self, read: Read, holder: Any) -> None:
        """Do nothing: only names are watched."""

    def measure(self, measure: Measure) -> bytes:
        """Do nothing: no data is read."""
        return b""

    def of_types(self, annotations: dict[str, Any]) -> bytes:
        """Do nothing: code doesn't use the types that it only declares."""
        return b""

    def _visit(self, value: Any) -> None:
        if type(value) in (list, tuple, set, frozenset, dict):
            for part in islice(value.values() if type(value) is dict else value, _MOST_PARTS):
                self.of(part)
            return
        try:
            if self._describe(self, value) is None:
                self._state_of(self, value)
        except OpaqueError:
            return

    def _of_use(self, use: NameUse, scope: dict[str, Any], cells: dict[str, Any], is_source: bool) -> bytes:
        if use.how == "keep" and unloaded_module(use, scope) is None:
            return b""  # the uses of the variable that keeps it are uses of this
        return super()._of_use(use, scope, cells, is_source)

    def take(self, value: Any, attributes: tuple[str, ...] = ()) -> None:
        """Add the names of something installed."""
        if type(value) is str:
            self.names |= {".".join((value, *attributes[:count])) for count in range(len(attributes) + 1)}
            return
        dotted: set[str] = set()
        for at, attribute in enumerate(attributes):
            names = set() if is_own(value) else names_of(value, self._known_names)
            dotted = {f"{name}.{attribute}" for name in (*names, *dotted)}
            self.names |= dotted
            if not is_module(value):
                break
            value = scope_of(value).get(attribute, MISSING)
            if value is MISSING:  # of a module that isn't loaded, or not all of it
                self.names |= {".".join((name, *attributes[at + 1 :][:n])) for name in dotted for n in range(9)}
                return
        if not is_own(value):
            self.names |= names_of(value, self._known_names)


def _describe(walker: Reach, value: Any) -> bytes | None:
    if not is_entity(value):
        return describe(walker, value)
    return walker.of(function_of(value)) if walker.calls_run else b""


def _parts_of(walker: Reach, value: Any) -> tuple[Any, ...]:
    """Visit what an object wraps or, if it is the user's own, holds."""
    if type(value) is partial:
        walker.of_all((value.func, *value.args, *value.keywords.values()))
        return ()
    if not is_own(value):
        walker.take(value)
    walker.of_all((getattr(value, "__wrapped__", None) if callable(value) else None, type(value)))
    walker.of_all(getattr(value, "__dict__", {}).values() if is_own(value) else ())
    return ()
