"""Functions in the place of services and of entities that a cluster has, for the double of a cluster."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flyteidl.admin import launch_plan_pb2, task_pb2, workflow_pb2
from flyteidl.core import identifier_pb2 as ids
from flyteidl.core import interface_pb2 as iface
from flyteidl.core import literals_pb2 as lit
from flyteidl.core import tasks_pb2, types_pb2
from flyteidl.core import workflow_pb2 as wf
from flytekit.core.context_manager import FlyteContextManager
from flytekit.core.launch_plan import ReferenceLaunchPlan
from flytekit.core.reference_entity import ReferenceEntity
from flytekit.core.type_engine import TypeEngine
from flytekit.models.literals import LiteralMap

from tests.cluster.cluster import Cluster
from tests.cluster.settings import StandIn


def stand_in(entity: Any, function: Callable[..., Any]) -> StandIn:
    """Return what runs an entity's function with the literals of its interface."""

    def run(template: Any, literals: Mapping[str, Any]) -> Mapping[str, Any]:
        context, types = FlyteContextManager.current_context(), entity.python_interface
        given = LiteralMap.from_flyte_idl(lit.LiteralMap(literals=literals))
        result = function(**TypeEngine.literal_map_to_kwargs(context, given, types.inputs))
        [(name, python_type)] = types.outputs.items()
        literal_type = TypeEngine.to_literal_type(python_type)
        return {name: TypeEngine.to_literal(context, result, python_type, literal_type).to_flyte_idl()}

    return run


def place(cluster: Cluster, entity: Any, function: Callable[..., Any]) -> None:
    """Put a function in the place of a service's task, or of the entity that a reference names."""
    stand_ins = cluster.settings.stand_ins
    assert isinstance(stand_ins, dict)
    if not isinstance(entity, ReferenceEntity):
        stand_ins[entity.task_type] = stand_in(entity, function)
        return
    named = entity.reference
    key = {"project": named.project, "domain": named.domain, "name": named.name, "version": named.version}
    stand_ins[f"stand-in for {named.name}"] = stand_in(entity, function)
    interface = entity.interface.to_flyte_idl()
    task = ids.Identifier(resource_type=ids.TASK, **key)
    template = tasks_pb2.TaskTemplate(id=task, type=f"stand-in for {named.name}", interface=interface)
    template.metadata.runtime.CopyFrom(tasks_pb2.RuntimeMetadata(type=1, version="1", flavor="python"))
    cluster.registry.create_task(task_pb2.TaskCreateRequest(id=task, spec=task_pb2.TaskSpec(template=template)))
    if isinstance(entity, ReferenceLaunchPlan):
        _create_plan(cluster, key, task, interface)


def _create_plan(cluster: Cluster, key: Mapping[str, str], task: Any, interface: Any) -> None:
    """Register a launch plan of a workflow of one task."""
    workflow = ids.Identifier(resource_type=ids.WORKFLOW, **key)
    node = wf.Node(id="n0", task_node=wf.TaskNode(reference_id=task), inputs=_bindings("", interface.inputs))
    template = wf.WorkflowTemplate(
        id=workflow, interface=interface, nodes=[node], outputs=_bindings("n0", interface.outputs)
    )
    spec = workflow_pb2.WorkflowSpec(template=template)
    cluster.registry.create_workflow(workflow_pb2.WorkflowCreateRequest(id=workflow, spec=spec))
    required = {name: iface.Parameter(var=each, required=True) for name, each in interface.inputs.variables.items()}
    plan = launch_plan_pb2.LaunchPlanSpec(workflow_id=workflow, default_inputs=iface.ParameterMap(parameters=required))
    own = ids.Identifier(resource_type=ids.LAUNCH_PLAN, **key)
    cluster.registry.create_launch_plan(launch_plan_pb2.LaunchPlanCreateRequest(id=own, spec=plan))


def _bindings(node: str, variables: Any) -> list[lit.Binding]:
    return [
        lit.Binding(var=name, binding=lit.BindingData(promise=types_pb2.OutputReference(node_id=node, var=name)))
        for name in variables.variables
    ]
