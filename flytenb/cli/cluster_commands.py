"""The commands that use a cluster: `launch`, `attach`, `replay`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from flytenb.cli.entity_command import SETTING, TRACEBACK, entity_command, finished, run_reply
from flytenb.cli.json_values import json_value
from flytenb.cli.reply import ALL_CELLS, JSON, NOTEBOOK, Reply, opened
from flytenb.cli.verb_options import given_options, options_of
from flytenb.notebook.magics.verbs import VERBS
from flytenb.notebook.magics.verbs.launch import cluster_of

if TYPE_CHECKING:
    from flytenb.notebook.headless import HeadlessNotebook
    from flytenb.ship.cluster_run import ClusterRun
    from flytenb.ship.replayed_node import Replay
    from flytenb.ship.shipment import Shipment


def _launch(
    notebook: HeadlessNotebook, entity: Any, inputs: dict[str, Any], options: dict[str, Any], has_traceback: bool
) -> Reply:
    cluster = cluster_of(options)
    if "dry-run" in options:
        return _shipped(cluster.register(entity, dry_run=True))
    if "wait" not in options:
        return _begun(cluster.launch(entity, **inputs))
    run = finished(lambda: cluster.launch(entity, **inputs).wait())
    reply = run_reply(run, notebook, has_traceback=has_traceback)
    return Reply(reply.text, {**_place(run), **reply.data}, reply.is_good, reply.problem)


def _attach(execution: str, as_json: bool, traceback: bool, **params: Any) -> int:
    cluster = cluster_of(given_options(params, SETTING))
    run = finished(lambda: cluster.attach(execution).wait())
    reply = run_reply(run, None, has_traceback=traceback)
    return Reply(reply.text, {**_place(run), **reply.data}, reply.is_good, reply.problem).write(as_json=as_json)


def _replay(
    notebook: Path, execution: str, node: str, as_json: bool, traceback: bool, all_cells: bool, **params: Any
) -> int:
    cluster = cluster_of(given_options(params, SETTING))
    done: list[Replay] = []
    with opened(notebook) as cells:
        cells.define(everything=all_cells)
        run = finished(lambda: done.append(cluster.replay(execution, node)))
        reply = _replayed(done[0], run_reply(run, cells, has_traceback=traceback))
    return reply.write(as_json=as_json)


def _replayed(replay: Replay, here: Reply) -> Reply:
    recorded = replay.recorded
    types = {name: declared for name, _, declared in replay.run._declared_outputs()}
    data = {
        "execution": replay.execution,
        "node": recorded.path,
        "is_same": replay.is_same,
        "differences": list(replay.differences),
        "recorded": {
            "outputs": {name: json_value(value, types.get(name, object)) for name, value in recorded.outputs.items()},
            "error": None if recorded.error is None else recorded.error.message,
        },
    }
    return Reply(repr(replay), {**here.data, **data}, replay.is_same and here.is_good, here.problem)


def _place(run: Any) -> dict[str, Any]:
    return {"execution": run.execution, "url": run.url}


def _begun(run: ClusterRun) -> Reply:
    """Return the reply for an execution that goes on."""
    text = f"launched {run.execution}\n  {run.url}\n  follow it: flytenb attach {run.execution}"
    return Reply(text, {**_place(run), "entity": run.name})


def _shipped(shipment: Shipment) -> Reply:
    data = {
        "entity": shipment.name,
        "kind": shipment.kind,
        "project": shipment.project,
        "domain": shipment.domain,
        "version": shipment.version,
        "is_registered": shipment.is_registered,
        "files": sorted(shipment.files),
        "specs": [{"kind": spec.kind, "name": spec.name} for spec in shipment.specs],
    }
    return Reply(repr(shipment), data)


LAUNCH = entity_command(
    "launch",
    options_of(VERBS["launch"], SETTING),
    _launch,
    "Register a task, workflow or launch plan of a notebook on a cluster and start it there.",
)
ATTACH = click.RichCommand(
    name="attach",
    callback=_attach,
    params=[*options_of(VERBS["attach"], SETTING), JSON, TRACEBACK, click.Argument(["execution"], metavar="EXECUTION")],
    help="Follow an execution on a cluster until it ends.\n\nEXECUTION is its name, project:domain:name, or the "
    "address of its page in the console. An interrupt ends the command and not the execution.",
)
REPLAY = click.RichCommand(
    name="replay",
    callback=_replay,
    params=[
        *options_of(VERBS["replay"], SETTING),
        JSON,
        TRACEBACK,
        ALL_CELLS,
        NOTEBOOK,
        click.Argument(["execution"], metavar="EXECUTION"),
        click.Argument(["node"], default="", metavar="[NODE]"),
    ],
    help="Run a node of an execution here with its recorded inputs, and compare its outputs with the recorded ones.\n\n"
    "The notebook's current task is run. EXECUTION is as for `attach`; NODE is a path or the name of a task, by "
    "default the node that failed first, else the whole execution. The exit status is 0 only if the outputs are equal.",
)
