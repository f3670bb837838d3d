"""What is registered of the tasks of a module, read in a process of its own: `python -m … FOLDER MODULE NAME …`."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from flyteidl.core import tasks_pb2
from flytekit.core.context_manager import FlyteEntities
from flytekit.core.utils import load_proto_from_file
from flytekit.image_spec.image_spec import ImageBuildEngine
from flytekit.models.task import TaskTemplate

from flytenb.bridge.execution.pod import last_line, serialise
from flytenb.errors import FlytenbError, headline
from flytenb.wording.quantities import duration_text

_INDEX = "templates.json"


def read_templates(folder: Path, module: str, names: Iterable[str], seconds: float) -> dict[str, TaskTemplate | str]:
    """Return the templates of tasks by their full names, or why there is none.

    Args:
        folder: where the module is, and what is written.
        module: its name.
        names: the names of the tasks.
        seconds: the limit, which includes the import of flytekit and of the module.

    Raises:
        FlytenbError: if the module can't be imported there.
    """
    command = [sys.executable, "-m", "flytenb.bridge.execution.module_templates", str(folder), module, *names]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), *filter(None, sys.path)])}
    try:
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=seconds)
    except subprocess.TimeoutExpired:
        raise FlytenbError(f"the exported module isn't imported after {duration_text(seconds)}") from None
    if done.returncode != 0:
        hint = "importing it must need nothing of the notebook"
        raise FlytenbError(f"the exported module can't be imported: {last_line(done.stderr)}", hint=hint)
    found: dict[str, TaskTemplate | str] = json.loads((folder / _INDEX).read_text())
    for name, text in found.items():
        file = folder / str(text)
        if file.suffix == ".pb":
            found[name] = TaskTemplate.from_flyte_idl(load_proto_from_file(tasks_pb2.TaskTemplate, str(file)))
    return found


def main(folder: Path, module: str, names: list[str]) -> None:
    """Import a module and write what is registered of its tasks, without building their images."""
    ImageBuildEngine.build = lambda image: None
    importlib.import_module(module)
    tasks = {entity.name: entity for entity in FlyteEntities.entities if entity.name in names}
    found = {}
    for number, name in enumerate(names):
        task = tasks.get(name)
        try:
            if task is None:
                raise FlytenbError("importing the module doesn't make it")
            (folder / f"{number}.pb").write_bytes(serialise(task).to_flyte_idl().SerializeToString())
            found[name] = f"{number}.pb"
        except Exception as error:
            found[name] = headline(error)
    (folder / _INDEX).write_text(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3:])
