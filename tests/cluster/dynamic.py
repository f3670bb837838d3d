"""Dynamic tasks: what their pod writes to `futures.pb` is compiled and run as children of the node."""

from __future__ import annotations

from pathlib import Path

from flyteidl.admin import node_execution_pb2
from flyteidl.core import dynamic_job_pb2, tasks_pb2
from flyteidl.core import identifier_pb2 as ids
from flyteidl.core import literals_pb2 as lit
from flyteidl.core import workflow_pb2 as wf

from tests.cluster import workflow_run
from tests.cluster.failure import USER, Failure
from tests.cluster.identifiers import hashed
from tests.cluster.node_run import NodePhase, NodeRun
from tests.cluster.refused import Refused


def run_dynamic(run: NodeRun, template: tasks_pb2.TaskTemplate, futures: str) -> lit.LiteralMap:
    made = dynamic_job_pb2.DynamicJobSpec.FromString(Path(futures).read_bytes())
    identifier = ids.Identifier(
        resource_type=ids.WORKFLOW,
        project=run.engine.id.project,
        domain=run.engine.id.domain,
        name=f"dynamic_{run.node.id}",
        version=hashed(futures),
    )
    workflow = wf.WorkflowTemplate(id=identifier, nodes=made.nodes, outputs=made.outputs, interface=template.interface)
    try:
        compiled = run.engine.registry.compiled(workflow, made.subworkflows, made.tasks)
    except Refused as refused:
        raise Failure("DynamicWorkflowBuildFailed", refused.words, USER) from refused
    with run.engine.records.changing():
        metadata = run.record.message.metadata
        metadata.is_dynamic = metadata.is_parent_node = True
        run.record.dynamic = node_execution_pb2.DynamicWorkflowNodeMetadata(
            id=identifier, compiled_workflow=compiled, dynamic_job_spec_uri=futures
        )
        run.record.message.closure.dynamic_job_spec_uri = futures
        run.set_phase(NodePhase.DYNAMIC_RUNNING)
    inner = workflow_run.WorkflowRun(
        run.engine,
        workflow_run.Closure.of(compiled),
        compiled.primary,
        run.as_parent,
        run.attempt_folder,
        run.stop,
    )
    return inner.run(run.inputs)
