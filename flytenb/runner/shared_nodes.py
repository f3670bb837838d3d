"""Nodes that the runs of a sweep share: each call with the same code and equal inputs runs once, also while it runs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, NamedTuple

from flytenb.bridge.crossing import CrossingValue
from flytenb.cache.single_flight import SingleFlight
from flytenb.cache.value_digest import ValueDigest
from flytenb.model import CacheStatus
from flytenb.model.workflow import Promise
from flytenb.reach.digest_pieces import add_piece
from flytenb.runner.record import Record, ReusedFrom


class _Ended(NamedTuple):
    record: Record
    outputs: Mapping[str, CrossingValue]
    origin: ReusedFrom


class SharedNodes:
    """The calls of tasks that have ended in one of several runs, by their code and inputs.

    Attributes:
        flights: the calls that are under way.
    """

    def __init__(self) -> None:
        self.flights = SingleFlight()
        self._ended: dict[bytes, _Ended] = {}
        self._digests: dict[tuple[int, str], tuple[Any, ValueDigest]] = {}
        self._digesting = SingleFlight()
        self._of_values: dict[tuple[int, int, str], tuple[CrossingValue, bytes]] = {}

    def key(self, record: Record, inputs: Mapping[str, Any]) -> bytes:
        """Return what identifies a call; nothing if its code or an input can't be read."""
        assert record.use is not None
        if record.code is None or record.code.unread:
            return b""
        made = hashlib.blake2b(digest_size=20)
        for piece in (record.code.digest, record.sent.encode(), repr(record.use.policy).encode()):
            add_piece(made, piece)
        hashes = record.hashes()
        try:
            for name in sorted(inputs):
                add_piece(made, name.encode())
                if name in hashes:
                    add_piece(made, b"hash:" + hashes[name].encode())
                else:
                    add_piece(made, self._digest_of_input(record, name, inputs[name]))
        except Exception:  # the type engine's, for a value that it can't convert
            return b""
        return made.digest()

    def _digest_of_input(self, record: Record, name: str, value: Any) -> bytes:
        """Return the digest of an input, made once for all nodes that take the same shared output."""
        bound = None if record.use is None else record.use.bindings.get(name)
        source = None
        if isinstance(bound, Promise) and not bound.attributes and record.wires is not None:
            source = record.wires.values.get((bound.path, bound.output))
        if source is None:
            return self._made_digest(record.entity, name, value)
        at = id(source), id(record.entity), name
        with self._digesting.of(repr(at)):  # or the nodes of all runs would make it at the same time
            known = self._of_values.get(at)
            if known is None:  # the value is kept, so that its identity isn't used again
                known = self._of_values[at] = source, self._made_digest(record.entity, name, value)
        return known[1]

    def _made_digest(self, entity: Any, name: str, value: Any) -> bytes:
        made = hashlib.blake2b(digest_size=20)
        self._digest_of(entity, name).add(made, value)
        return made.digest()

    def _digest_of(self, entity: Any, name: str) -> ValueDigest:
        key = id(entity), name
        found = self._digests.get(key)
        if found is None:
            found = self._digests[key] = (entity, ValueDigest(entity.python_interface.inputs[name]))
        return found[1]

    def take(self, key: bytes, record: Record) -> Mapping[str, CrossingValue] | None:
        """Return the outputs of an equal call that has ended, and mark the node; None if there is none."""
        found = self._ended.get(key)
        if found is None:
            return None
        reads, files = found.record.reads, found.record.files
        if not isinstance(reads, tuple) or files is None or not all(read.is_current() for read in reads + files):
            return None
        record.cache, record.origin, record.reads, record.files = CacheStatus.REUSED, found.origin, reads, files
        record.log, record.links, record.decks = found.record.log, found.record.links, found.record.decks
        return found.outputs

    def put(self, key: bytes, record: Record, run: str, took: float) -> None:
        """Store the outputs of a call."""
        outputs = {name: value for name, value in record.outputs.items() if value is not None}
        self._ended[key] = _Ended(record, outputs, ReusedFrom(run, took))


class SweepRow(NamedTuple):
    """One run among those that share nodes: its name, and what they share."""

    name: str
    nodes: SharedNodes
