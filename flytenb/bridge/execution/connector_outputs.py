"""Outputs of a connector's job: what its connector returned, or the job itself has stored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flyteidl.core import literals_pb2
from flytekit.core import utils
from flytekit.core.context_manager import FlyteContextManager
from flytekit.extend.backend.base_connector import SyncConnectorBase
from flytekit.models.literals import Literal, LiteralMap

from flytenb.bridge.crossing import CrossingValue, from_literal, packer
from flytenb.bridge.entities.interface import short_name
from flytenb.bridge.execution.packing import explain_output
from flytenb.errors import FlytenbError
from flytenb.wording.text import class_name


def read_outputs(task: Any, connector: Any, prefix: str, outputs: Any) -> dict[str, CrossingValue]:
    """Return a connector's outputs as literals; Python values are converted."""
    declared = task.python_interface.outputs
    if outputs is None:
        if not declared:
            return {}
        outputs = _read_file(task, connector, prefix)
    given: Mapping[str, Any] = outputs.literals if isinstance(outputs, LiteralMap) else outputs
    values: dict[str, CrossingValue] = {}
    for name, value in given.items():
        if isinstance(value, Literal):
            if name in declared:
                values[name] = from_literal(value, declared[name])
            continue
        # A task that declares no outputs accepts any, with the type that the value has.
        python_type = declared.get(name, type(value))
        try:
            values[name] = packer(python_type, strict=True)(value)
        except Exception as error:
            explain_output(error, task.name, name, type(value), python_type)
            raise
    if declared.keys() - values.keys():
        raise _incomplete(task, connector, values)
    return values


def _read_file(task: Any, connector: Any, prefix: str) -> LiteralMap:
    """Return the outputs that the job itself has stored."""
    files = FlyteContextManager.current_context().file_access
    path = files.get_random_local_path()
    try:
        files.get_data(f"{prefix}/outputs.pb", path)
    except Exception as error:
        raise _incomplete(task, connector, {}) from error
    return LiteralMap.from_flyte_idl(utils.load_proto_from_file(literals_pb2.LiteralMap, path))


def _incomplete(task: Any, connector: Any, given: Mapping[str, Any]) -> FlytenbError:
    missing = [name for name in task.python_interface.outputs if name not in given]
    method = f"{class_name(connector)}.{'do' if isinstance(connector, SyncConnectorBase) else 'get'}"
    return FlytenbError(
        f"the job of task {short_name(task)!r} succeeded without output {', '.join(map(repr, missing))}",
        hint=f"return Resource(phase=…, outputs={{{', '.join(f'{name!r}: …' for name in missing)}}}) from {method}, "
        "let the job store outputs.pb in its output_prefix, or declare no outputs",
    )
