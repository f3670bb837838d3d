"""The command of a registered task's pod, run as a cluster does: clean processes, with files for values."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from flyteidl.admin.task_pb2 import TaskSpec
from flyteidl.core import dynamic_job_pb2, errors_pb2, literals_pb2, tasks_pb2
from flytekit.configuration import SecretsConfig
from flytekit.core.context_manager import SecretsManager
from flytekit.models.literals import Literal, LiteralMap
from google.protobuf.json_format import MessageToDict

from flytenb.bridge.cluster.recorded_calls import VARIABLE, RecordedCall, made_calls, write_calls
from flytenb.bridge.cluster.specs import EntitySpec
from flytenb.bridge.entities.kind import function_of, is_map, map_target, short_name
from flytenb.bridge.execution.pod import builds_image, is_of_cell, last_line, serialise
from flytenb.errors import FlytenbError
from flytenb.locks import cached_property
from flytenb.wording.quantities import duration_text

_TEMPLATE = re.compile(r"\{\{\s*[.$](\w+)\s*\}\}")
_MAP = re.compile(r"(?:.*\.)?map_(.+)_[0-9a-f]{32}-arraynode")
_INDEX = "FLYTE_K8S_ARRAY_INDEX"
_HERE = str(Path(__file__).parents[3])


@dataclass(frozen=True)
class PodTemplate:
    """A task as it is registered.

    Attributes:
        message: flyteidl's template.
    """

    message: Any

    @property
    def name(self) -> str:
        """Its name on the cluster."""
        return str(self.message.id.name)

    @cached_property
    def command(self) -> tuple[str, ...]:
        """The words of its container; empty for a task that a service runs."""
        container = self._container
        return () if container is None else (*container.command, *container.args)

    @property
    def mapped(self) -> str:
        """The name of the task whose elements it runs, without its module; `""` unless it is a map."""
        words = self.command
        return words[words.index("task-name") + 1] if "pyflyte-map-execute" in words and "task-name" in words else ""

    @property
    def is_raw(self) -> bool:
        """Whether files are carried to its command and from it."""
        container = self._container
        return container is not None and bool(container.data_config.enabled)

    @property
    def environment(self) -> dict[str, str]:
        """The variables of its container."""
        container = self._container
        return {} if container is None else {pair.key: pair.value for pair in container.env}

    @property
    def secrets(self) -> tuple[str, ...]:
        """The variables in which it finds its secrets."""
        manager = SecretsManager(SecretsConfig.auto())
        asked = self.message.security_context.secrets
        return tuple(manager.get_secrets_env_var(each.group, each.key, each.group_version) for each in asked)

    @cached_property
    def _container(self) -> Any:
        if self.message.HasField("container"):
            return self.message.container
        if not self.message.HasField("k8s_pod"):
            return None
        found = MessageToDict(self.message.k8s_pod.pod_spec).get("containers", [])
        primary = self.message.config.get("primary_container_name") or self.message.k8s_pod.primary_container_name
        given = next((each for each in found if each["name"] == (primary or "primary")), None)
        if given is None:
            return None
        variables = [{"key": each["name"], "value": each.get("value", "")} for each in given.get("env", ())]
        return tasks_pb2.Container(command=given.get("command"), args=given.get("args"), env=variables)


def templates_of(specs: Iterable[EntitySpec]) -> list[PodTemplate]:
    """Return the tasks among specs."""
    return [PodTemplate(TaskSpec.FromString(spec.message).template) for spec in specs if spec.kind == "task"]


def same_container(task: Any, template: PodTemplate) -> bool:
    """Tell whether a raw container is registered as it is here; an image that must be built isn't compared."""
    if builds_image(task):
        return True
    here = serialise(task).to_flyte_idl()
    there = template.message
    fields = ("image", "command", "args", "data_config")
    return bool(here.interface == there.interface) and all(
        getattr(here.container, name) == getattr(there.container, name) for name in fields
    )


