"""flyteadmin's executions: what starts, stops and recovers them."""

from __future__ import annotations

import secrets
import threading
import traceback
from collections.abc import Mapping

import grpc
from flyteidl.admin import execution_pb2, workflow_pb2
from flyteidl.core import execution_pb2 as phases
from flyteidl.core import identifier_pb2 as ids
from flyteidl.core import interface_pb2 as iface
from flyteidl.core import literals_pb2 as lit
from flyteidl.core import types_pb2 as typ
from flyteidl.core import workflow_pb2 as wf

from tests.cluster import validation
from tests.cluster.engine import Engine, Slots
from tests.cluster.failure import SYSTEM, Failure
from tests.cluster.handlers import HANDLERS
from tests.cluster.pods import Pods
from tests.cluster.records import ExecutionKey, ExecutionRecord, Records, copied, execution_key, now
from tests.cluster.refused import Refused
from tests.cluster.registry import Registry, interface_of
from tests.cluster.settings import Settings
from tests.cluster.stop import Stop, Stopped
from tests.cluster.storage import Storage
from tests.cluster.workflow_run import Closure, WorkflowRun

ExecutionPhase = phases.WorkflowExecution
_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
_LONGEST_NODE_ID = 63


class Executions:
    """All executions and what runs them.

    Attributes:
        environment: variables that every pod has.
        broken: tracebacks of executions that ended by a fault of the double.
    """

    def __init__(self, settings: Settings, storage: Storage, registry: Registry, records: Records) -> None:
        self.settings, self.storage, self.registry, self.records = settings, storage, registry, records
        self.environment: Mapping[str, str] = {}
        self.broken: list[str] = []
        self._pods = Pods(is_warm=settings.is_warm)
        self._cached: dict[str, lit.LiteralMap] = {}
        self._reservations: dict[str, tuple[str, float]] = {}
        self._running: dict[ExecutionKey, tuple[Stop, threading.Thread]] = {}
        self._lock = threading.Lock()

    def close(self) -> None:
        """Stop everything that runs, also what is launched meanwhile."""
        while True:
            with self._lock:
                running = list(self._running.values())
            if not running:
                break
            for stop, thread in running:
                stop.set()
                thread.join()
        self._pods.close()

    # --- requests -----------------------------------------------------------------------------------------------------

    def create(
        self, request: execution_pb2.ExecutionCreateRequest, recovered: ExecutionRecord | None = None
    ) -> ids.WorkflowExecutionIdentifier:
        validation.check_execution(request, self.settings)
        reference = request.spec.launch_plan
        if reference.resource_type == ids.TASK:
            workflow = self._workflow_of_task(reference)
            expected, fixed = _all_required(interface_of(workflow).inputs), lit.LiteralMap()
        else:
            plan = self.registry.launch_plan(reference)
            workflow = self.registry.workflow(plan.spec.workflow_id)
            expected, fixed = plan.closure.expected_inputs, plan.spec.fixed_inputs
        inputs = validation.all_inputs(request.inputs, fixed, expected)
        name = request.name or "a" + "".join(secrets.choice(_LETTERS) for _ in range(19))
        identifier = ids.WorkflowExecutionIdentifier(project=request.project, domain=request.domain, name=name)
        message = execution_pb2.Execution(id=identifier, spec=request.spec)
        message.closure.workflow_id.CopyFrom(workflow.id)
        message.closure.created_at.CopyFrom(now())
        record = ExecutionRecord(message, inputs)
        self.records.set_execution_phase(record, ExecutionPhase.QUEUED)
        self._start(self._engine(record, recovered), workflow)
        return identifier

    def recover(self, request: execution_pb2.ExecutionRecoverRequest) -> ids.WorkflowExecutionIdentifier:
        """Start an execution anew; the nodes that had succeeded aren't run again."""
        before = self.records.execution(request.id)
        made = self._again(before, request.name, execution_pb2.ExecutionMetadata.RECOVERED)
        made.spec.metadata.reference_execution.CopyFrom(request.id)
        return self.create(made, before)

    def relaunch(self, request: execution_pb2.ExecutionRelaunchRequest) -> ids.WorkflowExecutionIdentifier:
        before = self.records.execution(request.id)
        made = self._again(before, request.name, execution_pb2.ExecutionMetadata.RELAUNCH)
        made.spec.overwrite_cache = request.overwrite_cache
        return self.create(made)

    def terminate(self, request: execution_pb2.ExecutionTerminateRequest) -> None:
        with self.records.changing():
            record = self.records.execution(request.id)
            if record.is_done:
                words = "Cannot abort an already terminated workflow execution"
                raise Refused(grpc.StatusCode.FAILED_PRECONDITION, words)
            record.message.closure.abort_metadata.cause = request.cause
            self.records.set_execution_phase(record, ExecutionPhase.ABORTING)
        with self._lock:
            running = self._running.get(execution_key(request.id))
        if running is not None:
            running[0].set()

    def _again(self, before: ExecutionRecord, name: str, mode: int) -> execution_pb2.ExecutionCreateRequest:
        identifier, spec = before.message.id, copied(before.message.spec)
        spec.metadata.mode = mode
        made = execution_pb2.ExecutionCreateRequest(
            project=identifier.project, domain=identifier.domain, name=name, spec=spec
        )
        made.inputs.CopyFrom(before.inputs)
        return made

    # --- running ------------------------------------------------------------------------------------------------------

    def _engine(self, record: ExecutionRecord, recovered: ExecutionRecord | None) -> Engine:
        return Engine(
            settings=self.settings,
            handlers=HANDLERS,
            storage=self.storage,
            pods=self._pods,
            records=self.records,
            registry=self.registry,
            environment=self.environment,
            launch=self.create,
            terminate=self.terminate,
            cached=self._cached,
            reservations=self._reservations,
            record=record,
            recovered=recovered,
            slots=Slots(record.message.spec.max_parallelism or self.settings.max_parallelism),
        )

    def _start(self, engine: Engine, workflow: workflow_pb2.Workflow) -> None:
        def target() -> None:
            try:
                _run(engine, workflow)
            except BaseException:
                self.broken.append(traceback.format_exc())
                _fail(engine, phases.ExecutionError(code="DoubleFault", message=self.broken[-1], kind=SYSTEM))
            finally:
                with self._lock:
                    del self._running[execution_key(engine.id)]

        thread = threading.Thread(target=target, name=engine.id.name, daemon=True)
        with self._lock:  # an execution that can be found can be aborted
            self.records.add(engine.record)
            self._running[execution_key(engine.id)] = engine.stop, thread
            thread.start()

    def _workflow_of_task(self, reference: ids.Identifier) -> workflow_pb2.Workflow:
        """Return the workflow of one node that flyteadmin makes of a task."""
        task = self.registry.task(reference).closure.compiled_task.template
        identifier = copied(reference)
        identifier.resource_type, identifier.name = ids.WORKFLOW, f".flytegen.{reference.name}"
        name = "".join(c for c in reference.name[-_LONGEST_NODE_ID:] if c == "-" or c.isalnum())
        node = wf.Node(id=name, task_node=wf.TaskNode(reference_id=reference))
        node.metadata.name = name
        node.metadata.retries.CopyFrom(task.metadata.retries)
        template = wf.WorkflowTemplate(id=identifier, interface=task.interface, nodes=[node])
        for variables, source, bindings in (
            (task.interface.inputs, "", template.nodes[0].inputs),
            (task.interface.outputs, name, template.outputs),
        ):
            for variable in variables.variables:
                bindings.add(var=variable).binding.promise.CopyFrom(_promise(source, variable))
        made = workflow_pb2.Workflow(id=identifier)
        made.closure.compiled_workflow.CopyFrom(self.registry.compiled(template, ()))
        return made


