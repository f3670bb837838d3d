"""Entities of a container cell: a raw container task, and around it what encodes and decodes its values."""

from __future__ import annotations

import datetime
import importlib
import inspect
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from flytekit import current_context
from flytekit import kwtypes as kwtypes
from flytekit.core.base_task import Task, TaskMetadata, TaskResolverMixin
from flytekit.core.container_task import ContainerTask
from flytekit.core.interface import Interface
from flytekit.core.python_function_task import PythonInstanceTask
from flytekit.core.resources import Resources
from flytekit.core.workflow import (
    PythonFunctionWorkflow,
    WorkflowFailurePolicy,
    WorkflowMetadata,
    WorkflowMetadataDefaults,
)

from flytenb.bridge import private

Types = Mapping[str, Any]
"""The types of inputs or outputs by name, in declared order."""
SCRIPT = "_program"
"""The end of the name of the raw container task in a container cell's workflow."""
MAPPED = "_mapped"
"""What follows the name of a container in the name of the launch plan that maps it."""


class CellTask(ContainerTask):  # type: ignore[misc]
    """A raw container task made of a cell.

    Attributes:
        cell_name: the name of the cell's entity.
        language: the title of the cell's language.
        code: the cell's text.
        highlight: the name of the language in Pygments.
    """

    def __init__(
        self, name: str, cell_name: str, language: str, code: str, *, highlight: str = "", **arguments: Any
    ) -> None:
        # Without `inputs.json`, which can't hold NaN and which no program of a cell reads.
        super().__init__(name, metadata_format=ContainerTask.MetadataFormat.PROTO, **arguments)
        self.cell_name = cell_name
        self.language = language
        self.code = code
        self.highlight = highlight


class CellWorkflow(PythonFunctionWorkflow):  # type: ignore[misc]
    """The workflow of a container cell whose values must be encoded or decoded.

    Attributes:
        script: its raw container task.
        codecs: the tasks around it.
    """

    def __init__(self, name: str, function: Callable[..., Any], script: ContainerTask, codecs: Sequence[Task]) -> None:
        self._full_name = name
        self.script = script
        self.codecs = codecs
        metadata = WorkflowMetadata(on_failure=WorkflowFailurePolicy.FAIL_IMMEDIATELY)
        super().__init__(function, metadata, WorkflowMetadataDefaults(interruptible=False))

    @property
    def name(self) -> str:
        """The name with the module of the cell; flytekit's has that of the function's file."""
        return self._full_name


class CellResolver(TaskResolverMixin):  # type: ignore[misc]
    """Finds the tasks around a container cell in a pod: by the module and the name of the cell."""

    @property
    def location(self) -> str:
        return f"{__name__}.cell_resolver"

    def name(self) -> str:
        return "container cell"

    def loader_args(self, settings: Any, t: Task) -> list[str]:
        """Return the name of a task, which has those of its module and cell."""
        return ["cell-task", t.name]

    def load_task(self, loader_args: list[str]) -> Task:
        """Import the module of a cell and return its task."""
        module, _, name = loader_args[1].rpartition(".")
        cell = getattr(importlib.import_module(module), name.rpartition("_")[0])
        return next(task for task in cell.codecs if task.name == loader_args[1])

    def get_all_tasks(self) -> list[Task]:
        return []


cell_resolver = CellResolver()


class CodecTask(PythonInstanceTask[None]):  # type: ignore[misc]
    """A task that encodes the inputs or decodes the outputs of a container.

    Args:
        name: of the task.
        inputs: types by name.
        outputs: types by name.
        convert: returns the outputs of the inputs, both by name.
    """

    def __init__(
        self, name: str, inputs: Types, outputs: Types, convert: Callable[[Mapping[str, Any]], Mapping[str, Any]]
    ) -> None:
        super().__init__(name, None, task_resolver=cell_resolver, interface=Interface(dict(inputs), dict(outputs)))
        self._convert = convert

    def execute(self, **inputs: Any) -> Any:
        """Convert the inputs."""
        outputs = tuple(self._convert(inputs).values())
        return outputs[0] if len(outputs) == 1 else outputs


def with_defaults(entity: Any, inputs: Types, defaults: Mapping[str, Any], outputs: Types) -> Any:
    """Give an entity an interface with default inputs, which neither of flytekit's constructors takes."""
    typed = {name: (kind, defaults.get(name)) for name, kind in inputs.items()}
    private.set_python_interface(entity, Interface(typed, dict(outputs)))
    return entity


def compose(
    name: str,
    module: str,
    inputs: Types,
    outputs: Types,
    defaults: Mapping[str, Any],
    parts: tuple[CodecTask | None, ContainerTask, CodecTask | None],
) -> CellWorkflow:
    """Return the workflow that encodes inputs, runs the container and decodes outputs, where there is anything to."""
    encode, script, decode = parts

    def body(**given: Any) -> Any:
        known = dict(given)
        for task in (encode, script, decode):
            if task is not None:
                wanted = {input_name: known[input_name] for input_name in task.python_interface.inputs}
                known |= _by_name(task, task(**wanted))
        made = tuple(known[output] for output in outputs)
        return made[0] if len(made) == 1 else made

    empty = inspect.Parameter.empty
    parameters = [
        inspect.Parameter(n, inspect.Parameter.KEYWORD_ONLY, default=defaults.get(n, empty), annotation=t)
        for n, t in inputs.items()
    ]
    body.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    body.__annotations__ = dict(inputs)
    body.__name__ = body.__qualname__ = name
    codecs = [task for task in (encode, decode) if task is not None]
    workflow = CellWorkflow(f"{module}.{name}", body, script, codecs)
    body.__module__ = module  # after flytekit has looked for the module where the function's file is
    made: CellWorkflow = with_defaults(workflow, inputs, defaults, outputs)
    return made


def cell_of(entity: Any) -> CellTask | None:
    """Return the raw container task of a container cell's entity, None for any other entity."""
    script = entity.script if isinstance(entity, CellWorkflow) else entity
    return script if isinstance(script, CellTask) else None


def around(task: ContainerTask) -> CellWorkflow:
    """Return a workflow with a raw container as its only node, which has the same inputs and outputs."""
    interface = task.python_interface
    defaults = {name: given for name, (_, given) in interface.inputs_with_defaults.items() if given is not None}
    module, _, name = task.name.rpartition(".")
    return compose(name, module, interface.inputs, interface.outputs, defaults, (None, task, None))


def _by_name(task: Any, result: Any) -> dict[str, Any]:
    names = list(task.python_interface.outputs)
    return dict(zip(names, (result,) if len(names) == 1 else result or (), strict=True))


def metadata(retries: int, timeout: Any, cache_version: str | None) -> TaskMetadata:
    """Return the metadata of a container cell's task."""
    timeout = datetime.timedelta(seconds=timeout) if isinstance(timeout, float) else timeout
    return TaskMetadata(
        retries=retries, timeout=timeout, cache=cache_version is not None, cache_version=cache_version or ""
    )


def resources(cpu: str, memory: str) -> dict[str, Resources]:
    """Return the arguments of a container task that request and limit processors and memory."""
    given = {name: value for name, value in (("cpu", cpu), ("mem", memory)) if value}
    return {"requests": Resources(**given), "limits": Resources(**given)} if given else {}


def scratch_file(name: str) -> Path:
    """Return the path of a file that the running task may write; it lives as long as the run."""
    return Path(current_context().working_directory) / name
