"""Branches: one of the cases is run as a child of the node."""

from __future__ import annotations

from flyteidl.core import literals_pb2 as lit
from flyteidl.core import workflow_pb2 as wf

from tests.cluster.bindings import Unresolved, holds
from tests.cluster.failure import USER, Failure
from tests.cluster.node_run import NodePhase, NodeRun


def run_branch_node(run: NodeRun) -> lit.LiteralMap:
    run.set_phase(NodePhase.RUNNING)
    chosen = _chosen(run.node.branch_node.if_else, run.inputs)
    return run.workflow.run_case(chosen, run.as_parent, run.attempt_folder, run.stop)


def _chosen(if_else: wf.IfElseBlock, inputs: lit.LiteralMap) -> wf.Node:
    try:
        for block in (if_else.case, *if_else.other):
            if holds(block.condition, inputs):
                return block.then_node
    except Unresolved as error:
        raise Failure("MalformedBranchUserError", str(error), USER) from error
    if if_else.HasField("else_node"):
        return if_else.else_node
    raise Failure("UserProvidedError", if_else.error.message, USER)
