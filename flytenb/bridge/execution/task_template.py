"""Templates and inputs of tasks as a cluster hands them to a connector."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import Any

from flytekit.configuration import ImageConfig, SerializationSettings
from flytekit.core.context_manager import FlyteContextManager
from flytekit.models.core import identifier
from flytekit.models.literals import LiteralMap
from flytekit.models.security import Identity
from flytekit.models.task import TaskExecutionMetadata, TaskTemplate
from flytekit.tools.translator import get_serializable

from flytenb.bridge.context import Workspace
from flytenb.bridge.crossing import packer


def read_template(task: Any, workspace: Workspace) -> TaskTemplate:
    """Serialise a task and read it back, as the connector service does.

    A connector may change the template that it gets (those of SageMaker fill in their task's configuration), so each
    call gets one of its own.
    """
    return stored_template(write_template(task, workspace))


def write_template(task: Any, workspace: Workspace) -> TaskTemplate:
    """Serialise a task."""
    current = FlyteContextManager.current_context().serialization_settings
    settings = current or SerializationSettings(ImageConfig.auto_default_image())
    with workspace.outside():
        return get_serializable(OrderedDict(), settings, task).template


def stored_template(template: TaskTemplate) -> TaskTemplate:
    """Return a template as a cluster stores it."""
    return TaskTemplate.from_flyte_idl(template.to_flyte_idl())


def find_lost_digits(value: Any, place: str = "") -> Iterator[str]:
    """Yield the integers of a configuration that lose digits: protobuf's `Struct` stores numbers as floats."""
    match value:
        case Mapping():
            for key, item in value.items():
                yield from find_lost_digits(item, f"{place}.{key}" if place else str(key))
        case list() | tuple():
            for i, item in enumerate(value):
                yield from find_lost_digits(item, f"{place}[{i}]")
        case int() if int(float(value)) != value:
            yield f"{place} is {value} and arrives as {int(float(value))}"


def input_literals(task: Any, inputs: Mapping[str, Any]) -> LiteralMap:
    """Convert the inputs of a task to literals."""
    types, variables = task.python_interface.inputs, task.interface.inputs
    return LiteralMap(
        {name: packer(types[name], variables[name].type, strict=True)(v).literal() for name, v in inputs.items()}
    )


def name_execution(template: TaskTemplate, run: str, node: str, attempt: int) -> TaskExecutionMetadata:
    """Return what a connector gets to know of the execution: run, node and attempt, from which it may make names."""
    execution = identifier.WorkflowExecutionIdentifier(template.id.project, template.id.domain, run)
    in_run = identifier.NodeExecutionIdentifier(node, execution)
    task_execution = identifier.TaskExecutionIdentifier(template.id, in_run, attempt - 1)
    identity = Identity(iam_role="", k8s_service_account="", oauth2_client=None, execution_identity="")
    return TaskExecutionMetadata(task_execution, "", {}, {}, "", {}, identity)
