"""Raw container tasks: inputs and outputs as files, the command, the engine that runs it, and what went wrong.

The form of the files is left to `container_files`. flytekit's own local run ignores the exit status, keeps the logs,
renders a template only where it is a whole word, and leaves the container behind when it is interrupted.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flytekit.core.container_task import ContainerTask
from flytekit.core.context_manager import FlyteContext
from flytekit.models.literals import Literal

from flytenb.bridge import private
from flytenb.bridge.context import Workspace
from flytenb.bridge.crossing import CrossingValue, from_literal, packer
from flytenb.bridge.entities.container_cell import CellTask
from flytenb.bridge.entities.kind import short_name
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
from flytenb.bridge.execution.container_resources import image_of, is_built_from_spec, limits_of, unused_settings
from flytenb.bridge.stopping import check_stopped
from flytenb.engines import ContainerEngine, ContainerJob, Exit, Mount, choose
from flytenb.errors import ContainerError, ContainerExitError, closest, say
from flytenb.wording.types import type_text

_LAST_LINES = 5
_VARIABLE = re.compile(r"\$\$|\$\(([^)]*)\)")


@dataclass(frozen=True, slots=True)
class ContainerCall:
    """The call of a raw container task.

    Attributes:
        task: the task.
        engine: the name of the engine that runs it, or "auto".
        has_network: whether it may use the network.
    """

    task: ContainerTask
    engine: str
    has_network: bool

    def digest(self) -> str:
        """Return what identifies the content of its image.

        Raises:
            ContainerError: if no engine can run it.
        """
        parts = private.container_parts(self.task)
        job = ContainerJob(_name(self.task), image_of(self.task), parts.command, parts.arguments)
        return self._choose(job, lambda text: None).digest(job)

    def __call__(self, workspace: Workspace, inputs: Mapping[str, Any]) -> dict[str, CrossingValue]:
        """Run the container to its end and return its outputs; a request to stop ends it.

        Raises:
            ContainerError: if an input or output has no form in a container, if no engine can run it, or if the command
                fails.
        """
        workspace.enter()
        task, parts = self.task, private.container_parts(self.task)
        _check_outputs(task)
        context = workspace.context()
        root = Path(context.execution_state.working_dir)
        inside, outside = root / "inputs", root / "outputs"
        inside.mkdir()
        outside.mkdir()
        storage = _Storage(context)
        literals = self._write_inputs(inputs, inside, storage)
        mounts = [Mount(inside, parts.input_dir)] if parts.input_dir else []
        mounts += [Mount(outside, parts.output_dir, is_writable=True)] if parts.output_dir else []
        environment: dict[str, str] = {}
        for variable, value in (task.environment or {}).items():
            environment[variable] = _expand(value, environment)
        command, arguments = (
            tuple(_expand(_render(_name(task), word, literals, parts.input_dir), environment) for word in words)
            for words in (parts.command, parts.arguments)
        )
        job = ContainerJob(
            _name(task), image_of(task), command, arguments, tuple(mounts), environment,
            limits=limits_of(task), has_network=self.has_network,
        )  # fmt: skip
        for unused in unused_settings(task):
            print_line(f"flytenb: {unused} of container task {_name(task)!r} has no effect here")

        def say_so(text: str) -> None:
            print_line(text)
            workspace.announce(text)

        _run(job, self._choose(job, say_so), outside)
        workspace.enter_to_pack()
        return _read_outputs(task, outside, storage)

    def _choose(self, job: ContainerJob, say_so: Callable[[str], None]) -> ContainerEngine:
        try:
            return choose(self.engine, job, check_stopped, say_so)
        except ContainerError as e:
            if is_built_from_spec(self.task):
                hint = "a run doesn't build an ImageSpec: ImageBuildEngine.build(spec) of flytekit.image_spec does"
                raise ContainerError(e.message, hint) from e
            raise

    def _write_inputs(self, inputs: Mapping[str, Any], inside: Path, storage: _Storage) -> dict[str, Any]:
        task, parts = self.task, private.container_parts(self.task)
        literals = _pack_inputs(task, inputs)
        for name, literal in literals.items():
            with _explained(f"input {name!r} of container task {_name(task)!r} can't be given to it"):
                write_input(literal, inside / name, storage)
        if literals:
            with _explained(f"the inputs of container task {_name(task)!r} can't be given to it"):
                write_summaries(literals, inside, parts.input_dir, parts.summary_form)
        return literals


def _name(task: ContainerTask) -> str:
    """Return the name that the user knows: that of the cell, if the task is a part of one."""
    return task.cell_name if isinstance(task, CellTask) else short_name(task)


def run_logged(job: ContainerJob, engine: ContainerEngine) -> tuple[Exit, str]:
    """Run a job; what it prints becomes the node's output, and is returned."""
    pieces: list[str] = []

    def log(text: str) -> None:
        pieces.append(text)
        sys.stdout.write(text)

    ended = engine.run(job, log, check_stopped)
    text = "".join(pieces)
    if text and not text.endswith("\n"):
        sys.stdout.write("\n")
    return ended, text


