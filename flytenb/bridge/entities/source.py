"""Source code, location, configuration and declared types of entities."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from flytekit.core.base_task import PythonTask

from flytenb.bridge.entities.container_cell import cell_of
from flytenb.bridge.entities.interface import function_of, is_map, map_target, python_interface


def where_defined(entity: Any, cell_name: Callable[[str], str]) -> str:
    """Return the cell or file and the line of an entity's function, or `""`; of an unknown cell only the line.

    Args:
        entity: the entity.
        cell_name: names the cell that was compiled under a file name, `""` for other files.
    """
    function = function_of(entity)
    code = getattr(inspect.unwrap(function), "__code__", None) if function is not None else None
    if code is None:
        return ""
    if cell := cell_name(code.co_filename):
        return f"{Path(cell).name}, line {code.co_firstlineno}"
    path = Path(code.co_filename)
    if getattr(function, "__module__", "") == "__main__" and not path.is_file():
        return f"this notebook, line {code.co_firstlineno} of its cell"
    return f"{path.name}:{code.co_firstlineno}"


def source_of(entity: Any) -> str:
    """Return the source of an entity's function (of a map's target) with its decorators, that of a container cell
    in its own language, or `""`."""
    runs = map_target(entity) if is_map(entity) else entity
    cell = cell_of(runs)
    if cell is not None:
        return cell.code
    function = function_of(runs)
    if function is None:
        return ""
    try:
        return inspect.getsource(inspect.unwrap(function))
    except (OSError, TypeError):
        return ""


def language_of(entity: Any) -> str:
    """Return the language of an entity's source, by its name in Pygments."""
    cell = cell_of(map_target(entity) if is_map(entity) else entity)
    return "python" if cell is None else cell.highlight


def config_of(entity: Any) -> Any:
    """Return the `task_config` of a task, or of a map's target, None if it has none."""
    task = map_target(entity) if is_map(entity) else entity
    return task.task_config if isinstance(task, PythonTask) else None


def input_types(entity: Any) -> Mapping[str, Any]:
    """Return the declared Python types of the inputs by name; empty if they aren't known here."""
    interface = None if entity is None else python_interface(entity)
    return {} if interface is None else interface.inputs


def output_types(entity: Any) -> Mapping[str, Any]:
    """Return the declared Python types of the outputs by name; empty if they aren't known here."""
    interface = None if entity is None else python_interface(entity)
    return {} if interface is None else interface.outputs
