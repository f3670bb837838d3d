"""What was read from a compiled workflow, kept until anything is compiled anew: a notebook runs one many times."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any, TypeVar

from flytekit.core.workflow import PythonFunctionWorkflow

from flytenb.bridge import private

T = TypeVar("T")

_kept: weakref.WeakKeyDictionary[Any, dict[str, tuple[Any, Any]]] = weakref.WeakKeyDictionary()
_generation = 0


def forget_readings() -> None:
    """Forget everything: some workflow has been compiled, and any other may contain it."""
    global _generation
    _generation += 1


def read_once(workflow: Any, what: str, read: Callable[[], T]) -> T:
    """Return what `read` returned for this workflow the last time, if nothing has been compiled since.

    An imperative workflow may be added to at any time, so it is read each time.
    """
    if not isinstance(workflow, PythonFunctionWorkflow) or not workflow.compiled:
        return read()
    nodes = private.compiled_nodes(workflow)
    found = _kept.setdefault(workflow, {}).get(what)
    # The list of nodes itself is the proof, held so that no other list can get its identity.
    if found is not None and found[0][0] == _generation and found[0][1] is nodes:
        kept: T = found[1]
        return kept
    made = read()
    _kept[workflow][what] = ((_generation, nodes), made)
    return made
