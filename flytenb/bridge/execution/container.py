"""Raw container tasks on the machine's own engine: start, wait, logs, inputs and outputs as files.

The form of the files is left to `container_files`. flytekit's own local run ignores the exit status, keeps the logs,
renders a template only where it is a whole word, and leaves the container behind when it is interrupted.
"""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flytekit.core.container_task import ContainerTask
from flytekit.core.context_manager import FlyteContext
from flytekit.models.literals import Literal

from flytenb.bridge import private
from flytenb.bridge.context import Workspace
from flytenb.bridge.crossing import CrossingValue, from_literal, packer
from flytenb.bridge.execution.container_contract import as_container_output
from flytenb.bridge.execution.container_files import (
    INPUT_TEMPLATE,
    files_below,
    read_error,
    read_output,
    render_input,
    write_input,
    write_summaries,
)
from flytenb.bridge.stopping import check_stopped
from flytenb.errors import ContainerError, closest, say
from flytenb.wording.types import type_text

_LOOK_EVERY = 0.03
_LAST_LINES = 5


def run_container(task: ContainerTask, workspace: Workspace, inputs: Mapping[str, Any]) -> dict[str, CrossingValue]:
    """Run the task's container to its end and return its outputs; interrupting this ends the container.

    Raises:
        ContainerError: if an input or output has no form in a container, if there is no engine or image, or if the
            command fails.
    """
    workspace.enter()
    parts = private.container_parts(task)
    _check_outputs(task)
    context = workspace.context()
    root = Path(context.execution_state.working_dir)
    inside, outside = root / "inputs", root / "outputs"
    inside.mkdir()
    outside.mkdir(mode=0o777)
    outside.chmod(0o777)
    literals = _pack_inputs(task, inputs)
    storage = _Storage(context)
    for name, literal in literals.items():
        with _explained(f"input {name!r} of container task {task.name!r} can't be given to it"):
            write_input(literal, inside / name, storage)
    if literals:
        with _explained(f"the inputs of container task {task.name!r} can't be given to it"):
            write_summaries(literals, inside, parts.input_dir, parts.summary_form)
    volumes: dict[str, dict[str, str]] = {}
    if parts.input_dir:
        volumes[str(inside)] = {"bind": parts.input_dir, "mode": "ro"}
    if parts.output_dir:
        volumes[str(outside)] = {"bind": parts.output_dir, "mode": "rw"}
    command = [_render(task.name, word, literals, parts.input_dir) for word in parts.command]
    _run(task.name, parts.image, command, volumes, dict(task.environment or {}))
    workspace.enter_to_pack()
    return _read_outputs(task, outside, storage)


def _check_outputs(task: ContainerTask) -> None:
    for name, variable in task.interface.outputs.items():
        support = as_container_output(variable.type)
        if not support.is_supported:
            raise ContainerError(
                f"output {name!r} of container task {task.name!r} can't be a "
                f"{type_text(task.python_interface.outputs[name])}: {support.how}",
                hint="let the container write a file (FlyteFile) and read it in a task",
            )


def _pack_inputs(task: ContainerTask, inputs: Mapping[str, Any]) -> dict[str, Any]:
    types, variables = task.python_interface.inputs, task.interface.inputs
    literals = {}
    for name, value in inputs.items():
        with _explained(f"input {name!r} of container task {task.name!r} can't be a {type_text(types[name])}"):
            literals[name] = packer(types[name], variables[name].type, strict=True)(value).literal().to_flyte_idl()
    return literals


def _read_outputs(task: ContainerTask, outside: Path, storage: _Storage) -> dict[str, CrossingValue]:
    """Read what the container wrote.

    Raises:
        ContainerError: if it reported an error, or if an output is missing or isn't a value of its type.
    """
    declared = task.python_interface.outputs
    if not declared:
        return {}  # co-pilot reads no file then, not even an error
    with _explained(f"the error of container task {task.name!r} can't be read"):
        reported = read_error(outside)
    if reported is not None:
        raise ContainerError(f"container task {task.name!r} failed: {reported.strip()}")
    outputs = {}
    for name, variable in task.interface.outputs.items():
        python_type = declared[name]
        try:
            with _explained(
                f"output {name!r} of container task {task.name!r} can't be read as {type_text(python_type)}"
            ):
                literal = Literal.from_flyte_idl(read_output(outside, name, variable.type, storage))
                outputs[name] = from_literal(literal, python_type, variable.type)
                outputs[name].native()
        except FileNotFoundError as e:
            there = ", ".join(sorted(p.name for p in outside.iterdir())) or "nothing"
            message = f"container task {task.name!r} wrote no output {name!r}"
            raise ContainerError(message, hint=f"it wrote: {there}") from e
    return outputs


