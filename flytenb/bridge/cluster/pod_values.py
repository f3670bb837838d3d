"""Values of the notebook as the literals of a pod, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flytekit.core.interface import Interface
from flytekit.models.literals import Literal, LiteralMap

from flytenb.bridge.crossing import packer
from flytenb.bridge.crossing.literal import to_native
from flytenb.bridge.entities.interface import python_interface

LARGEST_FILE = 10 * 2**20
"""Bytes of the inputs or outputs of a task that a cluster reads: `storage.limits.maxDownloadMBs` of Flyte's charts."""


def size_of(literals: LiteralMap) -> int:
    """Return the size of the file that inputs or outputs are written to, in bytes."""
    return int(literals.to_flyte_idl().ByteSize())


def pack_inputs(entity: Any, values: Mapping[str, Any]) -> LiteralMap:
    """Return the inputs of a task or map as literals."""
    types = _types(entity).inputs
    variables = entity.interface.inputs
    return LiteralMap(
        {
            name: packer(types[name], variables[name].type, strict=True)(value).literal()
            for name, value in values.items()
        }
    )


def pack_outputs(entity: Any, values: Mapping[str, Any]) -> LiteralMap:
    """Return the outputs of a task or workflow as literals."""
    types, variables = _types(entity).outputs, entity.interface.outputs
    packed = {name: packer(types[name], variables[name].type, strict=True)(v) for name, v in values.items()}
    return LiteralMap({name: each.literal() for name, each in packed.items()})


def native_inputs(entity: Any, literals: Mapping[str, Literal]) -> dict[str, Any]:
    """Return inputs in literals as Python values."""
    types = _types(entity).inputs
    return {name: to_native(literal, types[name]) for name, literal in literals.items() if name in types}


def native_outputs(entity: Any, literals: LiteralMap) -> dict[str, Any]:
    """Return outputs in literals as Python values."""
    types = _types(entity).outputs
    return {name: to_native(literal, types[name]) for name, literal in literals.literals.items() if name in types}


def _types(entity: Any) -> Interface:
    return python_interface(entity) or Interface()
