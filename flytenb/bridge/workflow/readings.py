"""What was read from a compiled workflow, kept until anything is compiled anew: a notebook runs one many times."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Generic, TypeVar

from flytekit.core.workflow import PythonFunctionWorkflow

from flytenb.bridge import private

T = TypeVar("T")

_kept: weakref.WeakKeyDictionary[Any, dict[str, tuple[Any, Any]]] = weakref.WeakKeyDictionary()
_generation = 0


class Reading(Generic[T]):
    """What is read when it is first asked for, or just before it would say something else."""

    def __init__(self, read: Callable[[], T]) -> None:
        self._read: Callable[[], T] | None = read
        self._value: T | None = None

    def get(self) -> T:
        """Return what was read.

        Raises:
            Exception: whatever reading raises.
        """
        read = self._read
        if read is not None:
            self._value = read()
            self._read = None
        return self._value  # type: ignore[return-value]


def _is_compiled(workflow: Any) -> bool:
    """Whether it is a workflow of a function that has compiled; a reference is one by its class alone."""
    return isinstance(workflow, PythonFunctionWorkflow) and getattr(workflow, "compiled", False)


_pending: set[weakref.ref[Reading[Any]]] = set()


def read_later(workflow: Any, read: Callable[[], T]) -> Reading[T]:
    """Put a reading off until somebody asks or anything is compiled anew; only a compiled workflow stays as it is."""
    reading = Reading(read)
    if _is_compiled(workflow):
        _pending.add(weakref.ref(reading, _pending.discard))
    else:
        reading.get()
    return reading


def read_what_is_pending() -> None:
    """Read, before anything is compiled anew, what was put off."""
    for reference in tuple(_pending):
        reading = reference()
        if reading is not None:
            with suppress(Exception):  # whoever asks for it hears why
                reading.get()
    _pending.clear()


def forget_readings() -> None:
    """Forget everything: some workflow has been compiled, and any other may contain it."""
    global _generation
    _generation += 1


def read_once(workflow: Any, what: str, read: Callable[[], T]) -> T:
    """Return what `read` returned for this workflow the last time, if nothing has been compiled since.

    An imperative workflow may be added to at any time, so it is read each time.
    """
    if not _is_compiled(workflow):
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
