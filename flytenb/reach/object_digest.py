"""Digests of objects by what they hold: not by how they are laid out, shared or pickled.

Equal structures have equal digests in every process, whatever the hash seed, the order of a set or which parts are one
object. Functions and classes are digested by `code_description`.
"""

from __future__ import annotations

import hashlib
import marshal
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from operator import is_
from typing import Any

from flytenb.bridge import private
from flytenb.bridge.type_engine import FlyteDirectory, FlyteFile
from flytenb.reach.array_digest import add_memory
from flytenb.reach.digest_pieces import add_files, add_piece, local_path
from flytenb.reach.installed_names import home_of
from flytenb.reach.look import once
from flytenb.reach.plain_bytes import SCALARS, is_frozen, plain_bytes

_MOST = 200_000
"""Maximum number of objects that aren't plain data: code may reach a whole shell."""

_ABSENT = object()

Read = Callable[[Any], list[Any]]
Measure = Callable[[], bytes]


class OpaqueError(Exception):
    """An object whose content can't be read: a generator, an open file, a connection."""


class Walker:
    """Digests objects by what they hold, each once.

    Args:
        describe: returns the digest of functions, classes, modules and the like, and None for any other object.
        state_of: returns what any other object holds, as things that the walker digests.
    """

    def __init__(
        self, describe: Callable[[Any, Any], bytes | None], state_of: Callable[[Any, Any], tuple[Any, ...]]
    ) -> None:
        self._describe = describe
        self._state_of = state_of
        self._known: dict[int, tuple[bytes, Any]] = {}
        self._open: dict[int, int] = {}

    def of(self, value: Any) -> bytes:
        """Return the digest of an object.

        Raises:
            OpaqueError: if it holds more than can be looked at, or is too deep.
        """
        if type(value) in SCALARS:
            return hashed(marshal.dumps(value, 2))
        found = self._known.get(id(value))
        if found is not None:
            return found[0]
        if id(value) in self._open:
            return hashed(b"around %d" % (len(self._open) - self._open[id(value)]))
        if len(self._known) > _MOST:
            raise OpaqueError(f"more than {_MOST} objects are reached")
        self._open[id(value)] = len(self._open)
        try:
            made = self._of(value)
        finally:
            del self._open[id(value)]
        # The object is kept with its digest, so that no other can get its identity.
        self._known[id(value)] = (made, value)
        return made

    def of_all(self, values: Iterable[Any]) -> bytes:
        """Return the digest of several objects in their order."""
        return hashed(*map(self.of, values))

    def watch(self, read: Read, holder: Any) -> None:
        """Note that the digest holds only while `read(holder)` lists the same objects."""

    def measure(self, measure: Measure) -> bytes:
        """Return the measure of what isn't made of objects; the digest holds only while it is the same."""
        return measure()

    def add_lock(self, lock: Any) -> None:
        """Note a lock: its state counts if code asks for it."""

    def add_logger(self, logger: Any) -> None:
        """Note a logger: its settings count if code asks for them."""

    def of_all_variables(self) -> bytes:
        """Return the digest of the environment."""
        raise OpaqueError("the environment isn't a value")

    def layout(self, value: Any) -> bytes:
        """Return what counts of how an object is laid out; for values that cross between tasks, nothing does."""
        return b""

    def _of(self, value: Any) -> bytes:
        kind = type(value)
        if kind in (list, tuple, dict):
            return self._of_container(value)
        if kind in (set, frozenset):
            self.watch(list, value)
            return hashed(kind.__name__.encode(), *sorted(map(self.of, value)))
        if issubclass(kind, FlyteFile | FlyteDirectory):
            return self.measure(lambda: _of_files(value))
        if home_of(kind).partition(".")[0] in ("numpy", "pandas") and (
            memory := self.measure(lambda: _of_memory(value))
        ):
            return hashed(memory, self.layout(value))
        described = self._describe(self, value)
        return described if described is not None else hashed(b"object", *map(self.of, self._state_of(self, value)))

    def _of_container(self, value: Any) -> bytes:
        plain = plain_bytes(value)
        if plain is not None:
            if is_frozen(value):
                return hashed(b"plain", plain)
            if SCALARS.issuperset(map(type, items_of(value))):
                self.watch(items_of, value)
                return hashed(b"plain", plain)
            return hashed(
                self.measure(lambda: hashed(b"plain", plain_bytes(value) or b"")),
                self.layout(value),
            )
        if type(value) is not tuple:
            self.watch(items_of, value)
        if type(value) is dict:
            return hashed(b"dict", *(self.of(part) for pair in value.items() for part in pair))
        return hashed(type(value).__name__.encode(), *map(self.of, value))


