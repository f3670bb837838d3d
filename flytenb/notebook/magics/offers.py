"""What a notebook has that may stand in a line: entities, runs, nodes, types, values of a declared type."""

from __future__ import annotations

import builtins
import sys
import types
import typing
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flytenb.runner.run import Run
    from flytenb.session import Session

_PLAIN_TYPES = ("bool", "bytes", "float", "int", "str", "dict[", "list[", "tuple[")
_OF_THE_SHELL = frozenset({"In", "Out", "exit", "quit", "get_ipython", "open"})
_NUMBERS = {"retries": ("1", "2", "3"), "timeout": ("60", "600", "3600")}


class Notebook:
    """Looks things up by name, and names things as the notebook would.

    Args:
        session: the entities and runs.
        namespace: the notebook's variables.
    """

    def __init__(self, session: Session, namespace: Mapping[str, Any]) -> None:
        self._session = session
        self._namespace = namespace

    # --- names to things -----------------------------------------------------------------------------------------

    def entity(self, name: str) -> Any:
        """Return the entity of that name, `module.name` too, or None."""
        from flytenb.bridge.entities.interface import is_entity

        found = self._session.definitions.get(name)
        if found is not None:
            return found.entity
        first, *rest = name.split(".")
        value = self._namespace.get(first)
        for part in rest:
            value = vars(value).get(part) if isinstance(value, types.ModuleType) else None
        return value if is_entity(value) else None

    def run(self, name: str) -> Run | None:
        """Return the run that a variable holds, or None."""
        value = self._namespace.get(name)
        return value if _is_run(value) else None

    # --- what there is -------------------------------------------------------------------------------------------

    def entities(self) -> list[str]:
        """The notebook's entities, also those of the cell that was run just now."""
        from flytenb.bridge.entities.interface import is_entity

        return [name for name, value in self._public() if is_entity(value)]

    def runs(self) -> list[str]:
        """The variables that hold a run."""
        return [name for name, value in self._public() if _is_run(value)]

    def values(self) -> list[str]:
        """The variables that hold a value: no module, function or class."""
        from flytenb.bridge.entities.interface import is_entity
        from flytenb.bridge.type_names import is_annotation

        no_values = (types.ModuleType, types.FunctionType, types.BuiltinFunctionType)
        found = ((n, v) for n, v in self._public() if n not in _OF_THE_SHELL and not isinstance(v, no_values))
        return [name for name, value in found if value is None or not (is_entity(value) or is_annotation(value))]

    def types(self) -> list[str]:
        """The names that may stand where a type is wanted."""
        from flytenb.bridge.type_names import is_annotation

        found = [name for name, value in self._public() if value is not None and is_annotation(value)]
        return [*dict.fromkeys([*found, *_PLAIN_TYPES])]

    def nodes(self, words: Iterable[str]) -> list[str]:
        """The nodes of the first entity or run that is named, by path and by name."""
        from flytenb.bridge.workflow.graph import read_graph

        for word in words:
            entity, run = self.entity(word), self.run(word)
            if entity is not None or run is not None:
                graph = read_graph(entity) if run is None else run.graph
                nodes = [node for node in graph.nodes.values() if not node.is_pseudo]
                return list(dict.fromkeys([*(n.path for n in nodes), *(n.name for n in nodes)]))
        return []

    def failed_nodes(self) -> list[str]:
        """The nodes that failed in the last run that did, by path and by name."""
        run = next((run for run in reversed(self._session.runs) if run.error is not None), None)
        if run is None:
            return []
        paths = [path for path, node in run.nodes.items() if node.error is not None]
        names = [run.graph.nodes[path].name for path in paths if path in run.graph.nodes]
        return list(dict.fromkeys([*paths, *names]))

    def values_of(self, declared: Any, argument: str = "") -> list[str]:
        """The values that a type lists (an Enum's, a Literal's, True and False), and what makes one of its class."""
        if argument == "on_failure":
            return self.entities()
        return list(dict.fromkeys([*self._values_of(declared), *_NUMBERS.get(argument, ())]))

    def _values_of(self, declared: Any) -> Iterator[str]:
        if typing.get_origin(declared) is typing.Literal:
            yield from map(repr, typing.get_args(declared))
        elif declared is bool:
            yield from ("True", "False")
        elif declared is type(None):
            yield "None"
        elif isinstance(declared, type) and issubclass(declared, Enum):
            if name := self._name_of(declared):
                yield from (f"{name}.{member}" for member in declared.__members__)
        elif isinstance(declared, type) and declared.__module__ != "builtins" and typing.get_origin(declared) is None:
            if name := self._name_of(declared):
                yield f"{name}("
        elif typing.get_origin(declared) in (typing.Union, types.UnionType, typing.Annotated):
            for inner in typing.get_args(declared):
                yield from self._values_of(inner)

    def _name_of(self, thing: Any) -> str:
        """How the notebook can say a class: by a variable, its own name first, or as a module's member."""
        own: str = thing.__name__
        known = [name for name, value in self._public() if value is thing]
        if known:
            return own if own in known else known[0]
        modules = [(name, value) for name, value in self._public() if isinstance(value, types.ModuleType)]
        return next((f"{name}.{own}" for name, value in modules if vars(value).get(own) is thing), "")

    def _public(self) -> list[tuple[str, Any]]:
        return [(n, v) for n, v in list(self._namespace.items()) if not n.startswith("_") and not hasattr(builtins, n)]


def _is_run(value: Any) -> bool:
    module = sys.modules.get("flytenb.runner.run")
    return module is not None and isinstance(value, module.Run)
