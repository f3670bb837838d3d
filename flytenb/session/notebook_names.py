"""Names of a notebook by kind, for completion: entities, runs, values, types, nodes, inputs."""

from __future__ import annotations

import builtins
import sys
import types
import typing
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any

from flytenb.engines import image_names
from flytenb.languages.language_registry import language_names
from flytenb.wording.types import is_annotation

if TYPE_CHECKING:
    from flytenb.runner.run import Run
    from flytenb.session import Session

_PLAIN_TYPES = ("bool", "bytes", "float", "int", "str", "dict[", "list[", "tuple[")
_SHELL_NAMES = frozenset({"In", "Out", "exit", "quit", "get_ipython", "open"})
_NUMBERS = {"retries": ("1", "2", "3"), "timeout": ("60", "600", "3600")}


class NotebookNames:
    """Looks up names of a notebook, and lists those of one kind.

    Args:
        session: the session of the notebook.
        namespace: the notebook's variables.
    """

    def __init__(self, session: Session, namespace: Mapping[str, Any]) -> None:
        self._session = session
        self._namespace = namespace

    # --- lookup --------------------------------------------------------------------------------------------------

    def entity(self, name: str) -> Any:
        """Return the entity with a name (`module.name` too), or None."""
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
        """Return the run in a variable, or None."""
        value = self._namespace.get(name)
        return value if _is_run(value) else None

    def input_types(self, name: str) -> Mapping[str, Any] | None:
        """Return the input types of the entity with a name, or None if there is no such entity."""
        from flytenb.bridge.entities.source import input_types

        entity = self.entity(name)
        return None if entity is None else input_types(entity)

    def decorator_types(self, kind: str) -> Mapping[str, Any]:
        """Return the types of the arguments of `@task`, `@workflow`, `@dynamic` or `@eager`."""
        from flytenb.bridge.workflow.definition import decorator_arguments

        return decorator_arguments(kind)

    # --- lists ---------------------------------------------------------------------------------------------------

    def entities(self) -> list[str]:
        """List the entities, those of the latest cell included."""
        from flytenb.bridge.entities.interface import is_entity

        return [name for name, value in self._public() if is_entity(value)]

    def runs(self) -> list[str]:
        """List the variables that hold a run."""
        return [name for name, value in self._public() if _is_run(value)]

    def values(self) -> list[str]:
        """List the variables that hold neither an entity, a module, a function nor a class."""
        from flytenb.bridge.entities.interface import is_entity

        not_values = (types.ModuleType, types.FunctionType, types.BuiltinFunctionType)
        found = ((n, v) for n, v in self._public() if n not in _SHELL_NAMES and not isinstance(v, not_values))
        return [name for name, value in found if value is None or not (is_entity(value) or is_annotation(value))]

    def functions(self) -> list[str]:
        """List the variables that hold a plain function."""
        return [name for name, value in self._public() if isinstance(value, types.FunctionType)]

    def types(self) -> list[str]:
        """List the names of types, the built-in ones last."""
        found = [name for name, value in self._public() if value is not None and is_annotation(value)]
        return [*dict.fromkeys([*found, *_PLAIN_TYPES])]

    def languages(self) -> list[str]:
        """List the languages of container cells."""
        return language_names()

    def images(self) -> list[str]:
        """List the images that the Docker engine has."""
        return image_names()

    def nodes(self, words: Iterable[str]) -> list[str]:
        """List the nodes of the first word that names an entity or a run, by path and by name."""
        from flytenb.bridge.workflow.graph import read_graph

        for word in words:
            entity, run = self.entity(word), self.run(word)
            if entity is not None or run is not None:
                graph = read_graph(entity) if run is None else run.graph
                nodes = [node for node in graph.nodes.values() if not node.is_pseudo]
                return list(dict.fromkeys([*(n.path for n in nodes), *(n.name for n in nodes)]))
        return []

    def failed_nodes(self) -> list[str]:
        """List the failed nodes of the latest failed run, by path and by name."""
        run = next((run for run in reversed(self._session.runs) if run.error is not None), None)
        if run is None:
            return []
        paths = [path for path, node in run.nodes.items() if node.error is not None]
        names = [run.graph.nodes[path].name for path in paths if path in run.graph.nodes]
        return list(dict.fromkeys([*paths, *names]))

    def clusters(self) -> list[str]:
        """List the variables that hold a cluster."""
        module = sys.modules.get("flytenb.session.cluster_place")
        return [name for name, value in self._public() if module is not None and isinstance(value, module.ClusterPlace)]

    def executions(self) -> list[str]:
        """List the executions on clusters among the latest runs, the latest first."""
        found = (getattr(run, "execution", "") for run in reversed(self._session.runs))
        return [execution for execution in found if execution]

    def values_of(self, declared: Any, argument: str = "") -> list[str]:
        """List the values of a type (Enum, Literal, bool), or the call that constructs one of a class."""
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
        """Return an expression for a class: a variable, its own name first, or a member of a module."""
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
