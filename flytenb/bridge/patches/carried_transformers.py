"""A transformer follows its class: when a cell defines the class again, the new one is served too."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from flytekit.core.type_engine import TypeTransformer

from flytenb.bridge import private
from flytenb.bridge.patches.redefined_classes import successor


def carry_transformers(namespace: Mapping[str, Any]) -> list[str]:
    """Give every redefined class of the notebook the transformer that its old self had.

    The old class keeps its own, so that tasks that still hold it go on as before. A class that has been given a
    transformer meanwhile keeps that.

    Returns:
        The names of the classes that are served anew.
    """
    registry = private.transformer_registry()
    carried: dict[int, TypeTransformer[Any]] = {}
    served = []
    # The newest first: a class that was redefined twice takes what its latest self had.
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
    """Return a copy of a transformer in which new classes stand for old ones; it has converted nothing yet."""
    made = copy.copy(transformer)
    for name, value in vars(transformer).items():
        if isinstance(value, type) and value in instead:
            setattr(made, name, instead[value])
    private.forget_codecs(made)
    return made


def _successors(
    registry: Mapping[Any, Any], transformer: TypeTransformer[Any], namespace: Mapping[str, Any]
) -> dict[type, type]:
    """All classes that a transformer serves and that have been redefined: it may have been registered for several."""
    found = {old: successor(old, namespace) for old, known in registry.items() if known is transformer}
    return {old: new for old, new in found.items() if new is not None}
