"""An execution that a cluster has, with the notebook's entities for its nodes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flytenb.bridge.cluster.closure_graph import closure_gates, closure_graph, closure_names, task_graph
from flytenb.bridge.cluster.connection import Connection
from flytenb.bridge.cluster.execution_facts import ExecutionFacts, ExecutionId
from flytenb.bridge.cluster.execution_reader import ExecutionReader
from flytenb.bridge.cluster.launching import task_template, workflow_closure
from flytenb.bridge.cluster.node_entities import entities_by_path
from flytenb.bridge.cluster.registration import name_on_cluster
from flytenb.bridge.cluster.remote_values import guess_interface, remote_workspace
from flytenb.errors import UsageError
from flytenb.locks import cached_property
from flytenb.model import Graph
from flytenb.model.workflow import Workflow
from flytenb.reach.staleness import recompile_stale
from flytenb.runner.run import read_graph_once
from flytenb.runner.run_inputs import Root, root_of
from flytenb.runner.wiring import Wired
from flytenb.ship.cluster_run import ClusterRun

_NAME = re.compile(r"[a-z][a-z0-9-]*")
_ADDRESS = re.compile(r".*/projects/([^/]+)/domains/([^/]+)/executions/([^/?#]+).*")


@dataclass(frozen=True)
class RecordedExecution:
    """An execution, read from a cluster.

    Attributes:
        reader: asks the cluster about it.
        facts: what was executed, and its phase when it was read.
        entities: the notebook's entities.
    """

    reader: ExecutionReader
    facts: ExecutionFacts
    entities: tuple[Any, ...]

    @classmethod
    def of(cls, connection: Connection, given: Any, entities: Mapping[str, Any]) -> RecordedExecution:
        """Read an execution.

        Args:
            connection: the cluster.
            given: its name, `project:domain:name`, its address in the console, or an object with an `id`.
            entities: the notebook's entities.

        Raises:
            UsageError: for anything else.
            ClusterError: with the message of the server.
        """
        reader = ExecutionReader(connection, _identifier(connection, given))
        return cls(reader, reader.read_execution(), tuple(entities.values()))

    @cached_property
    def entity(self) -> Any:
        """The notebook's entity of that name, None if there is none, or if a workflow can't be compiled any more."""
        found = self.find(self.facts.name)
        if found is None:
            return None
        try:
            recompile_stale(found)
            read_graph_once(found).get()
        except Exception:  # of the body of a workflow; the cluster has the graph, and the notebook the tasks
            return None
        return found

    def find(self, name: str) -> Any:
        """Return the notebook's entity that has a name on the cluster, None if there is none."""
        module = name.rpartition(".")[0]
        return next((each for each in self.entities if name_on_cluster(each, module) == name), None)

    def attach(self) -> ClusterRun:
        """Return the execution as a run."""
        is_task = self.facts.kind == "task"
        if is_task:
            graph, entities = task_graph(self._template), {"n0": self.entity}
        else:
            graph = closure_graph(self._closure)
            entities = {path: self.find(name) for path, name in closure_names(self._closure).items()}
        local = None if self.entity is None else read_graph_once(self.entity).get()
        if local is not None and _runs(local) >= _runs(graph):  # the notebook's own graph says more
            graph, entities = local, entities_by_path(self.entity)
        workspace = remote_workspace(self.reader.connection)
        return ClusterRun(
            self.reader,
            self._root,
            graph,
            entities,
            workspace,
            entity=self.entity,
            is_task=is_task,
            known_gates={} if is_task else closure_gates(self._closure),
        )

    @cached_property
    def _closure(self) -> Any:
        return workflow_closure(self.reader.connection, self.facts.workflow)

    @cached_property
    def _template(self) -> Any:
        if self.facts.kind == "task":
            return task_template(self.reader.connection, self.facts.name, self.facts.version)
        return self._closure.primary.template

    @property
    def _root(self) -> Root:
        """The names and types: those of the notebook's entity, else what flytekit guesses."""
        if self.entity is not None:
            return root_of(self.entity, {})
        interface = guess_interface(self._template.interface)
        name = self.facts.name.rpartition(".")[2]
        return Root(name, {}, interface.inputs, interface.outputs, interface, Wired.of(Workflow((), {})), ())


def _runs(graph: Graph) -> set[str]:
    return {path for path, node in graph.nodes.items() if not node.is_pseudo}


def _identifier(connection: Connection, given: Any) -> ExecutionId:
    if isinstance(given, ClusterRun):
        given = given.execution
    found = getattr(given, "id", given)
    if all(isinstance(getattr(found, part, None), str) for part in ("project", "domain", "name")):
        return ExecutionId(found.project, found.domain, found.name)
    text = str(found).strip()
    matched = _ADDRESS.fullmatch(text)
    parts = list(matched.groups()) if matched else text.split(":")
    if len(parts) == 1:
        parts = [connection.project, connection.domain, text]
    if len(parts) != 3 or not _NAME.fullmatch(parts[2]):
        hint = "such as run.execution, project:domain:name, or the address of its page"
        raise UsageError(f"expected the name of an execution, got {given!r}", hint=hint)
    return ExecutionId(*parts)
