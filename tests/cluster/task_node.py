"""Tasks: pods, their error files and outputs, the cache."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from flyteidl.admin import task_execution_pb2
from flyteidl.core import errors_pb2, tasks_pb2
from flyteidl.core import execution_pb2 as phases
from flyteidl.core import identifier_pb2 as ids
from flyteidl.core import literals_pb2 as lit
from flyteidl.event import event_pb2

from tests.cluster.commands import rendered
from tests.cluster.containers import container_of
from tests.cluster.dynamic import run_dynamic
from tests.cluster.failure import SYSTEM, USER, Failure
from tests.cluster.identifiers import hashed, key_of
from tests.cluster.node_run import NodePhase, NodeRun
from tests.cluster.pods import Pod
from tests.cluster.raw_container import DataFolders, exit_failure
from tests.cluster.records import TaskRecord, copied
from tests.cluster.stop import Stopped

TaskPhase = phases.TaskExecution
_LONGEST_GENERATED_NAME = 50
_LOG_END = 1000
"""Characters of a pod's output that an error without a file has."""


def run_task_node(run: NodeRun) -> lit.LiteralMap:
    template = run.workflow.closure.tasks[key_of(run.node.task_node.reference_id)]
    with run.slots.taken(run.stop):
        attempt = TaskAttempt(run, template)
        run.set_phase(NodePhase.RUNNING)
        outputs = attempt.run()
    futures = f"{run.attempt_folder}/futures.pb"
    return run_dynamic(run, template, futures) if Path(futures).exists() else outputs


