"""Readings of compiled workflows, kept until any workflow is compiled again: a notebook runs one many times."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, Generic, TypeVar

from flytekit.core.workflow import PythonFunctionWorkflow

from flytenb.bridge import private

T = TypeVar("T")

_kept: weakref.WeakKeyDictionary[Any, dict[str, tuple[Any, Any]]] = weakref.WeakKeyDictionary()
_generation = 0


class Reading(Generic[T]):
    """A value that is read when it is first asked for.

    Args:
        read: reads it.
        hold: keeps what a compile would change, and returns a function that reads the value from that.
    """

    def __init__(self, read: Callable[[], T], hold: Callable[[], Callable[[], T]] | None = None) -> None:
        self._read: Callable[[], T] | None = read
        self._hold = hold
        self._value: T | None = None

    def get(self) -> T:
        """Return the value.

        Raises:
            Exception: what reading raises.
        """
        read = self._read
        if read is not None:
            self._value = read()
            self._read = None
        return self._value  # type: ignore[return-value]

    def settle(self) -> None:
        """Make the value independent of later compiles, without reading it if that can wait.

        Raises:
            Exception: what reading raises.
        """
        if self._hold is None:
            self.get()
        elif self._read is not None:
            self._read, self._hold = self._hold(), None


def _is_compiled(workflow: Any) -> bool:
    """Whether it is a compiled workflow of a function; a reference workflow has the class but is never compiled."""
    return isinstance(workflow, PythonFunctionWorkflow) and getattr(workflow, "compiled", False)


_pending: set[weakref.ref[Reading[Any]]] = set()


def read_later(workflow: Any, read: Callable[[], T], hold: Callable[[Any], Callable[[], T]]) -> Reading[T]:
    """Return a reading that is done when asked for, and is of the present workflow; of an uncompiled one at once."""
    reading = Reading(read, partial(hold, workflow))
    if _is_compiled(workflow):
        _pending.add(weakref.ref(reading, _pending.discard))
    else:
        reading.get()
    return reading


def settle_readings() -> None:
    """Settle all readings that were put off; call it before anything is compiled again."""
    for reference in tuple(_pending):
        reading = reference()
        if reading is not None:
            with suppress(Exception):  # it is raised again when the value is asked for
                reading.settle()
    _pending.clear()


def forget_readings() -> None:
    """Drop all kept readings: a workflow has been compiled, and any other may contain it."""
    global _generation
    _generation += 1


def read_once(workflow: Any, what: str, read: Callable[[], T]) -> T:
    """Return what `read` returned for this workflow the last time, if nothing has been compiled since.

    An imperative workflow may change at any time, so it is read each time.

    Args:
        workflow: the workflow.
        what: the name of this kind of reading.
        read: reads it.
    """
    if not _is_compiled(workflow):
        return read()
    nodes = private.compiled_nodes(workflow)
    found = _kept.setdefault(workflow, {}).get(what)
    # A compile makes a new list of nodes; the old one is kept so that no other list can get its id.
    if found is not None and found[0][0] == _generation and found[0][1] is nodes:
        kept: T = found[1]
        return kept
    made = read()
    _kept[workflow][what] = ((_generation, nodes), made)
    return made


def revise(workflow: Any, what: str, change: Callable[[T], T | None]) -> None:
    """Change a kept reading of a workflow's own nodes, which are those that it has now, instead of reading them again.

    Args:
        workflow: the workflow.
        what: the name of this kind of reading, one that doesn't depend on the workflows inside.
        change: returns the reading as it is now, None if it has to be read again.
    """
    nodes = private.compiled_nodes(workflow)
    found = _kept.get(workflow, {}).get(what)
    made = change(found[1]) if found is not None and found[0][1] is nodes else None
    if made is not None:
        _kept[workflow][what] = ((_generation, nodes), made)