class WatchingWalker(Walker):
    """A walker that can check later whether what it read is unchanged, in a fraction of the time of a walk."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._watched: list[tuple[Read, Any, list[Any]]] = []
        self._noted: set[tuple[Read, int]] = set()
        self._names: list[tuple[dict[str, Any], str, Any]] = []
        self._measured: list[tuple[Measure, bytes]] = []
        self._is_recording = True
        self._is_volatile = False

    def watch(self, read: Read, holder: Any) -> None:
        if self._is_recording and (read, id(holder)) not in self._noted:
            self._noted.add((read, id(holder)))
            self._watched.append((read, holder, read(holder)))

    def watch_name(self, scope: dict[str, Any], name: str) -> None:
        """Note that the digest holds only while a global that exists is the same object: a quick `watch`."""
        if self._is_recording:
            self._names.append((scope, name, scope[name]))

    def noted_names(self) -> list[tuple[dict[str, Any], str, Any]]:
        """Return what `watch_name` noted: scope, name and value."""
        return self._names

    def measure(self, measure: Measure) -> bytes:
        made = measure()
        if self._is_recording:
            self._measured.append((measure, made))
        return made

    @contextmanager
    def volatile(self) -> Iterator[None]:
        """Read objects that are created during the walk; only another walk can compare them."""
        before, self._is_recording, self._is_volatile = self._is_recording, False, True
        try:
            yield
        finally:
            self._is_recording = before

    def rebound_names(self) -> dict[str, bool]:
        """Return the globals that aren't what they were during the walk, and whether they still exist."""
        return {name: name in scope for scope, name, value in self._names if scope.get(name, _ABSENT) is not value}

    def is_current(self) -> bool:
        """Return whether another walk would give the same digest."""
        return bool(once(self, self._state))

    def _state(self) -> bytes:
        is_same = self.is_holding() and all(measure() == before for measure, before in self._measured)
        return b"same" if is_same else b""

    def is_holding(self) -> bool:
        """Return whether another walk would find the same objects; what isn't made of objects isn't measured."""
        if self._is_volatile:
            return False
        for scope, name, value in self._names:
            if scope.get(name, _ABSENT) is not value:
                return False
        for read, holder, before in self._watched:
            now = read(holder)
            if len(now) != len(before) or not all(map(is_, now, before)):
                return False
        return True


def items_of(value: Any) -> list[Any]:
    """Return the items of a list or tuple, and the keys and values of a dict, in their order."""
    return [*value, *value.values()] if type(value) is dict else [*value]


def _of_memory(value: Any) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    return digest.digest() if add_memory(digest, type(value), value) else b""


def _of_files(value: Any) -> bytes:
    uri = str(private.remote_source(value) or value.path)
    digest = hashlib.blake2b(digest_size=16)
    add_piece(digest, f"{type(value).__module__} {type(value).__qualname__} {value.extension()}".encode())
    path = local_path(uri)
    if path is None:
        add_piece(digest, uri.encode())
    else:
        if path.is_file():
            add_piece(digest, path.name.encode("utf-8", "surrogateescape"))
        add_files(digest, path)
    return digest.digest()


def hashed(*pieces: bytes) -> bytes:
    """The digest of a sequence of pieces, as `add_piece` adds them, at once: a walk makes hundreds."""
    parts: list[bytes] = []
    for piece in pieces:
        parts += (len(piece).to_bytes(8, "little"), piece)
    return hashlib.blake2b(b"".join(parts), digest_size=16).digest()
