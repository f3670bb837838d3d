"""Whether the inputs of a node are those of an earlier run: the same objects, or values of equal content."""

from __future__ import annotations

import hashlib
from typing import Any

from flytenb.bridge.context import Workspace
from flytenb.bridge.crossing import CrossingValue, hash_of
from flytenb.bridge.execution.files import may_hold_copies
from flytenb.bridge.execution.kept_values import StoredValue
from flytenb.bridge.type_engine.key_order import is_same_literal
from flytenb.cache.single_flight import SingleFlight
from flytenb.cache.value_digest import ValueDigest
from flytenb.errors import headline
from flytenb.locks import cached_property
from flytenb.model.workflow import Binding, Constant, DictBinding, ListBinding, Promise
from flytenb.runner.journal import Journal
from flytenb.runner.output_files import changed_file
from flytenb.runner.record import Record
from flytenb.runner.use import Values


class InputEquality:
    """Compares the inputs of nodes with those that they had in an earlier run. Used by many threads.

    Args:
        journal: the records of that run.
        workspace: its contexts.
    """

    def __init__(self, journal: Journal, workspace: Workspace) -> None:
        self._journal = journal
        self._workspace = workspace
        self._flights = SingleFlight()
        self._same: dict[tuple[int, int], tuple[bool, CrossingValue, CrossingValue]] = {}

    @cached_property
    def _has_changed_files(self) -> bool:
        """Whether files of the user's that the earlier run took or gave aren't what they were, or may not be."""
        taken = self._journal.run_record.reads
        if not isinstance(taken, tuple) or not all(read.is_current() for read in taken):
            return True
        return any(map(changed_file, [*self._journal.records.values()]))

    def difference(self, record: Record, old: Record, run: str) -> str:
        """Return which input of a node has changed since the earlier run, as a sentence; `""` for none."""
        now, before = dict(record.getters), dict(old.getters)
        if now.keys() != before.keys():
            return f"it takes other inputs than in {run}"
        for name in now:
            try:
                if not self._is_same_input(name, record, old, now[name], before[name]):
                    return f"input {name!r} has changed"
            except Exception as e:
                return f"input {name!r} can't be compared: {headline(e)}"
        return ""

    def note_same(self, value: CrossingValue, other: CrossingValue) -> None:
        """Note that two values are the same."""
        # They are kept, so that their identities aren't used again.
        self._same[id(value), id(other)] = (True, value, other)

    def _is_same_input(self, name: str, record: Record, old: Record, now: Any, before: Any) -> bool:
        mine, theirs = record.whole_input(name), old.whole_input(name)
        if isinstance(theirs, StoredValue):
            theirs.require()
        if mine is not None and theirs is not None:
            return self._is_same_value(mine, theirs)
        if record.use is not None and old.use is not None and record.wires is not None and old.wires is not None:
            bound, other = record.use.bindings.get(name), old.use.bindings.get(name)
            if isinstance(other, Promise) and old.wires.values.get((other.path, other.output)) is None:
                return False
            values, others = record.wires.values, old.wires.values
            if bound is not None and other is not None and self._is_same_binding(bound, other, values, others):
                return True
        declared = record.entity.python_interface.inputs[name]
        if self._has_changed_files and may_hold_copies(declared):
            return False
        with self._workspace.entered():
            earlier = _digest(declared, before())
        return _digest(declared, now()) == earlier

    def _is_same_binding(self, mine: Binding, theirs: Binding, values: Values, others: Values) -> bool:
        """Return whether two bindings are proven to give the same value."""
        if isinstance(mine, Promise) and isinstance(theirs, Promise):
            if mine.attributes != theirs.attributes:
                return False
            now, before = values.get((mine.path, mine.output)), others.get((theirs.path, theirs.output))
            return now is not None and before is not None and self._is_same_value(now, before)
        if isinstance(mine, Constant) and isinstance(theirs, Constant):
            return is_same_literal(mine.literal, theirs.literal)
        if isinstance(mine, ListBinding) and isinstance(theirs, ListBinding):
            return len(mine.items) == len(theirs.items) and all(
                self._is_same_binding(a, b, values, others) for a, b in zip(mine.items, theirs.items, strict=True)
            )
        if isinstance(mine, DictBinding) and isinstance(theirs, DictBinding):
            return [*mine.items] == [*theirs.items] and all(
                self._is_same_binding(mine.items[key], theirs.items[key], values, others) for key in mine.items
            )
        return False

    def _is_same_value(self, now: CrossingValue, before: CrossingValue) -> bool:
        if now is before:
            return True
        at = id(now), id(before)
        if at not in self._same:
            with self._flights.of(repr(at)):  # or all nodes that take the value would compare it at the same time
                if at not in self._same:
                    self._same[at] = (self._is_equal(now, before), now, before)
        return self._same[at][0]

    def _is_equal(self, now: CrossingValue, before: CrossingValue) -> bool:
        hashes = hash_of(now), hash_of(before)
        if hashes != (None, None):
            return hashes[0] == hashes[1]
        if self._has_changed_files and may_hold_copies(before.python_type):
            return False
        are_literals = now.method == before.method == "literal" and not isinstance(before, StoredValue)
        if are_literals and is_same_literal(now.literal(), before.literal()):
            return True
        with self._workspace.entered():
            earlier = _digest(before.python_type, before.native())
        return _digest(now.python_type, now.native()) == earlier


def _digest(declared: Any, value: Any) -> bytes:
    made = hashlib.blake2b(digest_size=16)
    ValueDigest(declared).add(made, value)
    return made.digest()


def is_same_content(declared: Any, value: Any, other: Any) -> bool:
    """Return whether two values of a type are proven to have the same content."""
    try:
        return _digest(declared, value) == _digest(declared, other)
    except Exception:  # of another type, or of one that can't be read
        return False
