"""Workflows and launch plans within a workflow."""

from __future__ import annotations

from flyteidl.core import literals_pb2 as lit

from tests.cluster.identifiers import key_of
from tests.cluster.node_run import NodePhase, NodeRun


def run_workflow_node(run: NodeRun) -> lit.LiteralMap:
    from tests.cluster.workflow_run import WorkflowRun

    run.set_phase(NodePhase.RUNNING)
    closure = run.workflow.closure
    workflow = closure.workflows[key_of(run.node.workflow_node.sub_workflow_ref)]
    inner = WorkflowRun(run.engine, closure, workflow, run.as_parent, run.attempt_folder, run.stop)
    return inner.run(run.inputs)