def name_in_module(entity: Any, module: str) -> str:
    """Return the name of a notebook's task after its cells have become a module."""
    if is_map(entity):
        return name_in_module(map_target(entity), module)
    if function_of(entity) is not None and is_of_cell(entity):
        return f"{module}.{short_name(entity)}"
    return re.sub(r"^__main__\.", f"{module}.", str(entity.name))


@dataclass(frozen=True)
class JobNode:
    """A node that a dynamic task makes.

    Attributes:
        name: the name on the cluster of its task or workflow, `""` for others.
        constants: the literals of inputs that aren't outputs of other nodes.
    """

    name: str
    constants: Mapping[str, Literal]

    @property
    def short_names(self) -> tuple[str, ...]:
        """How its task or workflow may be called in the notebook."""
        mapped = _MAP.fullmatch(self.name)
        return (mapped[1],) if mapped else (self.name, self.name.rpartition(".")[2])


@dataclass(frozen=True)
class PodEnd:
    """The end of a pod: what it wrote, else its error.

    Attributes:
        literals: the outputs.
        job: what a dynamic task wrote instead of outputs.
        error: the last line of its error.
        calls: what an eager task has called, with the inputs.
    """

    literals: LiteralMap = field(default_factory=lambda: LiteralMap({}))
    job: Any = None
    error: str = ""
    calls: tuple[RecordedCall, ...] = ()

    @property
    def templates(self) -> list[PodTemplate]:
        """The tasks that a dynamic task makes."""
        return [] if self.job is None else [PodTemplate(each) for each in self.job.tasks]

    @property
    def nodes(self) -> dict[str, JobNode]:
        """The nodes that a dynamic task makes."""
        found = {} if self.job is None else {node.id: node for node in self.job.nodes}
        return {
            name: JobNode(_name_of(node), dict(_constants(node.inputs)))
            for name, node in found.items()
            if name not in ("start-node", "end-node")
        }


@dataclass(frozen=True)
class PodPlace:
    """Where pods run.

    Attributes:
        folder: a directory for the files of one pod, which is made.
        paths: directories with installed packages besides those that Python finds by itself.
        seconds: the limit of a pod.
    """

    folder: Path
    paths: tuple[str, ...] = ()
    seconds: float = 600.0

    def run(
        self,
        template: PodTemplate,
        inputs: LiteralMap,
        index: int | None = None,
        calls: Iterable[RecordedCall] | None = None,
    ) -> PodEnd:
        """Run the command of a pod to its end.

        Args:
            template: the task.
            inputs: its inputs; those of all elements of a map.
            index: the element of a map.
            calls: answers to the calls of an eager task, None for other tasks.

        Raises:
            FlytenbError: if there is no such command beside this Python.
        """
        work, home, outputs = (self.folder / name for name in ("work", "home", "outputs"))
        for made in (work, home, outputs, self.folder / "tmp"):
            made.mkdir(parents=True)
        (self.folder / "inputs.pb").write_bytes(inputs.to_flyte_idl().SerializeToString())
        (self.folder / "template.pb").write_bytes(template.message.SerializeToString())
        environment = self._environment(template, home, index)
        answers = self.folder / "calls"
        if calls is not None:
            write_calls(answers, calls)
            environment[VARIABLE] = str(answers)
            environment["PYTHONPATH"] = os.pathsep.join([str(answers), environment["PYTHONPATH"]])
        words = self._rendered(template.command)
        program = shutil.which(words[0], path=environment["PATH"])
        if program is None:
            hint = "install flytekit into the environment of this Python"
            raise FlytenbError(f"{words[0]!r} isn't installed beside {sys.executable!r}", hint=hint)
        status, said = _finish([program, *words[1:]], work, environment, self.seconds)
        if status is None:
            return PodEnd(error=f"no answer after {duration_text(self.seconds)}")
        end = _read(outputs, status, said)
        return end if calls is None else replace(end, calls=tuple(made_calls(answers)))

    def _rendered(self, command: Iterable[str]) -> list[str]:
        places = {
            "input": self.folder / "inputs.pb",
            "inputs": self.folder / "inputs.pb",
            "outputprefix": self.folder / "outputs",
            "rawoutputdataprefix": self.folder / "raw",
            "checkpointoutputprefix": self.folder / "checkpoints",
            "prevcheckpointprefix": '""',
            "tasktemplatepath": self.folder / "template.pb",
        }
        return [_TEMPLATE.sub(lambda m: str(places.get(m[1].lower(), m[0])), word) for word in command]

    def _environment(self, template: PodTemplate, home: Path, index: int | None) -> dict[str, str]:
        task = template.message.id
        execution = {"ID": "check", "PROJECT": task.project, "DOMAIN": task.domain, "WORKFLOW": task.name}
        made = {f"FLYTE_INTERNAL_EXECUTION_{name}": value for name, value in execution.items()}
        names = {"PROJECT": task.project, "DOMAIN": task.domain, "NAME": task.name, "VERSION": task.version}
        made |= {f"FLYTE_INTERNAL_TASK_{name}": value for name, value in names.items()}
        if index is not None:
            made |= {_INDEX: str(index), "BATCH_JOB_ARRAY_INDEX_VAR_NAME": _INDEX}
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
        return {
            "PATH": path,
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "TMPDIR": str(self.folder / "tmp"),
            "PYTHONPATH": os.pathsep.join([*self.paths, _HERE]),
            "FLYTE_ATTEMPT_NUMBER": "0",
            **made,
            **{name: os.environ[name] for name in template.secrets if name in os.environ},
            **template.environment,
        }


