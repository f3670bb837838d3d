"""A task as files for its image: the cells that it needs as a module, and the user's own modules."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from importlib import metadata
from typing import Any

from flytenb.bridge.entities.interface import python_interface
from flytenb.bridge.entities.kind import function_of
from flytenb.bridge.execution.image_facts import TaskSource
from flytenb.bridge.type_engine.transformers import captured_log, literal_type_of
from flytenb.ship.cells import Cells
from flytenb.ship.draft import draft, require_exportable
from flytenb.ship.image_rules import distribution_of
from flytenb.ship.module_files import files_below
from flytenb.types.container_support import pickled_places

_MODULE = "flytenb_cells"


def source_of(task: Any, cells: Cells, namespace: Mapping[str, Any]) -> TaskSource:
    """Return a task of a notebook, or of one of the user's own modules, as source.

    Raises:
        ExportError: with everything that can't leave the notebook.
    """
    home = sys.modules.get(function_of(task).__module__)
    variable = next((name for name, value in vars(home).items() if value is task), None) if home is not None else None
    if home is not None and home.__name__ != "__main__" and variable is not None:
        return _make(task, home.__name__, variable, dict(files_below([home.__name__])), ())
    made = draft([task], cells, namespace)
    require_exportable(made)
    files = {f"{_MODULE}.py": made.text.encode(), **dict(files_below(made.modules))}
    return _make(task, _MODULE, made.names[0], files, made.packages)


def _make(task: Any, module: str, variable: str, files: Mapping[str, bytes], packages: Iterable[str]) -> TaskSource:
    found = {name: distribution_of(name) for name in packages if name != "flytekit"}
    versions = {name: metadata.version(name) for name in found.values() if name}
    return TaskSource(module, variable, files, found, versions, _has_pickles(task))


def _has_pickles(task: Any) -> bool:
    interface = python_interface(task)
    with captured_log():
        types = [] if interface is None else [*interface.inputs.values(), *interface.outputs.values()]
        return any(pickled_places(literal_type_of(declared)) for declared in types)