class TaskAttempt:
    """One attempt of a task.

    Attributes:
        run: the run of its node.
        template: the task.
        record: what flyteadmin stores of it.
        output_prefix: where the pod writes.
    """

    def __init__(self, run: NodeRun, template: tasks_pb2.TaskTemplate) -> None:
        self.run_of_node, self.template = run, template
        self.output_prefix = run.attempt_folder
        name = f"{run.engine.id.name}-{run.unique_id}-{run.attempt}"
        self.name = name if len(name) <= _LONGEST_GENERATED_NAME else "f" + hashed(name)
        self.log = Path(run.engine.storage.uri("logs", f"{self.name}.txt"))
        identifier = ids.TaskExecutionIdentifier(
            task_id=template.id, node_execution_id=run.record.message.id, retry_attempt=run.attempt
        )
        message = task_execution_pb2.TaskExecution(id=identifier, input_uri=run.input_uri)
        closure = message.closure
        closure.task_type, closure.event_version = template.type, 1
        closure.metadata.generated_name, closure.metadata.plugin_identifier = self.name, "container"
        if run.is_interruptible(template):
            closure.metadata.instance_class = event_pb2.TaskExecutionMetadata.INTERRUPTIBLE
        self.record = TaskRecord(message, run.inputs)
        with run.engine.records.changing():
            run.record.tasks[template.id.name, run.attempt] = self.record
        self.set_phase(TaskPhase.QUEUED)

    def set_phase(self, phase: int) -> None:
        with self.run_of_node.engine.records.changing():
            self.run_of_node.engine.records.set_task_phase(self.record, phase)
            self.run_of_node.task_changed(self.record)

    def run(self) -> lit.LiteralMap:
        try:
            outputs = self._run()
        except Failure as failure:
            self._end(TaskPhase.FAILED, failure.error)
            raise
        except Stopped:
            self._end(TaskPhase.ABORTED, phases.ExecutionError(code="Task Aborted", message="aborted"))
            raise
        with self.run_of_node.engine.records.changing():
            self.record.outputs = outputs
            self.record.message.closure.output_uri = f"{self.output_prefix}/outputs.pb"
            self.set_phase(TaskPhase.SUCCEEDED)
        return outputs

    def _end(self, phase: int, error: phases.ExecutionError) -> None:
        with self.run_of_node.engine.records.changing():
            self.record.message.closure.error.CopyFrom(error)
            self.set_phase(phase)

    def _run(self) -> lit.LiteralMap:
        run = self.run_of_node
        container = container_of(self.template)
        if container is None:
            return self._run_stand_in()
        raw_prefix = run.engine.storage.uri("data", self.name)
        parameters = {
            "Input": run.input_uri,
            "InputPrefix": str(Path(run.input_uri).parent),
            "OutputPrefix": self.output_prefix,
            "RawOutputDataPrefix": raw_prefix,
            "CheckpointOutputPrefix": f"{raw_prefix}/_flytecheckpoints",
            "PrevCheckpointPrefix": self._previous_checkpoint() or '""',
            "TaskTemplatePath": f"{run.folder}/task.pb",
            "PerRetryUniqueKey": self.name.replace("-", "_"),
            "Namespace": f"{run.engine.id.project}-{run.engine.id.domain}",
        }
        run.engine.storage.write(parameters["TaskTemplatePath"], self.template)
        words = rendered([*container.command, *container.args], parameters, run.inputs)
        environment = {pair.key: pair.value for pair in container.env}
        if container.data_config.enabled:
            return self._run_raw(words, environment, container.data_config, raw_prefix)
        status = self.run_pod(words, environment)
        if status != 0:
            raise Failure(
                "Interrupted",
                "Pod failed. No message received from kubernetes.\r\n"
                f"[{self.name}] terminated with exit code ({status}). Reason [Error]. Message: \n{self._log_end()}.",
                SYSTEM,
                is_retryable=True,
            )
        return self.read_outputs()

    def _run_raw(
        self, words: list[str], environment: dict[str, str], config: tasks_pb2.DataLoadingConfig, raw_prefix: str
    ) -> lit.LiteralMap:
        run = self.run_of_node
        folders = DataFolders(Path(run.engine.storage.uri("volumes", self.name)), config)
        folders.prepare(run.inputs)
        status = self.run_pod(folders.localized(words), {**environment, **folders.variables})
        if status != 0:
            raise exit_failure(self.name, status, self._log_end())
        return folders.upload(self.template.interface.outputs, raw_prefix)

    def _log_end(self) -> str:
        return self.log.read_text(errors="replace")[-_LOG_END:]

    def _previous_checkpoint(self) -> str:
        run = self.run_of_node
        if run.attempt == 0:
            return ""
        before = run.record.tasks[self.template.id.name, run.attempt - 1].message.closure.metadata.generated_name
        return run.engine.storage.uri("data", before, "_flytecheckpoints")

    def run_pod(self, words: list[str], environment: dict[str, str]) -> int:
        """Run a container and return its exit status, 128 + N after signal N."""
        run = self.run_of_node
        engine = run.engine
        directory = Path(engine.storage.uri("pods", self.name))
        variables = {**engine.environment, **self._environment(), **environment, **run.environment}
        pod = Pod(tuple(words), directory, self.log, variables)
        with engine.records.changing():
            uri = engine.storage.sign("GET", str(self.log))
            self.record.message.closure.logs.add(uri=uri, name="Kubernetes Logs (User)")
            self.set_phase(TaskPhase.RUNNING)
        status = engine.pods.run(pod, run.stop)
        run.stop.check()
        return status if status >= 0 else 128 - status

    def _environment(self) -> dict[str, str]:
        engine, task = self.run_of_node.engine, self.template.id
        spec = engine.record.message.spec
        return {
            "FLYTE_INTERNAL_EXECUTION_WORKFLOW": engine.record.message.closure.workflow_id.name,
            "FLYTE_INTERNAL_EXECUTION_LAUNCHPLAN": spec.launch_plan.name,
            "FLYTE_INTERNAL_EXECUTION_ID": engine.id.name,
            "FLYTE_INTERNAL_EXECUTION_PROJECT": engine.id.project,
            "FLYTE_INTERNAL_EXECUTION_DOMAIN": engine.id.domain,
            "FLYTE_ATTEMPT_NUMBER": str(self.run_of_node.attempt),
            "FLYTE_INTERNAL_TASK_PROJECT": task.project,
            "FLYTE_INTERNAL_TASK_DOMAIN": task.domain,
            "FLYTE_INTERNAL_TASK_NAME": task.name,
            "FLYTE_INTERNAL_TASK_VERSION": task.version,
            **{pair.key: pair.value for pair in spec.envs.values},
        }

    def read_outputs(self) -> lit.LiteralMap:
        """Return what the pod wrote.

        Raises:
            Failure: if it wrote an error, or nothing.
        """
        storage = self.run_of_node.engine.storage
        folder = Path(self.output_prefix)
        if (folder / "error.pb").exists():
            error = storage.read(str(folder / "error.pb"), errors_pb2.ErrorDocument).error
            is_retryable = error.kind == errors_pb2.ContainerError.RECOVERABLE
            failure = Failure(error.code, error.message, error.origin, is_retryable=is_retryable)
            failure.error.timestamp.CopyFrom(error.timestamp)
            raise failure
        if (folder / "deck.html").exists():
            with self.run_of_node.engine.records.changing():
                self.run_of_node.record.message.closure.deck_uri = str(folder / "deck.html")
        is_written = any((folder / name).exists() for name in ("outputs.pb", "futures.pb"))
        if self.template.interface.outputs.variables and not is_written:
            words = "Outputs not generated by task execution"
            raise Failure("OutputsNotFound", words, phases.ExecutionError.UNKNOWN, is_retryable=True)
        return storage.read(str(folder / "outputs.pb"), lit.LiteralMap)

    def _run_stand_in(self) -> lit.LiteralMap:
        """Run a task without a container, as a connector would."""
        run = self.run_of_node
        stand_in: Callable[..., object] | None = run.engine.settings.stand_ins.get(self.template.type)
        if stand_in is None:
            raise Failure("UnsupportedTaskType", f"no plugin for task type [{self.template.type}]", USER)
        self.set_phase(TaskPhase.RUNNING)
        try:
            given = stand_in(copied(self.template), dict(run.inputs.literals))
        except Exception as error:
            raise Failure("ConnectorError", str(error), USER) from error
        return lit.LiteralMap(literals=given)
