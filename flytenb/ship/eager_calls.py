"""Calls of eager tasks on a cluster: executions of their own, found by name and label, as nodes inside of the task."""

from __future__ import annotations

from typing import Any, NamedTuple

from flytenb.bridge.cluster.closure_graph import graph_of_task, graph_of_workflow
from flytenb.bridge.cluster.execution_facts import ExecutionFacts
from flytenb.bridge.cluster.execution_reader import ExecutionReader
from flytenb.bridge.cluster.launching import task_template, workflow_closure
from flytenb.bridge.cluster.node_entities import entities_by_path, entity_named
from flytenb.bridge.workflow.graph import graph_of_call
from flytenb.model import Graph


class EagerCall(NamedTuple):
    """One call: its path, the execution, how it is now, and its graph and entities if it is new."""

    path: str
    reader: ExecutionReader
    facts: ExecutionFacts
    graph: Graph | None = None
    entities: dict[str, Any] | None = None

    @property
    def is_task(self) -> bool:
        """Whether a task alone is executed."""
        return self.facts.kind == "task"


class EagerCalls:
    """The calls that one eager task has made so far.

    Args:
        path: the path of its node.
        reader: asks about its execution.
        name: its name.
        entity: the notebook's entity, None if it isn't known.
    """

    def __init__(self, path: str, reader: ExecutionReader, name: str, entity: Any) -> None:
        self._path, self._reader, self._name, self._entity = path, reader, name, entity
        self._paths: dict[str, str] = {}

    def read(self) -> list[EagerCall]:
        """Return the calls so far, in the order in which they were begun.

        Raises:
            ClusterError: with the message of the server.
        """
        found = []
        for identifier, facts in self._reader.read_calls(self._name):
            path = self._paths.get(identifier.name)
            reader = ExecutionReader(self._reader.connection, identifier)
            if path is None:
                path = f"{self._path}/e{len(self._paths)}"
                found.append(EagerCall(path, reader, facts, *self._read_graph(path, facts)))
                self._paths[identifier.name] = path
            else:
                found.append(EagerCall(path, reader, facts))
        return found

    def _read_graph(self, path: str, facts: ExecutionFacts) -> tuple[Graph, dict[str, Any]]:
        entity = entity_named(self._entity, facts.name)
        if entity is not None:
            inside = {} if facts.kind == "task" else entities_by_path(entity)
            entities = {path: entity, **{f"{path}/{inner}": each for inner, each in inside.items()}}
            return graph_of_call(entity, path), entities
        connection = self._reader.connection
        if facts.kind == "task":
            return graph_of_task(task_template(connection, facts.name, facts.version), path), {}
        return graph_of_workflow(workflow_closure(connection, facts.workflow), path), {}
