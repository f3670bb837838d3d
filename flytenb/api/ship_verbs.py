"""Functions that take an entity out of the notebook, and check it before."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flytenb.bridge.entities.interface import require_entity, require_local
from flytenb.errors import UsageError
from flytenb.model import Phase
from flytenb.reach.staleness import recompile_stale
from flytenb.runner.run import Run
from flytenb.session.host import host
from flytenb.session.options import Options
from flytenb.ship.draft import defined_entities
from flytenb.ship.exported_module import Export
from flytenb.ship.pod_check import run_pods
from flytenb.ship.preflight import Preflight
from flytenb.wording.values import brief


def export(entity: Any = None, path: str | Path | None = None) -> Export:
    """Return an entity and all that it reaches as the text of a module, and write it to a file if there is a path.

        module = flytenb.export(training, "pipeline.py")
        # then: pyflyte run pipeline.py training --n 3
        flytenb.export(path="pipeline.py")  # all entities of the notebook

    The module holds the statements of the notebook's cells that the entity needs, as they were written, in a valid
    order: imports, types and what is registered for them, constants, functions, tasks and workflows.

    Args:
        entity: a task, workflow or launch plan of the notebook, or a list of them; by default all that the cells
            define.
        path: what to write: a module (`.py`), a notebook (`.md`, `.ipynb`), or a folder (`"training/"`) for a project
            with the versions of what the module imports.

    Raises:
        NotAnEntityError: for anything but a task, workflow or launch plan.
        ExportError: for what exists in the kernel only, and for texts that look like secrets; the message lists
            everything with its place and what to do instead.
        SaveError: if it can't be written.
    """
    entities, session = _local_entities(entity), host.session
    for each in entities:
        recompile_stale(each)
    made = Export.of(entities, session.cells, session.namespace)
    if path is not None:
        made.save(path)
    return made


def check(entity: Any = None, *, pod: bool = False, inputs: Mapping[str, Any] | None = None) -> Preflight:
    """Return what would go wrong for an entity on a cluster: everything that `export` refuses, and more.

    `result = flytenb.check(training)`; `result.ok` is whether there is no error, `result.findings` has each error and
    warning with its place and what to do.

    Args:
        entity: a task, workflow or launch plan of the notebook, or a list of them; by default all that the cells
            define.
        pod: whether every task also runs as its pod does, by `pyflyte-fast-execute` in a clean process, and its
            outputs are compared with those of the latest run of the entity; `result.executed` names the tasks that were
            run, and a warning gives the reason for each other one.
        inputs: the inputs by name of a new run to compare with; without them and without a run, the defaults.

    Raises:
        NotAnEntityError: for anything but a task, workflow or launch plan.
        UsageError: for inputs without `pod`.
        BaseException: what the new run raises.
    """
    if inputs is not None and not pod:
        raise UsageError(f"expected inputs along with pod=True, got inputs={brief(inputs)}", hint="pod=True")
    entities, session = _local_entities(entity), host.session
    failures: list[tuple[Any, Exception]] = []
    for each in entities:
        try:
            recompile_stale(each)
        except Exception as error:
            failures.append((each, error))
    if failures:
        return Preflight.of_failed(entities, failures)
    found = Preflight.of(entities, session.cells, session.namespace)
    if not (pod and found.ok):
        return found
    made = Export.of(entities, session.cells, session.namespace)
    return found.with_pods(run_pods(_latest_run(each, inputs), made, _run_again) for each in entities)


def _run_again(entity: Any, inputs: Mapping[str, Any]) -> Run:
    return Options().options(cache=False).run(entity, **inputs)


def _latest_run(entity: Any, inputs: Mapping[str, Any] | None) -> Run:
    """Return the latest run of an entity that has succeeded, or a new one."""
    done = [run for run in host.session.runs_of(entity) if run.phase is Phase.SUCCEEDED]
    return done[-1] if done and inputs is None else Options().run(entity, **(inputs or {}))


def _local_entities(given: Any) -> list[Any]:
    """Return one entity or several as a list, all of the notebook for None."""
    if given is None:
        return defined_entities(host.session.cells, host.session.namespace)
    entities = [*given] if isinstance(given, list | tuple) else [given]
    for entity in entities:
        require_entity(entity)
        require_local(entity)
    return entities
