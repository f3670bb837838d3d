"""Which nodes of a local run are executed on a cluster: resolved and registered before the run starts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from flytenb.bridge.cluster.node_entities import entities_by_path
from flytenb.bridge.entities.interface import (
    is_entity,
    is_map,
    kind_of,
    map_target,
    short_name,
)
from flytenb.bridge.entities.kind import is_executable, is_growing
from flytenb.bridge.execution.map_task import is_plain_map
from flytenb.errors import UsageError, closest
from flytenb.ship.node_execution import RegisteredEntity

Register = Callable[[], RegisteredEntity]
"""Registers a packed entity, unless the cluster has it; on any thread."""
Pack = Callable[[Any], Register]
"""Packs an entity for a cluster; raises ExportError for one that can't leave the notebook."""
_AT_ONCE = 4
"""Entities that are registered at the same time, most of them in processes of their own."""


@dataclass(frozen=True)
class Placement:
    """The chosen nodes of one run.

    Attributes:
        by_path: what nodes are executed as that were chosen by path.
        by_entity: the same for all nodes of an entity, by its id.
    """

    by_path: dict[str, RegisteredEntity] = field(default_factory=dict)
    by_entity: dict[int, RegisteredEntity] = field(default_factory=dict)

    @classmethod
    def of(cls, entity: Any, chosen: Mapping[Any, Pack], defined: Mapping[str, Any]) -> Placement:
        """Find and register what was chosen.

        Args:
            entity: the entity that is run.
            chosen: nodes, each with what packs it: by path, by the name or variable of their entity, or by the entity.
            defined: the entities of the notebook by variable, which dynamic and eager tasks may call.

        Raises:
            UsageError: for a node that the run doesn't have, and one that can't be executed by itself.
            ExportError: for an entity that can't leave the notebook.
            RegistrationError: if the module can't be imported in a process of its own.
            ClusterError: with the message of the server.
        """
        known = _Known(entity, defined)
        found = [(key, pack, each) for key, pack in chosen.items() for each in known.find(key)]
        packed = [pack(each) for _, pack, each in found]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            registered = [*pool.map(lambda register: register(), packed)]
        made = cls()
        for (key, _, each), one in zip(found, registered, strict=True):
            if isinstance(key, str) and known.at(key) is not None:
                made.by_path[key] = one
            else:
                made.by_entity[id(each)] = one
        return made

    def find(self, path: str, entity: Any) -> RegisteredEntity | None:
        """Return what a node is executed as, None if it is run here."""
        return self.by_path.get(path) or self.by_entity.get(id(entity))


class _Known:
    """The entities that nodes of a run may have."""

    def __init__(self, entity: Any, defined: Mapping[str, Any]) -> None:
        self._defined = defined
        self.by_path = entities_by_path(entity)
        self._name = short_name(entity)
        nodes = [*self.by_path.values()]
        apart = [each for each in nodes if _is_by_element(each)]
        has_growing = any(map(is_growing, nodes))
        whole = [each for each in nodes if not _is_by_element(each)]
        self._all = [*whole, *map(map_target, apart), *(defined.values() if has_growing else [])]

    def at(self, path: str) -> Any:
        """Return the entity of a node or of an element of a map, None if there is none."""
        around, _, last = path.rpartition("/")
        owner = self.by_path.get(around)
        is_element = owner is not None and is_map(owner) and last.isdigit()
        return map_target(owner) if is_element else self.by_path.get(path)

    def find(self, key: Any) -> list[Any]:
        """Return the entities that a path, a name or an entity chooses."""
        found = {id(each): each for each in self._matching(key)}
        if not found:
            raise self._unknown(key)
        for each in found.values():
            if _is_by_element(each):
                raise UsageError(
                    f"map {key!r} can't be executed on a cluster as a whole: it has settings of its own, or its target "
                    "is a launch plan or a container",
                    hint=f"{short_name(each)!r} chooses its elements",
                )
            if not is_executable(each):
                raise UsageError(
                    f"node {key!r} can't be executed on a cluster by itself: it is a {kind_of(each)}",
                    hint="choose tasks, subworkflows or launch plans",
                )
        return [*found.values()]

    def _matching(self, key: Any) -> Iterator[Any]:
        if not is_entity(key) and self.at(key) is not None:
            yield self.at(key)
            return
        wanted = key if is_entity(key) else self._defined.get(key)
        for each in self._all:
            is_wanted = wanted is not None and (each is wanted or (is_map(each) and map_target(each) is wanted))
            if is_wanted or short_name(each) == key:
                yield each

    def _unknown(self, key: Any) -> UsageError:
        name = short_name(key) if is_entity(key) else key
        names = list(dict.fromkeys([*map(short_name, self._all), *self.by_path]))
        hint = closest(str(name), names) or "choose nodes by the name of their task, or by path"
        if name == self._name:
            hint = f"{name} itself is executed on a cluster by %flyte launch; choose its nodes"
        return UsageError(f"expected a task or node of {self._name!r} to execute on a cluster, got {name!r}", hint=hint)


def _is_by_element(entity: Any) -> bool:
    """Tell whether an entity is a map of which only the elements can be executed by themselves."""
    return is_map(entity) and not is_plain_map(entity)
