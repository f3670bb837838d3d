"""Tasks as a cluster starts them: what is registered of a task, and its pod's command in a process of its own."""

from __future__ import annotations

import gzip
import os
import platform
import subprocess
import sys
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cloudpickle
from flyteidl.core import errors_pb2, literals_pb2
from flytekit import ImageSpec
from flytekit.configuration import Image, ImageConfig, SerializationSettings
from flytekit.core.context_manager import FlyteContextManager
from flytekit.core.python_auto_container import (
    PICKLE_FILE_PATH,
    PickledEntity,
    PickledEntityMetadata,
    PythonAutoContainerTask,
    default_notebook_task_resolver,
)
from flytekit.core.python_function_task import PythonFunctionTask, PythonInstanceTask
from flytekit.core.task import TaskPlugins
from flytekit.core.utils import load_proto_from_file
from flytekit.models.literals import LiteralMap
from flytekit.models.task import TaskTemplate
from flytekit.tools.module_loader import load_object_from_module
from flytekit.tools.translator import get_serializable

from flytenb.bridge.crossing import packer
from flytenb.bridge.crossing.literal import to_native
from flytenb.bridge.entities.interface import function_of
from flytenb.wording.quantities import duration_text


def settings_for_pods() -> SerializationSettings:
    """Return the settings of a registration by hand: names of a project, an image and this Python."""
    return SerializationSettings(
        image_config=ImageConfig(Image("default", "project/image", "v1")),
        project="flytesnacks",
        domain="development",
        version="v1",
        python_interpreter=sys.executable,
    )


def is_of_cell(task: Any) -> bool:
    """Tell whether a task is defined in a notebook, which pods can't import."""
    function = function_of(task)
    if function is not None:
        return bool(function.__module__ == "__main__")
    return isinstance(task, PythonAutoContainerTask) and task.instantiated_in in (None, "", "__main__")


def builds_image(task: Any) -> bool:
    """Tell whether flytekit builds an image when it serialises a task."""
    return isinstance(getattr(task, "container_image", None), ImageSpec)


@contextmanager
def as_registered(task: Any) -> Iterator[None]:
    """Give a task of a cell the resolver that it is registered with, which finds it in a pickle."""
    if not is_of_cell(task):
        yield
        return
    before = task.task_resolver
    task.set_resolver(default_notebook_task_resolver)
    try:
        yield
    finally:
        task.set_resolver(before)


def serialise(task: Any) -> TaskTemplate:
    """Return what is registered of a task."""
    with as_registered(task):
        return get_serializable(OrderedDict(), settings_for_pods(), task).template


def template_parts(template: TaskTemplate) -> dict[str, bytes]:
    """Return the parts of a template as bytes, by name."""
    message = template.to_flyte_idl()
    parts = {field.name: value for field, value in message.ListFields()}
    return {
        name: value.SerializeToString(deterministic=True)
        if hasattr(value, "SerializeToString")
        else repr(value).encode()
        for name, value in parts.items()
    }


def plugin_of(config: Any) -> Any:
    """Return the class that `@task(task_config=config)` makes a task of."""
    return TaskPlugins.find_pythontask_plugin(type(config))


def register_again(task: Any) -> None:
    """Register the class of a task for its configuration, as running its cell again does."""
    TaskPlugins.register_pythontask_plugin(type(task.task_config), type(task))


def is_plugins(task: Any) -> bool:
    """Tell whether a task is made by `@task` with a plugin's configuration, and not by its own class."""
    return isinstance(task, PythonFunctionTask) and not isinstance(task, PythonInstanceTask)


def load_again(template: TaskTemplate) -> Any:
    """Return the task that the arguments of a template's container lead to, in this process."""
    arguments = list(template.container.args)
    resolver = load_object_from_module(arguments[arguments.index("--resolver") + 1])
    return resolver.load_task(loader_args=arguments[arguments.index("--") + 1 :])