def _run(job: ContainerJob, engine: ContainerEngine, outside: Path) -> None:
    ended, text = run_logged(job, engine)
    if ended.status != 0 or ended.reason:
        with _explained(f"the error of container task {job.name!r} can't be read"):
            reported = read_error(outside)
        if reported is not None and not ended.reason:
            raise ContainerExitError(f"container task {job.name!r} failed: {reported.strip()}")
        said = " | ".join(text.strip().splitlines()[-_LAST_LINES:]) or "it printed nothing"
        why = f" ({ended.reason})" if ended.reason else ""
        raise ContainerExitError(f"container task {job.name!r} ended with status {ended.status}{why}: {said}")


def print_line(text: str) -> None:
    """Print to the node's own output."""
    sys.stdout.write(f"{text}\n")


def _check_outputs(task: ContainerTask) -> None:
    for name, variable in task.interface.outputs.items():
        support = as_container_output(variable.type)
        if not support.is_supported:
            raise ContainerError(
                f"output {name!r} of container task {_name(task)!r} can't be a "
                f"{type_text(task.python_interface.outputs[name])}: {support.how}",
                hint="let the container write a file (FlyteFile) and read it in a task",
            )


def _pack_inputs(task: ContainerTask, inputs: Mapping[str, Any]) -> dict[str, Any]:
    types, variables = task.python_interface.inputs, task.interface.inputs
    literals = {}
    for name, value in inputs.items():
        with _explained(f"input {name!r} of container task {_name(task)!r} can't be a {type_text(types[name])}"):
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
    with _explained(f"the error of container task {_name(task)!r} can't be read"):
        reported = read_error(outside)
    if reported is not None:
        raise ContainerError(f"container task {_name(task)!r} failed: {reported.strip()}")
    outputs = {}
    for name, variable in task.interface.outputs.items():
        python_type = declared[name]
        try:
            with _explained(
                f"output {name!r} of container task {_name(task)!r} can't be read as {type_text(python_type)}"
            ):
                literal = Literal.from_flyte_idl(read_output(outside, name, variable.type, storage))
                outputs[name] = from_literal(literal, python_type, variable.type)
                outputs[name].native()
        except FileNotFoundError as e:
            there = ", ".join(sorted(p.name for p in outside.glob("*"))) or "nothing"
            message = f"container task {_name(task)!r} wrote no output {name!r}"
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


def _expand(word: str, environment: Mapping[str, str]) -> str:
    """Replace each `$(NAME)` of a variable of the task and each `$$` of a word or variable, as Kubernetes does."""
    return _VARIABLE.sub(lambda found: environment.get(found[1], found[0]) if found[1] is not None else "$", word)
