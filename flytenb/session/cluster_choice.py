"""A cluster with the verbs that use its executions and launch plans: launch, attach, replay, activate."""

from __future__ import annotations

import time
from typing import Any

from flytenb.bridge.cluster import launch_plans
from flytenb.bridge.cluster.execution_reader import ExecutionReader
from flytenb.bridge.cluster.launching import execute
from flytenb.bridge.cluster.node_entities import entities_by_path
from flytenb.bridge.cluster.remote_values import pack_inputs, remote_workspace
from flytenb.bridge.entities.inputs import name_positional
from flytenb.errors import UsageError
from flytenb.runner.run import read_graph_once
from flytenb.runner.run_inputs import check_inputs, root_of
from flytenb.session.cluster_place import ClusterPlace
from flytenb.session.host import host
from flytenb.session.listing import Listing
from flytenb.session.options import Options
from flytenb.ship.cluster_run import ClusterRun
from flytenb.ship.recorded_execution import RecordedExecution
from flytenb.ship.replayed_node import Recorded, Replay
from flytenb.ship.shipment import Shipment


class Cluster(ClusterPlace):
    """A cluster, a project and a domain, with verbs. Created by `flytenb.cluster`."""

    def launch(self, entity: Any, /, *positional: Any, **inputs: Any) -> ClusterRun:
        """Register an entity, start an execution and return it at once; inputs as for `flytenb.launch`."""
        shipment = self._pack(entity)
        given = name_positional(entity, positional, inputs) if positional else inputs
        root = root_of(entity, given)
        connection = self._connection
        workspace = remote_workspace(connection)
        with workspace.entered():
            checked = check_inputs(root, strict=True)
        registered = shipment.register(connection)
        is_task = registered.kind == "task"  # whose defaults a cluster doesn't know
        chosen = {name: value for name, value in checked.items() if is_task or name in given}
        literals = pack_inputs(connection, workspace, chosen)
        sent = time.time()
        made = execute(connection, registered.kind, registered.name, registered.version, literals)
        return self._watch(
            ClusterRun(
                ExecutionReader(connection, made),
                root,
                read_graph_once(entity).get(),
                entities_by_path(entity),
                workspace,
                entity=entity,
                is_task=is_task,
                inputs=checked,
                sent=sent,
            )
        )

    def attach(self, execution: Any) -> ClusterRun:
        """Return an execution as a run; arguments as for `flytenb.attach`."""
        return self._watch(self._read(execution).attach())

    def replay(self, execution: Any, node: str = "") -> Replay:
        """Run a node of an execution here; arguments as for `flytenb.replay`."""
        there = self._read(execution).attach().read()
        recorded = Recorded.of(there, node)
        here = Options().options(answers=recorded.answers)._finish(recorded.entity, **recorded.inputs)
        return Replay.of(here, there.execution, recorded)

    def plans(self) -> Listing:
        """List the launch plans of the project and the domain: those with a schedule or a name of their own, or active.

        Raises:
            ClusterError: with the message of the server.
        """
        return Listing.of_plans(launch_plans.read_plans(self._connection))

    def activate(self, plan: Any) -> Listing:
        """Activate a launch plan, so that its schedule starts executions, and list all.

        Args:
            plan: a launch plan or workflow of the notebook, which is registered, or the name of one on the cluster.

        Raises:
            UsageError: for a task.
            UnknownNameError: if the cluster has no plan of that name.
            ClusterError: with the message of the server.
        """
        if isinstance(plan, str):
            launch_plans.activate(self._connection, plan)
        else:
            registered = self._pack_plan(plan).register(self._connection)
            launch_plans.activate(self._connection, registered.name, registered.version)
        return self.plans()

    def deactivate(self, plan: Any) -> Listing:
        """Deactivate a launch plan, so that its schedule starts nothing more, and list all; `plan` as for `activate`.

        Raises:
            UsageError: for a task.
            ClusterError: with the message of the server, also if no version is active.
        """
        name = plan if isinstance(plan, str) else self._pack_plan(plan).name
        launch_plans.deactivate(self._connection, name)
        return self.plans()

    def _pack_plan(self, plan: Any) -> Shipment:
        shipment = self._pack(plan)
        if shipment.kind == "task":
            raise UsageError(f"expected a launch plan or a workflow, got task {shipment.name!r}")
        return shipment

    def _read(self, execution: Any) -> RecordedExecution:
        defined = {name: each.entity for name, each in host.session.definitions.items()}
        return RecordedExecution.of(self._connection, execution, defined)

    def _watch(self, made: ClusterRun) -> ClusterRun:
        for watcher in list(host.watchers):
            watcher(made)
        made._begin()
        return made
