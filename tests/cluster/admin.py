"""flyteadmin's service, on the servicer that flyteidl generates."""

from __future__ import annotations

import hashlib
from typing import Any

from flyteidl.admin import (
    common_pb2,
    execution_pb2,
    launch_plan_pb2,
    node_execution_pb2,
    project_pb2,
    task_execution_pb2,
    task_pb2,
    version_pb2,
    workflow_pb2,
)
from flyteidl.core import identifier_pb2 as ids
from flyteidl.service import admin_pb2_grpc
from google.protobuf.message import Message

from tests.cluster.executions import Executions
from tests.cluster.records import (
    NodeRecord,
    Records,
    copied,
    execution_fields,
    listed,
    node_fields,
    task_fields,
)
from tests.cluster.refused import missing
from tests.cluster.registry import Registry, entity_fields
from tests.cluster.settings import Settings
from tests.cluster.storage import Storage


class AdminService(admin_pb2_grpc.AdminServiceServicer):
    """Answers requests about entities and executions."""

    def __init__(
        self, settings: Settings, registry: Registry, records: Records, executions: Executions, storage: Storage
    ) -> None:
        self.settings, self.registry, self.records = settings, registry, records
        self.executions, self.storage = executions, storage

    # --- entities -----------------------------------------------------------------------------------------------------

    def CreateTask(self, request: Any, context: Any) -> Message:
        self.registry.create_task(request)
        return task_pb2.TaskCreateResponse()

    def CreateWorkflow(self, request: Any, context: Any) -> Message:
        self.registry.create_workflow(request)
        return workflow_pb2.WorkflowCreateResponse()

    def CreateLaunchPlan(self, request: Any, context: Any) -> Message:
        self.registry.create_launch_plan(request)
        return launch_plan_pb2.LaunchPlanCreateResponse()

    def UpdateLaunchPlan(self, request: Any, context: Any) -> Message:
        self.registry.update_launch_plan(request)
        return launch_plan_pb2.LaunchPlanUpdateResponse()

    def GetTask(self, request: Any, context: Any) -> Message:
        return self.registry.task(request.id)

    def GetWorkflow(self, request: Any, context: Any) -> Message:
        return self.registry.workflow(request.id)

    def GetLaunchPlan(self, request: Any, context: Any) -> Message:
        return self.registry.launch_plan(request.id)

    def GetActiveLaunchPlan(self, request: Any, context: Any) -> Message:
        return self.registry.active_launch_plan(request.id)

    def ListTasks(self, request: Any, context: Any) -> Message:
        found, token = self._versions(ids.TASK, request)
        return task_pb2.TaskList(tasks=found, token=token)

    def ListWorkflows(self, request: Any, context: Any) -> Message:
        found, token = self._versions(ids.WORKFLOW, request)
        made = workflow_pb2.WorkflowList(workflows=found, token=token)
        for workflow in made.workflows:  # a list comes without closures
            workflow.closure.ClearField("compiled_workflow")
        return made

    def ListLaunchPlans(self, request: Any, context: Any) -> Message:
        found, token = self._versions(ids.LAUNCH_PLAN, request)
        return launch_plan_pb2.LaunchPlanList(launch_plans=found, token=token)

    def ListActiveLaunchPlans(self, request: Any, context: Any) -> Message:
        plans = self.registry.versions(ids.LAUNCH_PLAN, request.project, request.domain, "")
        found, token = listed([p for p in plans if p.closure.state == launch_plan_pb2.ACTIVE], request, entity_fields)
        return launch_plan_pb2.LaunchPlanList(launch_plans=found, token=token)

    def ListTaskIds(self, request: Any, context: Any) -> Message:
        return self._names(ids.TASK, request)

    def ListWorkflowIds(self, request: Any, context: Any) -> Message:
        return self._names(ids.WORKFLOW, request)

    def ListLaunchPlanIds(self, request: Any, context: Any) -> Message:
        return self._names(ids.LAUNCH_PLAN, request)

    def _versions(self, kind: int, request: Any) -> tuple[list[Any], str]:
        found = self.registry.versions(kind, request.id.project, request.id.domain, request.id.name)
        return listed(found, request, entity_fields)

    def _names(self, kind: int, request: Any) -> Message:
        found = {each.id.name: each for each in self.registry.versions(kind, request.project, request.domain, "")}
        page, token = listed(found.values(), request, entity_fields)
        names = [
            common_pb2.NamedEntityIdentifier(project=each.id.project, domain=each.id.domain, name=each.id.name)
            for each in page
        ]
        return common_pb2.NamedEntityIdentifierList(entities=names, token=token)

    # --- executions ---------------------------------------------------------------------------------------------------

    def CreateExecution(self, request: Any, context: Any) -> Message:
        return execution_pb2.ExecutionCreateResponse(id=self.executions.create(request))

    def RecoverExecution(self, request: Any, context: Any) -> Message:
        return execution_pb2.ExecutionCreateResponse(id=self.executions.recover(request))

    def RelaunchExecution(self, request: Any, context: Any) -> Message:
        return execution_pb2.ExecutionCreateResponse(id=self.executions.relaunch(request))

    def TerminateExecution(self, request: Any, context: Any) -> Message:
        self.executions.terminate(request)
        return execution_pb2.ExecutionTerminateResponse()

    def GetExecution(self, request: Any, context: Any) -> Message:
        with self.records.changed:
            return copied(self.records.execution(request.id).message)

    def GetExecutionData(self, request: Any, context: Any) -> Message:
        with self.records.changed:
            record = self.records.execution(request.id)
            made = execution_pb2.WorkflowExecutionGetDataResponse()
            self._add_values(made, record)
            return made

    def ListExecutions(self, request: Any, context: Any) -> Message:
        with self.records.changed:
            found = self.records.executions(request.id.project, request.id.domain)
            page, token = listed(found, request, execution_fields)
            return execution_pb2.ExecutionList(executions=[each.message for each in page], token=token)

    # --- node executions ----------------------------------------------------------------------------------------------

    def GetNodeExecution(self, request: Any, context: Any) -> Message:
        with self.records.changed:
            return copied(self.records.node(request.id).message)

    def ListNodeExecutions(self, request: Any, context: Any) -> Message:
        """Return the nodes of one level; only a list says that a node is a parent since it has children."""
        with self.records.changed:
            nodes = self.records.execution(request.workflow_execution_id).nodes
            parent = request.unique_parent_id
            if parent and parent not in nodes:
                raise missing(f'missing entity of type node execution with identifier node_id:"{parent}"')
            parents = {each.parent for each in nodes.values()}
            found = [each for each in nodes.values() if each.parent == parent]
            page, token = listed(found, request, node_fields)
            messages = [copied(each.message) for each in page]
            for message in messages:
                message.metadata.is_parent_node |= message.id.node_id in parents
            return node_execution_pb2.NodeExecutionList(node_executions=messages, token=token)

    def GetNodeExecutionData(self, request: Any, context: Any) -> Message:
        with self.records.changed:
            record = self.records.node(request.id)
            made = node_execution_pb2.NodeExecutionGetDataResponse()
            self._add_values(made, record)
            if record.dynamic is not None:
                made.dynamic_workflow.CopyFrom(record.dynamic)
            self._add_addresses(made, record)
            return made

    def _add_addresses(self, made: Any, record: NodeRecord) -> None:
        key = record.message.id.execution_id
        base = f"flyte://v1/{key.project}/{key.domain}/{key.name}/{record.message.id.node_id}"
        made.flyte_urls.inputs, made.flyte_urls.outputs = f"{base}/i", f"{base}/o"
        if record.message.closure.deck_uri:
            made.flyte_urls.deck = f"{base}/d"

    def ListTaskExecutions(self, request: Any, context: Any) -> Message:
        with self.records.changed:
            found = self.records.node(request.node_execution_id).tasks.values()
            page, token = listed(found, request, task_fields)
            return task_execution_pb2.TaskExecutionList(task_executions=[each.message for each in page], token=token)

    def GetTaskExecution(self, request: Any, context: Any) -> Message:
        with self.records.changed:
            return copied(self.records.task(request.id).message)

    def GetTaskExecutionData(self, request: Any, context: Any) -> Message:
        with self.records.changed:
            record = self.records.task(request.id)
            made = task_execution_pb2.TaskExecutionGetDataResponse()
            self._add_values(made, record)
            return made

    def _add_values(self, made: Any, record: Any) -> None:
        """Add inputs and outputs: large ones as links only, if links are signed."""
        limit = self.settings.inline_limit
        for name in ("inputs", "outputs"):
            values = getattr(record, name)
            if limit and values.literals:
                data = values.SerializeToString(deterministic=True)
                uri = self.storage.uri("given", f"{hashlib.sha256(data).hexdigest()}.pb")
                self.storage.write(uri, values)
                getattr(made, name).url, getattr(made, name).bytes = self.storage.sign("GET", uri), len(data)
            if not limit or values.ByteSize() < limit:
                getattr(made, f"full_{name}").CopyFrom(values)

    # --- the cluster --------------------------------------------------------------------------------------------------

    def ListProjects(self, request: Any, context: Any) -> Message:
        return project_pb2.Projects(projects=[self._project(name) for name in self.settings.projects])

    def GetProject(self, request: Any, context: Any) -> Message:
        if request.id not in self.settings.projects:
            raise missing(f'missing entity of type project with identifier id:"{request.id}"')
        return self._project(request.id)

    def GetDomains(self, request: Any, context: Any) -> Message:
        return project_pb2.GetDomainsResponse(domains=self._domains())

    def _project(self, name: str) -> project_pb2.Project:
        return project_pb2.Project(id=name, name=name, domains=self._domains())

    def _domains(self) -> list[project_pb2.Domain]:
        return [project_pb2.Domain(id=name, name=name) for name in self.settings.domains]

    def GetVersion(self, request: Any, context: Any) -> Message:
        version = version_pb2.Version(Version="v1.16.8")
        return version_pb2.GetVersionResponse(control_plane_version=version)
