"""Tasks run as their pods run them, from the exported module, and compared with a run of the notebook."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flytenb.bridge.entities.kind import is_python_task, kind_of, short_name
from flytenb.bridge.execution.module_templates import read_templates
from flytenb.bridge.execution.pod import is_of_cell, run_pod
from flytenb.errors import FlytenbError, headline
from flytenb.model import Phase
from flytenb.ship.cluster_rules import NOT_RUN_ALONE
from flytenb.ship.finding import Finding
from flytenb.types.value_changes import describe_value, first_change

if TYPE_CHECKING:
    from flytenb.runner.node_run import NodeRun
    from flytenb.runner.run import Run

_MODULE = "flytenb_exported"
_TIME_LIMIT = 600.0
"""Seconds that one process may take."""


def find_differences(run: Run, files: Mapping[str, bytes], text: str) -> Iterator[Finding]:
    """Yield where the pods of a run's tasks give another result than the run: each task once, with its first inputs.

    Args:
        run: a run that has succeeded.
        files: your own modules, by their paths.
        text: the exported module.
    """
    nodes: dict[str, NodeRun] = {}
    for path in run.nodes:
        node = run.nodes[path]
        if is_python_task(node.entity) and node.phase is Phase.SUCCEEDED:
            nodes.setdefault(node.entity.name, node)
    with tempfile.TemporaryDirectory(prefix="flytenb-pods-") as made:
        folder = Path(made)
        for name, content in {**files, f"{_MODULE}.py": text.encode()}.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        full = {name: f"{_MODULE}.{short_name(n.entity)}" for name, n in nodes.items() if is_of_cell(n.entity)}
        try:
            templates = read_templates(folder, _MODULE, [full.get(name, name) for name in nodes], _TIME_LIMIT)
        except FlytenbError as error:
            yield Finding(error.message, "the exported module", error.hint or "import it in a clean process")
            return
        for number, (name, node) in enumerate(nodes.items()):
            yield from _of_task(node, templates[full.get(name, name)], folder, folder / f"pod-{number}")


def _of_task(node: NodeRun, template: Any, modules: Path, folder: Path) -> Iterator[Finding]:
    where = f"task {short_name(node.entity)}"
    why = NOT_RUN_ALONE.get(kind_of(node.entity), "")
    if isinstance(template, str):
        why = template
    elif template.container is None or not template.container.args:
        why = why or "a service runs it"
    if why:
        yield Finding(f"it wasn't run as its pod: {why}", where, "test it on a cluster", "warning")
        return
    inputs = node.inputs
    given = ", ".join(f"{name}={describe_value(value)}" for name, value in inputs.items()) or "no inputs"
    try:
        result = run_pod(node.entity, template, inputs, folder, _TIME_LIMIT, modules=modules)
    except Exception as error:
        yield Finding(
            f"its inputs or outputs can't be sent: {headline(error)}, for {given}", where, "declare their types"
        )
        return
    if result.error:
        hint = "whatever it needs must be in the module, its image or its inputs"
        yield Finding(f"its pod fails for {given}: {result.error}", where, hint)
        return
    for name, value in node.outputs.items():
        change = first_change(value, result.outputs.get(name))
        if change is not None:
            hint = "let it depend on its inputs only: not on the time, chance, or what other tasks leave behind"
            what = f"{name}{change.path} is {change.after} in its pod and {change.before} here, for {given}"
            yield Finding(what, where, hint)
