"""One small workflow per construct and combination, each a module of its own: what every reader and runner is held to.

A module says `ENTITY`, `INPUTS` (Python values by name) and one of

- `EXPECTED`: what calling the entity returns, as a cluster would give it;
- `RAISES`: the class and a part of the message of the error it ends with.

It may say

- `FLYTEKIT_LOCAL`: why flytekit's own local run gets it wrong;
- `FLYTEKIT_IDL`: why what flytekit would send to a cluster doesn't hold all of it;
- `NEEDS`: `"docker"`, `"one_process"` (it counts in a global), `"answer"` (a gate; then `ANSWERS` holds the answer by
  node path), `"stand_in"` (a reference; then `STAND_INS` holds pairs of the entity and the function in its place).
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any


@dataclass(frozen=True)
class Flow:
    """One workflow, what goes in and what must come out."""

    name: str
    module: ModuleType
    entity: Any
    inputs: Mapping[str, Any]
    expected: Any = None
    raises: tuple[type[BaseException], str] | None = None
    flytekit_local: str = ""
    flytekit_idl: str = ""
    needs: frozenset[str] = frozenset()
    answers: Mapping[str, Any] = field(default_factory=dict)
    stand_ins: tuple[tuple[Any, Callable[..., Any]], ...] = ()

    def __repr__(self) -> str:
        return self.name


def _load(name: str) -> Flow:
    module = importlib.import_module(f"{__name__}.{name}")
    if hasattr(module, "EXPECTED") == hasattr(module, "RAISES"):
        raise TypeError(f"{module.__name__} must say either EXPECTED or RAISES")
    return Flow(
        name=name,
        module=module,
        entity=module.ENTITY,
        inputs=module.INPUTS,
        expected=getattr(module, "EXPECTED", None),
        raises=getattr(module, "RAISES", None),
        flytekit_local=getattr(module, "FLYTEKIT_LOCAL", ""),
        flytekit_idl=getattr(module, "FLYTEKIT_IDL", ""),
        needs=frozenset(getattr(module, "NEEDS", ())),
        answers=getattr(module, "ANSWERS", {}),
        stand_ins=tuple(getattr(module, "STAND_INS", ())),
    )


FLOWS: dict[str, Flow] = {
    name: _load(name) for _, name, _ in sorted(pkgutil.iter_modules(__path__), key=lambda m: m[1])
}
"""Every flow by its module's name."""