def _finish(command: list[str], folder: Path, environment: Mapping[str, str], seconds: float) -> tuple[int | None, str]:
    """Run a command with its children; return the exit status, None after the limit, and what was written.

    It is written to a file: a process that leaves the group would keep a pipe open after the command has ended.
    """
    with tempfile.TemporaryFile() as written:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=written,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            status = process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None, ""
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        written.seek(0)
        return status, written.read().decode(errors="replace")


def _read(outputs: Path, status: int, said: str) -> PodEnd:
    if (outputs / "error.pb").exists():
        document = errors_pb2.ErrorDocument.FromString((outputs / "error.pb").read_bytes())
        return PodEnd(error=last_line(document.error.message))
    if (outputs / "futures.pb").exists():
        return PodEnd(job=dynamic_job_pb2.DynamicJobSpec.FromString((outputs / "futures.pb").read_bytes()))
    if status or not (outputs / "outputs.pb").exists():
        return PodEnd(error=last_line(said) or f"it wrote no outputs.pb and ended with {status}")
    found = literals_pb2.LiteralMap.FromString((outputs / "outputs.pb").read_bytes())
    return PodEnd(LiteralMap.from_flyte_idl(found))


def _name_of(node: Any) -> str:
    target = node.array_node.node if node.HasField("array_node") else node
    if target.HasField("task_node"):
        return str(target.task_node.reference_id.name)
    inner = target.workflow_node
    return str(inner.launchplan_ref.name or inner.sub_workflow_ref.name)


def _constants(bindings: Iterable[Any]) -> Iterator[tuple[str, Literal]]:
    for binding in bindings:
        made = _literal(binding.binding)
        if made is not None:
            yield str(binding.var), Literal.from_flyte_idl(made)


def _literal(data: Any) -> Any:
    """Return the literal of a binding that names no other node, else None."""
    match data.WhichOneof("value"):
        case "scalar":
            return literals_pb2.Literal(scalar=data.scalar)
        case "collection":
            inner = [_literal(each) for each in data.collection.bindings]
            if all(each is not None for each in inner):
                return literals_pb2.Literal(collection=literals_pb2.LiteralCollection(literals=inner))
        case "map":
            named = {name: _literal(each) for name, each in data.map.bindings.items()}
            if all(each is not None for each in named.values()):
                return literals_pb2.Literal(map=literals_pb2.LiteralMap(literals=named))
    return None
