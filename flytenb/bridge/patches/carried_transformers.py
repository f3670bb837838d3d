"""Transformers of redefined classes: a class that a cell defines again gets the transformer of its earlier one."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from flytekit.core.type_engine import TypeTransformer

from flytenb.bridge import private
from flytenb.bridge.patches.redefined_classes import successor


def carry_transformers(namespace: Mapping[str, Any]) -> list[str]:
    """Give every redefined class of the notebook the transformer of its earlier definition.

    The old class keeps its own, so that tasks that still use it go on as before. A class that already has a
    transformer keeps it.

    Returns:
        The names of the classes that got a transformer.
    """
    registry = private.transformer_registry()
    carried: dict[int, TypeTransformer[Any]] = {}
    served = []
    # The newest first: a class that was redefined twice takes the transformer of its latest definition.
    for old, transformer in reversed(list(registry.items())):
        new = successor(old, namespace)
        if new is None or new in registry:
            continue
        if id(transformer) not in carried:
            carried[id(transformer)] = copy_for(transformer, _successors(registry, transformer, namespace))
        registry[new] = carried[id(transformer)]
        served.append(new.__qualname__)
    return served


def copy_for(transformer: TypeTransformer[Any], instead: Mapping[type, type]) -> TypeTransformer[Any]:
    """Return a copy of a transformer with new classes for old ones and without any codecs."""
    made = copy.copy(transformer)
    for name, value in vars(transformer).items():
        if isinstance(value, type) and value in instead:
            setattr(made, name, instead[value])
    private.forget_codecs(made)
    return made


def _successors(
    registry: Mapping[Any, Any], transformer: TypeTransformer[Any], namespace: Mapping[str, Any]
) -> dict[type, type]:
    """Return the redefined classes of a transformer, which may be registered for several, with their definitions."""
    found = {old: successor(old, namespace) for old, known in registry.items() if known is transformer}
    return {old: new for old, new in found.items() if new is not None}
