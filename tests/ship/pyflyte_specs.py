"""A process that has imported flytekit and forks for each module, and makes its specs as `pyflyte register` does."""

from __future__ import annotations

import base64
import gc
import importlib
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from flyteidl.admin import task_pb2, workflow_pb2

from flytenb.bridge.cluster.registration import read_message
from flytenb.bridge.cluster.specs import EntitySpec, SpecRequest


class SpecMaker:
    """Makes the specs of modules, each in a process of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._lock = threading.Lock()

    def make(self, folder: Path, request: SpecRequest) -> tuple[EntitySpec, ...]:
        """Return what pyflyte registers of a module in a folder."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._lock, tempfile.TemporaryDirectory() as answers:
            answer = Path(answers) / "answer"
            line = json.dumps({"folder": str(folder), "answer": str(answer), "request": asdict(request)})
            self._process.stdin.write(f"{line}\n")
            self._process.stdin.flush()
            assert self._process.stdout.readline() == "done\n"
            made = json.loads(answer.read_text())
        assert not isinstance(made, str), made
        return tuple(EntitySpec(**{**each, "message": base64.b64decode(each["message"])}) for each in made)


@contextmanager
def spec_maker() -> Iterator[SpecMaker]:
    """Run the process."""
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    command = [sys.executable, "-B", "-m", __name__]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        yield SpecMaker(process)


def by_pyflyte(request: SpecRequest) -> Iterator[EntitySpec]:
    """Yield the specs of all entities of a module, as `pyflyte register` makes them."""
    from flytekit.configuration import FastSerializationSettings, ImageConfig, SerializationSettings
    from flytekit.configuration.default_images import DefaultImages
    from flytekit.models.admin.workflow import WorkflowSpec
    from flytekit.models.launch_plan import LaunchPlan
    from flytekit.models.task import TaskSpec
    from flytekit.tools.repo import serialize_get_control_plane_entities, serialize_load_only

    fast = FastSerializationSettings(enabled=True, destination_dir=".", distribution_location=request.archive)
    settings = SerializationSettings(
        image_config=ImageConfig.auto(None, DefaultImages.default_image()),
        project=request.project,
        domain=request.domain,
        version=request.version,
        fast_serialization_settings=fast,
    )
    folder = str(Path.cwd())
    serialize_load_only([request.module], settings, folder)
    for model in serialize_get_control_plane_entities(settings, folder, is_registration=True):
        message = (model.spec if isinstance(model, LaunchPlan) else model).to_flyte_idl()
        kind = {TaskSpec: "task", WorkflowSpec: "workflow", LaunchPlan: "launch_plan"}[type(model)]
        name = model.id.name if isinstance(model, LaunchPlan) else model.template.id.name
        yield EntitySpec(kind, name, message.SerializeToString(deterministic=True))


def comparable(spec: EntitySpec) -> str:
    """Return the message without what differs between two processes."""
    message = read_message(spec)
    if isinstance(message, task_pb2.TaskSpec):
        del message.template.container.env[:]  # of a dynamic: all settings, compressed, with the directory
    if isinstance(message, workflow_pb2.WorkflowSpec):
        parts = sorted(message.sub_workflows, key=lambda part: str(part.id.name))
        del message.sub_workflows[:]
        message.sub_workflows.extend(parts)
        for template in (message.template, *message.sub_workflows):
            sort_upstream([*template.nodes, template.failure_node])
    # A pickled constant is a file in a folder of the process that made the specs.
    return re.sub(r'(uri: ").*/raw/\w+/', r"\1", str(message))


def sort_upstream(nodes: Iterable[Any]) -> None:
    """Sort the ids that flytekit keeps as a set."""
    for node in nodes:
        node.upstream_node_ids.sort()
        block = node.branch_node.if_else
        sort_upstream(case.then_node for case in (block.case, *block.other) if node.HasField("branch_node"))
        sort_upstream([block.else_node] if block.HasField("else_node") else [])


def _answer(folder: str, answer: str, request: dict[str, Any]) -> None:
    """Do what a request asks for, in the child."""
    os.chdir(folder)
    sys.path[0] = folder
    sys.stdout = sys.stderr  # pyflyte prints what it loads
    try:
        made = [asdict(spec) for spec in by_pyflyte(SpecRequest(**request))]
        given = json.dumps([{**each, "message": base64.b64encode(each["message"]).decode()} for each in made])
    except Exception:
        given = json.dumps(traceback.format_exc())
    Path(answer).write_text(given)


def serve() -> None:
    """Answer until the requests end."""
    for module in ("flytekit.image_spec.image_spec", "flytekit.tools.repo", "pandas"):
        importlib.import_module(module)

    gc.freeze()
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            _answer(**json.loads(line))
            os._exit(0)
        os.waitpid(pid, 0)
        sys.stdout.write("done\n")
        sys.stdout.flush()


if __name__ == "__main__":
    serve()