def call_as_pod(task: Any, inputs: Mapping[str, Any]) -> Any:
    """Call a task by `dispatch_execute` as flytekit does, in this process; return its literals."""
    context = FlyteContextManager.current_context()
    return task.dispatch_execute(context, _literals(task, inputs))


@dataclass(frozen=True)
class PodResult:
    """The end of a pod's command: the outputs as Python values, else the error."""

    outputs: Mapping[str, Any]
    error: str = ""


def run_pod(
    task: Any,
    template: TaskTemplate,
    inputs: Mapping[str, Any],
    folder: Path,
    seconds: float,
) -> PodResult:
    """Run the command of a task's pod in another process, with its inputs in files, and read the files of its outputs.

    Args:
        task: the task.
        template: what is registered of it.
        inputs: its inputs.
        folder: a directory for the files.
        seconds: the limit, which includes the import of flytekit and of the task's module.
    """
    work, outputs = folder / "work", folder / "outputs"
    work.mkdir(parents=True)
    outputs.mkdir()
    _write(folder / "inputs.pb", _literals(task, inputs).to_flyte_idl())
    _write(folder / "template.pb", template.to_flyte_idl())
    if is_of_cell(task):
        _pickle(task, work / PICKLE_FILE_PATH)
    places = {
        "{{.input}}": folder / "inputs.pb",
        "{{.inputs}}": folder / "inputs.pb",
        "{{.outputPrefix}}": outputs,
        "{{.rawOutputDataPrefix}}": folder / "raw",
        "{{.checkpointOutputPrefix}}": folder / "checkpoints",
        "{{.prevCheckpointPrefix}}": '""',
        "{{.taskTemplatePath}}": folder / "template.pb",
    }
    arguments = [str(places.get(argument, argument)) for argument in template.container.args]
    environment = {
        **os.environ,
        **(template.container.env or {}),
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }
    command = [sys.executable, "-m", "flytekit.bin.entrypoint", *arguments]
    try:
        done = subprocess.run(
            command, cwd=work, env=environment, capture_output=True, text=True, timeout=seconds
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return PodResult({}, f"no answer after {duration_text(seconds)}")
    return _read_result(task, outputs, done)


def _read_result(task: Any, folder: Path, done: subprocess.CompletedProcess[str]) -> PodResult:
    if (folder / "error.pb").exists():
        error = load_proto_from_file(errors_pb2.ErrorDocument, str(folder / "error.pb")).error
        return PodResult({}, last_line(error.message))
    if not (folder / "outputs.pb").exists():
        return PodResult({}, last_line(done.stderr) or f"it wrote no outputs.pb and ended with {done.returncode}")
    found = LiteralMap.from_flyte_idl(load_proto_from_file(literals_pb2.LiteralMap, str(folder / "outputs.pb")))
    return PodResult(natives(task, found))


def natives(task: Any, literals: Any) -> dict[str, Any]:
    """Return the outputs in literals as Python values."""
    types = task.python_interface.outputs
    return {name: to_native(literal, types[name]) for name, literal in literals.literals.items()}


def last_line(text: str) -> str:
    """Return the line of a process's errors that says most."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    messages = [line for line in lines if line.startswith("Message:") or "Error: " in line]
    return (messages or lines or [""])[-1]


def _literals(task: Any, inputs: Mapping[str, Any]) -> LiteralMap:
    types, variables = task.python_interface.inputs, task.interface.inputs
    pack = {name: packer(types[name], variables[name].type, strict=True) for name in inputs}
    return LiteralMap({name: pack[name](value).literal() for name, value in inputs.items()})


def _write(path: Path, message: Any) -> None:
    path.write_bytes(message.SerializeToString())


def _pickle(task: Any, path: Path) -> None:
    """Write a task as `FlyteRemote` sends it from a notebook."""
    with as_registered(task):
        name = default_notebook_task_resolver.loader_args(settings_for_pods(), task)[1]
        packed = PickledEntity(PickledEntityMetadata(platform.python_version()), {name: task})
        with gzip.open(path, "wb") as file:
            cloudpickle.dump(packed, file)
