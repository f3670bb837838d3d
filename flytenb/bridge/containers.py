"""A raw container task on the machine's own engine: files in, files out, as a cluster's co-pilot lays them.

flytekit's own local run takes any exit for success, keeps the logs to itself, renders a template only where it stands
alone, and leaves the container behind when it is interrupted. Other languages' preludes and engines are not here.
"""

from __future__ import annotations

import datetime
import re
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from flytekit.core.container_task import ContainerTask
from flytekit.types.directory import FlyteDirectory
from flytekit.types.file import FlyteFile

from flytenb.bridge import private
from flytenb.bridge.context import Workspace
from flytenb.bridge.crossing import Value, packer
from flytenb.bridge.stopping import check_stopped
from flytenb.bridge.type_names import name_type
from flytenb.errors import ContainerError

_LOOK_EVERY = 0.03
_LINES_TOLD = 5
_LONGEST_TEXT = 1024
_TEMPLATE = re.compile(r"\{\{\s*\.inputs\.(\w+)\s*\}\}")


def run_container(task: ContainerTask, workspace: Workspace, inputs: Mapping[str, Any]) -> dict[str, Value]:
    """Run the task's container to its end and return its outputs; whoever stops this ends the container.

    Raises:
        ContainerError: if there is no engine or image, or the command fails.
    """
    workspace.enter()
    parts = private.container_parts(task)
    root = Path(workspace.context().execution_state.working_dir)
    inside, outside = root / "inputs", root / "outputs"
    inside.mkdir()
    outside.mkdir(mode=0o777)
    outside.chmod(0o777)
    for name, value in inputs.items():
        _write_input(inside / name, value)
    volumes: dict[str, dict[str, str]] = {}
    if parts.input_dir:
        volumes[str(inside)] = {"bind": parts.input_dir, "mode": "ro"}
    if parts.output_dir:
        volumes[str(outside)] = {"bind": parts.output_dir, "mode": "rw"}
    command = [_render(word, inputs, parts.input_dir) for word in parts.command]
    _run(task.name, parts.image, command, volumes, dict(task.environment or {}))
    failed = outside / "_ERROR"
    if failed.exists():
        raise ContainerError(f"container task {task.name!r} failed: {failed.read_text(errors='replace').strip()}")
    workspace.enter_to_pack()
    return {name: _read_output(task.name, outside / name, t) for name, t in task.python_interface.outputs.items()}


def _run(name: str, image: str, command: list[str], volumes: Any, environment: dict[str, str]) -> None:
    client = _engine(name)
    container = _start(client, name, image, command, volumes, environment)
    try:
        while container.status not in ("exited", "dead"):
            # Short looks instead of one long wait: a request to stop reaches this thread only between two of them.
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
        told = " | ".join(log.strip().splitlines()[-_LINES_TOLD:])
        raise ContainerError(f"container task {name!r} ended with status {code}: {told or 'it printed nothing'}")


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


def _render(word: str, inputs: Mapping[str, Any], input_dir: str) -> str:
    """Fill in `{{.inputs.x}}` wherever it stands; a file or directory stands for its path in the container."""

    def fill(found: re.Match[str]) -> str:
        name = found.group(1)
        if name not in inputs:
            return found.group(0)
        value = inputs[name]
        return f"{input_dir}/{name}" if isinstance(value, FlyteFile | FlyteDirectory) else _text(value)

    return _TEMPLATE.sub(fill, word)


def _write_input(path: Path, value: Any) -> None:
    if isinstance(value, FlyteDirectory):
        shutil.copytree(str(value.download()), path)
    elif isinstance(value, FlyteFile):
        shutil.copyfile(value.download(), path)
    elif isinstance(value, list):
        path.mkdir()
        for i, item in enumerate(value):
            _write_input(path / str(i), item)
    elif isinstance(value, dict):
        path.mkdir()
        for key, item in value.items():
            _write_input(path / str(key), item)
    else:
        path.write_text(_text(value), encoding="utf-8")


def _text(value: Any) -> str:
    """A primitive as the cluster's co-pilot writes it."""
    match value:
        case bool():
            return "true" if value else "false"
        case datetime.datetime():
            aware = value if value.tzinfo else value.replace(tzinfo=datetime.UTC)
            return aware.astimezone(datetime.UTC).isoformat().replace("+00:00", "Z")
        case datetime.timedelta():
            return f"{value.total_seconds():g}s"
        case str() | int() | float():
            return str(value)
    raise ContainerError(
        f"a {type(value).__name__} can't be handed to a container as text",
        hint="give it a file, or numbers, text, lists and dictionaries of these",
    )


def _seconds(text: str) -> datetime.timedelta:
    found = re.fullmatch(r"(-?[\d.]+)s", text)
    if found is None:
        raise ValueError(f"{text!r} is no duration like 1.5s")
    return datetime.timedelta(seconds=float(found.group(1)))


def _truth(text: str) -> bool:
    answers = {"true": True, "false": False, "1": True, "0": False}
    if text.lower() not in answers:
        raise ValueError(f"{text!r} is neither true nor false")
    return answers[text.lower()]


_READERS: dict[Any, Callable[[str], Any]] = {
    int: int,
    float: float,
    str: str,
    bool: _truth,
    datetime.datetime: datetime.datetime.fromisoformat,
    datetime.timedelta: _seconds,
}


def _read_output(task: str, path: Path, declared: Any) -> Value:
    """Read one output file by its declared type.

    Raises:
        ContainerError: if it isn't there, is longer than a cluster takes, or doesn't say a value of the type.
    """
    if not path.exists():
        there = ", ".join(sorted(p.name for p in path.parent.iterdir())) or "nothing"
        raise ContainerError(f"container task {task!r} wrote no output {path.name!r}", hint=f"it wrote: {there}")
    if isinstance(declared, type) and issubclass(declared, FlyteFile | FlyteDirectory):
        return packer(declared, strict=True)(declared(path=str(path)))
    reader = _READERS.get(declared)
    if reader is None:
        raise ContainerError(
            f"output {path.name!r} of container task {task!r} can't be a {name_type(declared)}",
            hint=f"a container can give {', '.join(t.__name__ for t in _READERS)}, files and directories",
        )
    text = path.read_text(encoding="utf-8")
    if len(text.encode()) > _LONGEST_TEXT:
        raise ContainerError(
            f"output {path.name!r} of container task {task!r} has {len(text)} characters; a cluster takes 1024 bytes",
            hint="make it a file: kwtypes(out=FlyteFile)",
        )
    try:
        return packer(declared, strict=True)(reader(text.removesuffix("\n")))
    except ValueError as e:
        raise ContainerError(f"output {path.name!r} of container task {task!r} is no {name_type(declared)}: {e}") from e
