"""Functions that use a Flyte cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flytenb.session.cluster_choice import Cluster
from flytenb.ship.cluster_run import ClusterRun
from flytenb.ship.replayed_node import Replay
from flytenb.ship.shipment import Shipment


def cluster(
    config: str | Path | Any | None = None,
    *,
    project: str | None = None,
    domain: str | None = None,
    module: str = "",
    image: str = "",
) -> Cluster:
    """Return a cluster with the methods `.register(entity)` and `.launch(entity, …)`.

        staging = flytenb.cluster("staging.yaml", project="sales")
        run = staging.launch(training, n=3)

    The endpoint and the way to log in are found as flytekit finds them, if `config` is omitted: in the environment and
    in `~/.flyte/config.yaml`.

    Args:
        config: a configuration file of flytekit, or its `Config`.
        project: the project, by default `flytesnacks`, as for `pyflyte run`.
        domain: the domain, by default `development`.
        module: the name of the module that is registered, by default that of the entity's variable. Tasks are called
            `module.task` on the cluster.
        image: the image of tasks that name none, by default flytekit's own.

    Raises:
        UsageError: if the file doesn't exist.
    """
    return Cluster(config, project, domain, module, image)


def register(entity: Any, *, dry_run: bool = False) -> Shipment:
    """Register a task, workflow or launch plan on the cluster that flytekit finds, from the module that `export` makes.

    The version is a hash of the content: if the cluster has it, nothing is sent.

    Args:
        entity: a task, workflow or launch plan of the notebook.
        dry_run: returns everything that would be sent, without sending it.

    Raises:
        ExportError: for what `export` refuses.
        RegistrationError: if the module can't be imported in a process of its own.
        ClusterError: with the message of the server.
    """
    return Cluster().register(entity, dry_run=dry_run)


def launch(entity: Any, /, *positional: Any, **inputs: Any) -> ClusterRun:
    """Register an entity and start it on the cluster that flytekit finds; the run is returned at once.

        run = flytenb.launch(training, n=3)
        run.wait().outputs

    Args:
        entity: a task, workflow or launch plan of the notebook.
        *positional: inputs in the order in which they are declared.
        **inputs: inputs by name.

    Raises:
        InputError: for invalid inputs; the message lists all of them.
        ExportError: for what `export` refuses.
        RegistrationError: if the module can't be imported in a process of its own.
        ClusterError: with the message of the server.
    """
    return Cluster().launch(entity, *positional, **inputs)


def attach(execution: Any) -> ClusterRun:
    """Return an execution of the cluster that flytekit finds as a run, also one that another kernel has started.

    If the notebook defines its entity, values have the notebook's types; else those that flytekit guesses.

    Args:
        execution: its name, `project:domain:name`, its address in the console, or an object with an `id`.

    Raises:
        UsageError: for anything else.
        ClusterError: with the message of the server.
    """
    return Cluster().attach(execution)


def replay(execution: Any, node: str = "") -> Replay:
    """Run a node of an execution here with its recorded inputs, and compare outputs or error with the recorded ones.

    The notebook's current task is run, so that a corrected one can be tried. Files of the inputs are downloaded.

        flytenb.replay(run.execution, "fit").is_same

    Args:
        execution: as for `attach`.
        node: its path or the name of its task; the node that failed first by default, else the whole execution.

    Raises:
        UnknownNameError: for a node that has not run.
        UsageError: if the notebook doesn't define its task.
        ClusterError: with the message of the server.
    """
    return Cluster().replay(execution, node)