@contextmanager
def _explained(what: str) -> Iterator[None]:
    """Convert an error with a container's files to a ContainerError."""
    try:
        yield
    except FileNotFoundError:
        raise
    except Exception as e:
        raise ContainerError(f"{what}: {say(e)}") from e


class _Storage:
    """Files of literals, by flytekit's file access."""

    def __init__(self, context: FlyteContext) -> None:
        self._access = context.file_access

    def fetch(self, uri: str, path: Path, *, is_directory: bool) -> None:
        """Copy a file or the files of a directory to `path`; an empty directory leaves nothing, as on a cluster."""
        if self._access.is_remote(uri):
            self._access.get_data(uri, str(path), is_multipart=is_directory)
            return
        source = Path(self._access.strip_file_header(uri))
        if not is_directory:
            shutil.copyfile(source, path)
            return
        for found in files_below(source):
            copied = path / found.relative_to(source)
            copied.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(found, copied)

    def keep(self, path: Path) -> str:
        """Upload a file or directory, away from the container's own directory."""
        return str(self._access.put_raw_data(str(path)))


def _run(name: str, image: str, command: list[str], volumes: Any, environment: dict[str, str]) -> None:
    client = _engine(name)
    container = _start(client, name, image, command, volumes, environment)
    try:
        while container.status not in ("exited", "dead"):
            # Short waits instead of one long wait: a request to stop reaches this thread only between two of them.
            time.sleep(_LOOK_EVERY)
            check_stopped()
            container.reload()
        code = container.attrs["State"]["ExitCode"]
        log = container.logs().decode(errors="replace")
    finally:
        container.remove(force=True)
        client.close()
    if log:
        print(log, end="" if log.endswith("\n") else "\n")  # noqa: T201 - it is the node's own output
    if code != 0:
        output = " | ".join(log.strip().splitlines()[-_LAST_LINES:])
        raise ContainerError(f"container task {name!r} ended with status {code}: {output or 'it printed nothing'}")


def _engine(name: str) -> Any:
    try:
        import docker
    except ImportError as e:
        raise ContainerError(f"container task {name!r} needs a Docker engine", hint="pip install docker") from e
    try:
        client = docker.from_env()
        client.ping()
    except Exception as e:
        raise ContainerError(
            f"container task {name!r} needs a Docker engine, and none answers: {e}",
            hint="start one, or point DOCKER_HOST at one",
        ) from e
    return client


def _start(client: Any, name: str, image: str, command: list[str], volumes: Any, environment: dict[str, str]) -> Any:
    import docker.errors

    try:
        try:
            client.images.get(image)
        except docker.errors.ImageNotFound:
            client.images.pull(image)
        return client.containers.run(image, command=command, volumes=volumes, environment=environment, detach=True)
    except docker.errors.DockerException as e:
        client.close()
        raise ContainerError(
            f"container task {name!r} can't start {image!r}: {e}",
            hint="is the image's name right, and can it be pulled?",
        ) from e


def _render(task: str, word: str, literals: Mapping[str, Any], input_dir: str) -> str:
    """Fill in each `{{.inputs.x}}` of a word; a file or directory becomes its path in the container."""

    def fill(found: re.Match[str]) -> str:
        name = found.group(1)
        if name not in literals:
            raise ContainerError(
                f"the command of container task {task!r} has no input {name!r}", closest(name, literals)
            )
        if literals[name].scalar.WhichOneof("value") in ("blob", "schema"):
            return f"{input_dir}/{name}"
        with _explained(f"input {name!r} of container task {task!r} can't be a part of its command"):
            return render_input(literals[name])

    return INPUT_TEMPLATE.sub(fill, word) if literals else word
