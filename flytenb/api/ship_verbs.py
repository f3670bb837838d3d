"""Functions that take an entity out of the notebook, and check it before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flytenb.bridge.entities.interface import require_entity, require_local
from flytenb.reach.staleness import recompile_stale
from flytenb.session.host import host
from flytenb.ship.exported_module import Export
from flytenb.ship.preflight import Preflight


def export(entity: Any, path: str | Path | None = None) -> Export:
    """Return an entity and all that it reaches as the text of a module, and write it to a file if there is a path.

        module = flytenb.export(training, "pipeline.py")
        # then: pyflyte run pipeline.py training --n 3

    The module holds the statements of the notebook's cells that the entity needs, as they were written, in a valid
    order: imports, types and what is registered for them, constants, functions, tasks and workflows.

    Args:
        entity: a task, workflow or launch plan of the notebook, or a list of them.
        path: the file to write.

    Raises:
        NotAnEntityError: for anything but a task, workflow or launch plan.
        ExportError: for what exists in the kernel only, and for texts that look like secrets; the message lists
            everything with its place and what to do instead.
        SaveError: if the file can't be written.
    """
    entities, session = _local_entities(entity), host.session
    for each in entities:
        recompile_stale(each)
    made = Export.of(entities, session.cells, session.namespace)
    if path is not None:
        made.save(path)
    return made


def check(entity: Any) -> Preflight:
    """Return what would go wrong for an entity on a cluster: everything that `export` refuses, and more.

    `result = flytenb.check(training)`; `result.ok` is whether there is no error, `result.findings` has each error and
    warning with its place and what to do.

    Args:
        entity: a task, workflow or launch plan of the notebook, or a list of them.

    Raises:
        NotAnEntityError: for anything but a task, workflow or launch plan.
    """
    entities, session = _local_entities(entity), host.session
    try:
        for each in entities:
            recompile_stale(each)
    except Exception as error:
        return Preflight.of_failed(entities, error)
    return Preflight.of(entities, session.cells, session.namespace)


def _local_entities(given: Any) -> list[Any]:
    """Return one entity or several as a list."""
    entities = [*given] if isinstance(given, list | tuple) else [given]
    for entity in entities:
        require_entity(entity)
        require_local(entity)
    return entities
