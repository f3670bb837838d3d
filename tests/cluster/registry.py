"""Tasks, workflows and launch plans as flyteadmin stores them: one digest for each version, never replaced."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any

from flyteidl.admin import common_pb2, launch_plan_pb2, task_pb2, workflow_pb2
from flyteidl.core import compiler_pb2, tasks_pb2
from flyteidl.core import identifier_pb2 as ids
from flyteidl.core import interface_pb2 as iface
from flyteidl.core import workflow_pb2 as wf
from google.protobuf.message import Message

from tests.cluster import validation
from tests.cluster.compiler import CompileErrors, Sources, compile_workflow, nodes_within
from tests.cluster.identifiers import Key, key_of, shown
from tests.cluster.records import copied, now
from tests.cluster.refused import Refused, exists, invalid, missing
from tests.cluster.settings import Settings

ACTIVE, INACTIVE = launch_plan_pb2.ACTIVE, launch_plan_pb2.INACTIVE


class Registry:
    """Everything that was registered."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._lock = threading.RLock()
        self._tasks: dict[Key, task_pb2.Task] = {}
        self._workflows: dict[Key, workflow_pb2.Workflow] = {}
        self._launch_plans: dict[Key, launch_plan_pb2.LaunchPlan] = {}

    # --- registering --------------------------------------------------------------------------------------------------

    def create_task(self, request: task_pb2.TaskCreateRequest) -> None:
        validation.check_task(request, self.settings)
        template = copied(request.spec.template)
        template.id.CopyFrom(request.id)
        made = task_pb2.Task(id=request.id, short_description=request.spec.description.short_description)
        made.closure.compiled_task.template.CopyFrom(template)
        made.closure.created_at.CopyFrom(now())
        self._store(self._tasks, "task", made, lambda task: task.closure.compiled_task)

    def create_workflow(self, request: workflow_pb2.WorkflowCreateRequest) -> None:
        validation.check_identifier(request.id, ids.WORKFLOW)
        validation.check_project(request.id.project, request.id.domain, self.settings)
        validation.require(request.spec.HasField("template"), "spec")
        template = copied(request.spec.template)
        template.id.CopyFrom(request.id)
        made = workflow_pb2.Workflow(id=request.id)
        made.closure.compiled_workflow.CopyFrom(self.compiled(template, request.spec.sub_workflows))
        made.closure.created_at.CopyFrom(now())
        validation.check_size(made, self.settings)
        self._store(self._workflows, "workflow", made, lambda workflow: workflow.closure.compiled_workflow)

    def create_launch_plan(self, request: launch_plan_pb2.LaunchPlanCreateRequest) -> None:
        workflow = self.workflow(request.spec.workflow_id)
        interface = workflow.closure.compiled_workflow.primary.template.interface
        spec = copied(request.spec)
        expected = validation.check_launch_plan(request, interface, self.settings)
        spec.default_inputs.CopyFrom(expected)
        made = launch_plan_pb2.LaunchPlan(id=request.id, spec=spec)
        made.closure.expected_inputs.CopyFrom(expected)
        made.closure.expected_outputs.CopyFrom(interface.outputs)
        made.closure.created_at.CopyFrom(now())
        self._store(self._launch_plans, "launch plan", made, lambda plan: plan.spec)

    def update_launch_plan(self, request: launch_plan_pb2.LaunchPlanUpdateRequest) -> None:
        """Change a plan's state; the version that was active before is active no longer."""
        with self._lock:
            chosen = self._found(self._launch_plans, request.id)
            for plan in self._launch_plans.values():
                if request.state == ACTIVE and _name_of(plan.id) == _name_of(request.id):
                    plan.closure.state = INACTIVE
            chosen.closure.state = request.state
            chosen.closure.updated_at.CopyFrom(now())

    def _store(self, stored: dict[Key, Any], kind: str, made: Any, structure: Any) -> None:
        with self._lock:
            before = stored.get(key_of(made.id))
            if before is None:
                stored[key_of(made.id)] = made
            elif _digest(structure(before)) == _digest(structure(made)):
                raise exists(f"{kind} with identical structure already exists")
            else:
                raise invalid(
                    f"{made.id.name} {kind} with different structure already exists. "
                    f"(Please register a new version of the {kind}):\n"
                )

    def compiled(
        self,
        template: wf.WorkflowTemplate,
        sub_workflows: Iterable[wf.WorkflowTemplate],
        own_tasks: Iterable[tasks_pb2.TaskTemplate] = (),
    ) -> compiler_pb2.CompiledWorkflowClosure:
        """Compile a workflow with the tasks and launch plans that are registered, or that it brings itself."""
        parts = [template, *sub_workflows]
        tasks = {key_of(task.id): task for task in own_tasks}
        plans: dict[Key, launch_plan_pb2.LaunchPlanClosure] = {}
        try:
            for node in (node for part in parts for node in nodes_within([*part.nodes, part.failure_node])):
                if node.HasField("task_node") and key_of(node.task_node.reference_id) not in tasks:
                    reference = node.task_node.reference_id
                    tasks[key_of(reference)] = self.task(reference).closure.compiled_task.template
                if node.workflow_node.HasField("launchplan_ref"):
                    reference = node.workflow_node.launchplan_ref
                    plans[key_of(reference)] = self.launch_plan(reference).closure
            workflows = {key_of(part.id): part for part in parts[1:]}
            return compile_workflow(template, Sources(tasks, workflows, plans))
        except (CompileErrors, Refused) as error:
            raise invalid(f"failed to compile workflow for [{shown(template.id)}] with err: {error}") from error

    # --- finding ------------------------------------------------------------------------------------------------------

    def task(self, identifier: ids.Identifier) -> task_pb2.Task:
        with self._lock:
            return copied(self._found(self._tasks, identifier))

    def workflow(self, identifier: ids.Identifier) -> workflow_pb2.Workflow:
        with self._lock:
            return copied(self._found(self._workflows, identifier))

    def launch_plan(self, identifier: ids.Identifier) -> launch_plan_pb2.LaunchPlan:
        with self._lock:
            return copied(self._found(self._launch_plans, identifier))

    def active_launch_plan(self, name: common_pb2.NamedEntityIdentifier) -> launch_plan_pb2.LaunchPlan:
        with self._lock:
            for plan in self._launch_plans.values():
                if _name_of(plan.id) == (name.project, name.domain, name.name) and plan.closure.state == ACTIVE:
                    return copied(plan)
        raise missing(f"No active launch plan could be found: {name.project}:{name.domain}:{name.name}")

    def versions(self, kind: int, project: str, domain: str, name: str) -> list[Any]:
        """Return what is registered under a name, or all names if it is empty; it must not be changed."""
        stored: dict[int, dict[Key, Any]] = {
            ids.TASK: self._tasks,
            ids.WORKFLOW: self._workflows,
            ids.LAUNCH_PLAN: self._launch_plans,
        }
        with self._lock:
            found = [each for key, each in stored[kind].items() if key[1:3] == (project, domain)]
            return [each for each in found if name in ("", each.id.name)]

    def _found(self, stored: dict[Key, Any], identifier: ids.Identifier) -> Any:
        found = stored.get(key_of(identifier))
        if found is None:
            kind = ids.ResourceType.Name(identifier.resource_type)
            raise missing(f"missing entity of type {kind} with identifier {shown(identifier)}")
        return found


def interface_of(workflow: workflow_pb2.Workflow) -> iface.TypedInterface:
    found: iface.TypedInterface = workflow.closure.compiled_workflow.primary.template.interface
    return found


def entity_fields(entity: Any) -> dict[str, Any]:
    """The columns by which flyteadmin filters and sorts."""
    return {
        "name": entity.id.name,
        "version": entity.id.version,
        "project": entity.id.project,
        "domain": entity.id.domain,
        "state": str(entity.closure.state) if hasattr(entity.closure, "state") else "0",
        "created_at": entity.closure.created_at.ToNanoseconds(),
    }


def _name_of(identifier: ids.Identifier) -> tuple[str, str, str]:
    return identifier.project, identifier.domain, identifier.name


def _digest(message: Message) -> bytes:
    return message.SerializeToString(deterministic=True)
