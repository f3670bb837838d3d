"""Workflows and launch plans within a workflow."""

from __future__ import annotations

from contextlib import suppress

from flyteidl.admin import execution_pb2
from flyteidl.core import execution_pb2 as phases
from flyteidl.core import identifier_pb2 as ids
from flyteidl.core import literals_pb2 as lit

from tests.cluster import workflow_run
from tests.cluster.failure import USER, Failure
from tests.cluster.identifiers import child_name, key_of
from tests.cluster.node_run import NodePhase, NodeRun
from tests.cluster.records import ExecutionRecord
from tests.cluster.refused import Refused
from tests.cluster.stop import Stopped


def run_workflow_node(run: NodeRun) -> lit.LiteralMap:
    if run.node.workflow_node.HasField("launchplan_ref"):
        with run.slots.taken(run.stop):
            return _run_launch_plan(run)
    run.set_phase(NodePhase.RUNNING)
    closure = run.workflow.closure
    workflow = closure.workflows[key_of(run.node.workflow_node.sub_workflow_ref)]
    inner = workflow_run.WorkflowRun(run.engine, closure, workflow, run.as_parent, run.attempt_folder, run.stop)
    return inner.run(run.inputs)


def _run_launch_plan(run: NodeRun) -> lit.LiteralMap:
    """Launch an execution and wait for its end."""
    record = _launch(run)
    records, closure = run.engine.records, record.message.closure
    with records.changing():
        target = run.record.message.closure.workflow_node_metadata
        target.executionId.CopyFrom(record.message.id)
        run.set_phase(NodePhase.RUNNING)
    with run.stop.calling(records.notify), records.changed:
        records.changed.wait_for(lambda: record.is_done or run.stop.is_set)
    if not record.is_done:
        _abort(run, record)
        raise Stopped
    if closure.phase == phases.WorkflowExecution.SUCCEEDED:
        return record.outputs
    if closure.phase == phases.WorkflowExecution.ABORTED:
        words = f"launchplan [{record.message.id.name}] aborted, caused by: launchplan execution aborted"
        raise Failure("RemoteChildWorkflowExecutionFailed", words, USER)
    raise Failure.of(closure.error)


def _abort(run: NodeRun, record: ExecutionRecord) -> None:
    cause = f"cascading abort as parent execution id [{run.engine.id.name}] aborted"
    with suppress(Refused):  # it has ended meanwhile
        run.engine.terminate(execution_pb2.ExecutionTerminateRequest(id=record.message.id, cause=cause))


def _launch(run: NodeRun) -> ExecutionRecord:
    identifier = run.engine.id
    spec = execution_pb2.ExecutionSpec(launch_plan=run.node.workflow_node.launchplan_ref)
    parent = run.engine.record.message.spec
    for name in ("max_parallelism", "overwrite_cache"):
        setattr(spec, name, getattr(parent, name))
    spec.envs.CopyFrom(parent.envs)
    spec.metadata.mode = execution_pb2.ExecutionMetadata.CHILD_WORKFLOW
    spec.metadata.nesting = parent.metadata.nesting + 1
    spec.metadata.parent_node_execution.CopyFrom(run.record.message.id)
    name = child_name(identifier.name, run.unique_id, run.attempt)
    request = execution_pb2.ExecutionCreateRequest(
        project=identifier.project, domain=identifier.domain, name=name, spec=spec, inputs=run.inputs
    )
    try:
        made: ids.WorkflowExecutionIdentifier = run.engine.launch(request)
    except Refused as refused:
        raise Failure("RuntimeExecutionError", f"failed to launch workflow, caused by: {refused.words}") from refused
    return run.engine.records.execution(made)
