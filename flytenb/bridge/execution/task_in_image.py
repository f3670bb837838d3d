"""Tasks of Python functions in their own image: shipped as source, run by their pod's command, answered as literals.

The directories of a call have the same paths in the container as here, so that the addresses in literals are valid in
both.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import uuid4

from flyteidl.core import errors_pb2, literals_pb2
from flytekit import ImageSpec
from flytekit.core.data_persistence import FileAccessProvider
from flytekit.core.python_auto_container import default_task_resolver
from flytekit.core.python_function_task import PythonFunctionTask
from flytekit.core.utils import load_proto_from_file
from flytekit.models.literals import Literal

from flytenb.bridge.context import Workspace
from flytenb.bridge.crossing import CrossingValue, from_literal, packer
from flytenb.bridge.entities.interface import short_name
from flytenb.bridge.execution.container import print_line, run_logged
from flytenb.bridge.execution.container_resources import limits_of, unused_settings
from flytenb.bridge.execution.files import copy_files
from flytenb.bridge.execution.image_facts import PROGRAM, ImageFacts, TaskSource, breaking, harmless
from flytenb.bridge.execution.packing import explain_input
from flytenb.bridge.execution.pod import settings_for_pods
from flytenb.bridge.stopping import check_stopped, current_attempt
from flytenb.engines import ContainerJob, Mount, engine_named
from flytenb.errors import ContainerError, ContainerExitError, FlytenbError

_HOW_TO_BUILD = "build the image with them: ImageSpec(packages=[…]); or run the task in the kernel: engine='auto'"
_LAST_LINES = 5


def image_of_function(task: Any) -> str | None:
    """Return the name of the image that a task of a Python function asks for, None if it asks for none."""
    image = task.container_image if isinstance(task, PythonFunctionTask) else None
    if isinstance(image, ImageSpec):
        return str(image.image_name())
    return image if image and "{{" not in image else None


@dataclass(frozen=True, slots=True)
class ImageCall:
    """The call of a task in its image.

    Attributes:
        task: the task.
        image: the name of the image.
        source: returns the task as source, or raises why it can't leave the notebook.
        engine: the name of the engine that runs it.
        has_network: whether it may use the network.
    """

    task: PythonFunctionTask
    image: str
    source: Callable[[], TaskSource]
    engine: str
    has_network: bool

    def digest(self) -> str:
        """Return what identifies the content of its image.

        Raises:
            ContainerError: if the image isn't there.
        """
        return engine_named(self.engine).digest(ContainerJob(short_name(self.task), self.image))

    def __call__(self, workspace: Workspace, inputs: dict[str, Any]) -> dict[str, CrossingValue]:
        """Run the task to its end and return its outputs; a request to stop ends its container.

        Raises:
            ExportError: if it can't leave the notebook.
            ContainerError: if the image can't run it, or if it raises.
        """
        source = self.source()
        name, engine = short_name(self.task), engine_named(self.engine)
        facts = self._check_image(source)
        root = Path(workspace.context().execution_state.working_dir)
        inside, outside = root / "inside", root / "outside"
        for made in (inside, outside):
            made.mkdir()
        _write_source(source, inside / "source")
        self._write_inputs(workspace, inputs, inside)
        context = workspace.enter()
        raw = str(context.file_access.get_random_remote_directory())
        mounts = [Mount(inside, str(inside)), Mount(outside, str(outside), is_writable=True)]
        places = {"{{.input}}": str(inside / "inputs.pb"), "{{.outputPrefix}}": str(outside)}
        places |= {"{{.rawOutputDataPrefix}}": raw, "{{.prevCheckpointPrefix}}": '""'}
        earlier = current_attempt().checkpoints
        places["{{.checkpointOutputPrefix}}"], before = workspace.next_checkpoint([] if earlier is None else earlier)
        mounts.append(Mount(Path(places["{{.checkpointOutputPrefix}}"]), places["{{.checkpointOutputPrefix}}"], True))
        if before is not None:
            places["{{.prevCheckpointPrefix}}"] = before
            mounts.append(Mount(Path(before), before))
        if not context.file_access.is_remote(raw):
            Path(raw).mkdir(parents=True)
            mounts.append(Mount(Path(raw), raw, is_writable=True))
        environment = {**(self.task.environment or {})}
        paths = (str(inside / "source"), environment.get("PYTHONPATH", facts.path))
        environment["PYTHONPATH"] = ":".join(filter(None, paths))
        job = ContainerJob(
            name, self.image, (), tuple(places.get(word, word) for word in _command(self.task, source)),
            tuple(mounts), environment, limits=limits_of(self.task), has_network=self.has_network,
        )  # fmt: skip
        for unused in unused_settings(self.task):
            print_line(f"flytenb: {unused} of task {name!r} has no effect here")
        ended, text = run_logged(job, engine)
        self._raise_error(outside, ended.reason, f"{inside / 'source'}/")
        if ended.status != 0 or ended.reason or not (outside / "outputs.pb").exists():
            said = " | ".join(text.strip().splitlines()[-_LAST_LINES:]) or "it printed nothing"
            why = f" ({ended.reason})" if ended.reason else ""
            message = f"task {name!r} ended with status {ended.status}{why} in image {self.image!r}: {said}"
            raise ContainerExitError(message)
        return self._read_outputs(workspace, outside)

    def _check_image(self, source: TaskSource) -> ImageFacts:
        """Compare the image with the kernel.

        Raises:
            ContainerError: for a difference with which the task can't run.
        """
        name = short_name(self.task)
        program = str(self.task.get_command(settings_for_pods())[0])
        facts = _facts_of(self.engine, self.image, self.digest(), json.dumps(dict(source.packages)), program)
        reasons = [*breaking(facts, source)]
        if reasons:
            message = f"task {name!r} can't run in its image {self.image!r}: {'; '.join(reasons)}"
            raise ContainerError(message, hint=_HOW_TO_BUILD)
        for difference in harmless(facts, source):
            print_line(f"flytenb: image {self.image!r} of task {name!r} differs from the kernel: {difference}")
        return facts

    def _write_inputs(self, workspace: Workspace, inputs: dict[str, Any], inside: Path) -> None:
        """Write the inputs as literals, with their files below the same directory."""
        task, base = self.task, workspace.context()
        access = FileAccessProvider(str(inside / "scratch"), str(inside / "files"))
        workspace.enter(base.with_file_access(access).build())
        types, variables = task.python_interface.inputs, task.interface.inputs

        def copy(path: str) -> str:
            copied = inside / "files" / uuid4().hex / Path(path).name
            copied.parent.mkdir(parents=True)
            shutil.copytree(path, copied) if Path(path).is_dir() else shutil.copyfile(path, copied)
            return str(copied)

        literals = {}
        for name, value in inputs.items():
            try:
                packed = packer(types[name], variables[name].type, strict=True)(copy_files(value, copy))
                literals[name] = packed.literal().to_flyte_idl()
            except Exception as e:
                explain_input(e, short_name(task), name, types[name])
                raise
        (inside / "inputs.pb").write_bytes(literals_pb2.LiteralMap(literals=literals).SerializeToString())

    def _raise_error(self, outside: Path, reason: str, folder: str) -> None:
        """Raise the error that the command has reported, with the traceback; one that is recoverable is tried again."""
        if reason or not (outside / "error.pb").exists():
            return
        error = load_proto_from_file(errors_pb2.ErrorDocument, str(outside / "error.pb")).error
        trace, _, said = error.message.partition("\nMessage:\n")
        headline = said.strip() or error.message.strip()
        kind = ContainerExitError if error.kind == errors_pb2.ContainerError.RECOVERABLE else ContainerError
        shown = trace.removeprefix("Trace:").strip("\n").replace(folder, "")
        message = f"task {short_name(self.task)!r} failed in image {self.image!r}: {headline}"
        raise kind(f"{message}\n{shown}" if said and shown else message)

    def _read_outputs(self, workspace: Workspace, outside: Path) -> dict[str, CrossingValue]:
        workspace.enter_to_pack()
        found = load_proto_from_file(literals_pb2.LiteralMap, str(outside / "outputs.pb")).literals
        types, variables = self.task.python_interface.outputs, self.task.interface.outputs
        return {
            name: from_literal(Literal.from_flyte_idl(literal), types[name], variables[name].type)
            for name, literal in found.items()
        }


def in_kernel(call: Callable[..., Any], message: str) -> Callable[..., Any]:
    """Return a call that says why the task runs in the kernel, in the node's log and once in a process in the cell."""

    def say_and_call(workspace: Workspace, inputs: dict[str, Any]) -> Any:
        print_line(message)
        workspace.announce(message)
        return call(workspace, inputs)

    return say_and_call


