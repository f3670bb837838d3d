"""Process-wide state by name and by object, and its restoration after a task."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterable, Mapping
from typing import Any

from flytenb.reach import interpreter_captures
from flytenb.reach import state_captures as captures
from flytenb.reach.abstract_values import ExistingObject
from flytenb.reach.library_objects import attribute_of_object, contents
from flytenb.reach.state_captures import Restore
from flytenb.reach.state_kinds import KINDS, PRIVATE

Assigned = tuple[str | type | ExistingObject, str]
"""An attribute that a task assigns: its module by name, its class or its object; without a name, any of them."""


_BY_OBJECT_NAME = {name: kind for kind, each in KINDS.items() for name in each.objects}


def kind_of_name(name: str) -> str | None:
    """Return the kind of state that an attribute of a module is, by its dotted name."""
    return _BY_OBJECT_NAME.get(name)


def kind_of_object(value: Any) -> str | None:
    """Return the kind of state that an object is."""
    for name, kind in _BY_OBJECT_NAME.items():
        module, _, attribute = name.rpartition(".")
        if module in sys.modules and vars(sys.modules[module]).get(attribute) is value and value is not None:
            return kind
    return None


def save_state(
    names: Iterable[str], assigned: Iterable[Assigned] = (), of_threads: Iterable[threading.local] = ()
) -> Restore:
    """Save kinds of state, assigned attributes and `threading.local`s; return a function that restores them."""
    # Names of kinds are texts: the other names of a task's state have hashes in Python.
    found = [KINDS[name].capture for name in names if type(name) is str and name in KINDS]
    restores = [capture() for capture in found if capture is not None]
    restores += [_saved(owner, name) for owner, name in assigned]
    return captures.all_of([*restores, *map(captures.of_thread, of_threads)])


def _saved(owner: str | type | ExistingObject, name: str) -> Restore:
    if isinstance(owner, ExistingObject):
        return attribute_of_object(owner.value, name) if name else contents(owner.value)
    return captures.attribute(owner, name) if name else contents(owner)


def kind_of_library(name: str) -> str | None:
    """Return the kind of state that an object of an installed module belongs to, by its dotted name."""
    for kind, each in KINDS.items():
        used = (*each.writes, *each.objects, *(read for read in each.reads if read.endswith(".")))
        if kind not in PRIVATE and (name in used or name.startswith(tuple(u for u in used if u.endswith(".")))):
            return kind
    return None


def save_signals(of_thread: Iterable[threading.local]) -> Restore:
    """Save signal handlers, timers and what these hold, in the main thread; return a function that restores them."""
    return captures.all_of([interpreter_captures.signals(), *map(captures.of_thread, of_thread)])


def set_environment(variables: Mapping[str, str]) -> Restore:
    """Set environment variables; return a function that restores the environment."""
    restore = captures.environ()
    os.environ.update({name: str(value) for name, value in variables.items()})
    return restore
