"""Record of the shared state that code reads and modifies."""

from __future__ import annotations

from typing import Any

from flytenb.reach.abstract_values import AbstractValue, ExistingObject, NewCollection, Shared
from flytenb.reach.file_names import Files
from flytenb.reach.installed_names import scope_of
from flytenb.reach.library_objects import is_container, library_name
from flytenb.reach.name_lookup import is_module
from flytenb.reach.ownership import is_own_module
from flytenb.reach.process_state import Assigned, kind_of_library, kind_of_name
from flytenb.reach.reached_objects import is_fixed, kind_of, kind_of_result, shared_global, shared_object
from flytenb.reach.state_kinds import EVERYTHING
from flytenb.reach.value_parts import root_of


class StateAccesses:
    """Collects reads and writes of state that tasks share.

    Attributes:
        reads, writes: kinds of process-wide state, files, and what tasks share.
        assigned: attributes of what is installed that are assigned.
    """

    def __init__(self) -> None:
        self.reads: set[Any] = set()
        self.writes: set[Any] = set()
        self.assigned: set[Assigned] = set()
        self._items_changed: set[Shared] = set()

    def finish(self) -> None:
        """Add modified collections that are also read; one that is only appended to, like a log, doesn't count."""
        self.writes |= {shared for shared in self._items_changed if shared in self.reads}

    def stored_global(self, scope: dict[str, Any], name: str) -> None:
        """Record a rebound global."""
        self.writes.add(shared_global(scope, name))

    def loaded_cell(self, shared: Shared) -> None:
        """Record a read variable of an enclosing function."""
        self.reads.add(shared)

    def stored_cell(self, shared: Shared) -> None:
        """Record a rebound variable of an enclosing function."""
        self.writes.add(shared)

    def changed_items(self, owner: AbstractValue) -> None:
        """Count what a value holds as changed."""
        for one in owner:
            one = root_of(one)
            if kind := kind_of_result(one):
                self.writes.add(kind)
            elif isinstance(one, ExistingObject):
                kind = kind_of(one.value)
                if kind is not None:
                    self.writes.add(kind)
                elif not (is_container(one.value) and self.changed_in_library(one, "")):
                    self._items_changed |= {shared_object(one.value, one.owner.name), one.owner}

    def changed_in_library(self, one: ExistingObject, name: str) -> bool:
        """Record a changed attribute, or any item if the name is empty; tell whether an installed module holds it."""
        full = library_name(one)
        if full is None or full.startswith(("flytekit.", "flytenb.")):
            return False
        kind = kind_of_library(full)
        if kind is not None:
            self.writes.add(kind)
        else:
            self.writes.add(EVERYTHING)
            self.assigned.add((str(scope_of(one.value).get("__name__")) if is_module(one.value) else one, name))
        return True

    def read(self, value: AbstractValue) -> None:
        """Count a value as looked at."""
        for one in map(root_of, value):
            if isinstance(one, ExistingObject) and not is_fixed(one.value):
                kind = kind_of(one.value)
                self.reads |= {kind} if kind else {shared_object(one.value, one.owner.name), one.owner}
            elif isinstance(one, NewCollection):
                self.read(one.values)

    def add_files(self, files: Files) -> None:
        self.reads |= files.read
        self.writes |= files.written

    def assigned_in_module(self, owner: Any, name: str) -> None:
        """Record an assigned attribute of a module."""
        module = str(scope_of(owner).get("__name__"))
        kind = kind_of_name(f"{module}.{name}")
        if kind is not None:
            self.writes.add(kind)
        elif is_own_module(owner):
            self.writes.add(shared_global(scope_of(owner), name))
        else:
            self.writes.add(EVERYTHING)
            self.assigned.add((module, name))