def _command(task: PythonFunctionTask, source: TaskSource) -> list[str]:
    """Return the words of the pod's command; the task is found in its exported module."""
    words = task.get_command(settings_for_pods())
    place = ["task-module", source.module, "task-name", source.variable]
    return [*words[: words.index("--resolver")], "--resolver", default_task_resolver.location, "--", *place]


def _write_source(source: TaskSource, folder: Path) -> None:
    folder.mkdir()
    for path, content in source.files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)


@lru_cache(maxsize=64)
def _facts_of(engine: str, image: str, digest: str, packages: str, program: str) -> ImageFacts:
    """Run the program of `image_facts` in an image; an image of the same digest has the same facts.

    Raises:
        ContainerError: if that isn't possible.
    """
    pieces: list[str] = []
    job = ContainerJob(image, image, (), ("python3", "-c", PROGRAM, packages, program))
    try:
        ended = engine_named(engine).run(job, pieces.append, check_stopped)
        facts = ImageFacts.read("".join(pieces))
    except FlytenbError as e:
        raise ContainerError(f"image {image!r} can't run python3: {e.message}", hint=_HOW_TO_BUILD) from e
    if facts is None:
        said = " | ".join("".join(pieces).strip().splitlines()[-_LAST_LINES:])
        message = f"python3 in image {image!r} ended with status {ended.status}: {said}"
        raise ContainerError(message, hint=_HOW_TO_BUILD)
    return facts