def _run(engine: Engine, workflow: workflow_pb2.Workflow) -> None:
    """Run an execution to its end."""
    records, record = engine.records, engine.record
    compiled = workflow.closure.compiled_workflow
    try:
        records.set_execution_phase(record, ExecutionPhase.RUNNING)
        run = WorkflowRun(engine, Closure.of(compiled), compiled.primary, None, engine.folder, engine.stop)
        outputs = run.run(record.inputs)
        engine.stop.check()
    except Failure as failure:
        _fail(engine, failure.error)
    except Stopped:
        records.set_execution_phase(record, ExecutionPhase.ABORTED)
    else:
        with records.changing():
            record.outputs = outputs
            record.message.closure.outputs.uri = engine.storage.uri(
                engine.folder, "end-node", "data", "0", "outputs.pb"
            )
            records.set_execution_phase(record, ExecutionPhase.SUCCEEDED)


def _fail(engine: Engine, error: phases.ExecutionError) -> None:
    with engine.records.changing():
        engine.record.message.closure.error.CopyFrom(error)
        engine.records.set_execution_phase(engine.record, ExecutionPhase.FAILED)


def _promise(node: str, variable: str) -> typ.OutputReference:
    return typ.OutputReference(node_id=node, var=variable)


def _all_required(variables: iface.VariableMap) -> iface.ParameterMap:
    found = {name: iface.Parameter(var=each, required=True) for name, each in variables.variables.items()}
    return iface.ParameterMap(parameters=found)
