"""The code of the entities that ran last, kept with its digest: a run records what each node's code was when it ran."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from flytenb.bridge.execution.files import may_hold_copies
from flytenb.cache.call_reads import holding_files, reads_of_call
from flytenb.errors import headline
from flytenb.reach.code_digest import CodeDigest
from flytenb.reach.earlier_definitions import is_redefined
from flytenb.reach.file_reads import FileReads, FileWatch
from flytenb.reach.moment import Moment
from flytenb.runner.record import CodeState, Record

_MOST = 1000
"""Entities of which the code is kept."""


class KeptCode:
    """The code of one entity. Used by many threads; two that find it changed read it twice.

    Args:
        entity: the entity.
        called: what is called for it: the entity itself, or what replaces it.
        codes: the table that it is kept in.
    """

    def __init__(self, entity: Any, called: Any, codes: KeptCodes) -> None:
        self.entity = entity
        self._called = called
        self._codes = codes
        self._digest: CodeDigest | None = None
        self._known: tuple[Moment | None, CodeState] = None, CodeState(b"")  # one object: several threads set it
        self.may_give_files = any(map(may_hold_copies, entity.python_interface.outputs.values()))
        self._holding = holding_files(entity.python_interface.inputs)

    def now(self) -> CodeState:
        """Return the present state; compared at most once in a moment."""
        moment = self._codes.moment
        at, state = self._known
        if at is not moment:
            state = self._read(state)
            self._known = moment, state
        return state

    def _read(self, before: CodeState) -> CodeState:
        try:
            if self._digest is None:
                self._digest = CodeDigest(self._called)
            digest = self._digest.now()
        except Exception as e:  # an object of the user's may raise anything when its attributes are read
            return CodeState(b"", headline(e))
        if digest == before.digest:
            return before
        return CodeState(digest, names=tuple((scope, name, id(held)) for scope, name, held in self._digest.names()))

    @property
    def may_open(self) -> bool:
        """Whether the code itself may open a file. Asked after `now`."""
        return self._digest is None or self._digest.may_open

    def reads(self, inputs: Mapping[str, Any], *, is_wide: bool = False) -> FileReads:
        """Return the record of the files that a call with these inputs reads."""
        is_asking = self._digest is not None and self._digest.is_asking
        return reads_of_call(self._holding, inputs, is_asking=is_asking, is_wide=is_wide)

    def watch(self, record: Record, inputs: Mapping[str, Any], *, is_wide: bool = False) -> NodeWatch:
        """Record the files that a node reads in the block."""
        return NodeWatch(record, self.reads(inputs, is_wide=is_wide))

    @property
    def is_unread(self) -> bool:
        """Whether it couldn't be read."""
        return bool(self._known[1].unread)

    def is_kept(self) -> bool:
        """Return whether the objects that were read are still reached, and nothing else has its name."""
        try:
            return self._digest is not None and self._digest.is_holding() and not is_redefined(self.entity)
        except Exception:  # reading may call code of a user: a property, `__eq__`
            return False


class NodeWatch(FileWatch):
    """Records the files that a node reads in a block, if nothing is raised there."""

    def __init__(self, record: Record, reads: FileReads) -> None:
        super().__init__(reads)
        self._record = record

    def __exit__(self, *raised: object) -> None:
        super().__exit__()
        if raised[0] is None:
            note_reads(self._record, self._reads)


def note_reads(record: Record, reads: FileReads) -> None:
    """Note the files that a node has read, or why they aren't known."""
    found = reads.outcome()
    record.reads = found if isinstance(found, tuple) else str(found)


def sent_by(digest: Callable[[], str]) -> str:
    """Return the digest of an image or of what is sent; without one, what equals nothing."""
    try:
        return digest()
    except Exception:  # the call fails for the same reason, in its own words
        return os.urandom(8).hex()


class KeptCodes:
    """The code of the entities that ran last, by their identity.

    A moment of theirs ends when code that may change what other code reaches has run; see `reach/moment`.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[int, int], KeptCode] = OrderedDict()
        self._moment = Moment()

    @property
    def moment(self) -> Moment:
        """The current moment."""
        if self._moment.is_over():
            self._moment = Moment()
        return self._moment

    def end_moment(self) -> None:
        """End the current moment."""
        self._moment = Moment()

    def of(self, entity: Any, called: Any = None) -> KeptCode:
        """Return the code of an entity, or of what is called in its place."""
        called = entity if called is None else called
        key = id(entity), id(called)
        found = self._kept.get(key)
        if found is None or found.is_unread:
            found = self._kept[key] = KeptCode(entity, called, self)
        elif len(self._kept) > _MOST // 2:
            with suppress(KeyError):  # another thread has dropped it
                self._kept.move_to_end(key)
        while len(self._kept) > _MOST:
            self._kept.popitem(last=False)
        return found

    def drop_changed(self) -> None:
        """Drop code that has changed or was defined again: it holds what it reached before."""
        for key, kept in [*self._kept.items()]:
            if not kept.is_kept():
                self._kept.pop(key, None)
