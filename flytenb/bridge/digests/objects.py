"""What an object is made of, as a digest: not how it happens to be laid out, shared or pickled.

Equal structures have equal digests in every process, whatever the hash seed, the order of a set or which parts are one
object. Functions and classes are what `code` says of them.
"""

from __future__ import annotations

import copyreg
import hashlib
from collections.abc import Callable, Iterable
from inspect import getattr_static
from typing import Any

from flytekit.types.directory import FlyteDirectory
from flytekit.types.file import FlyteFile

from flytenb.bridge.digests.memory import add_memory
from flytenb.bridge.digests.pieces import add_files, add_piece, local_path

SCALARS = frozenset([int, float, complex, bool, str, bytes, type(None), type(Ellipsis)])


_MOST, _DEEPEST = 100_000, 100
"""So many objects, and so many inside each other, are looked at for what code reaches: it may reach a whole shell."""


class OpaqueError(Exception):
    """An object that says nothing of what it holds: a lock, a generator, a connection."""


class Walker:
    """Digests objects by what they hold, each once.

    Args:
        describe: says of functions, classes and the like what they are, or None for any other object.
        is_exact: whether an object that doesn't tell what it holds is an error, or is what its class is.
    """

    def __init__(self, describe: Callable[[Walker, Any], bytes | None], *, is_exact: bool) -> None:
        self._describe = describe
        self._is_exact = is_exact
        self._known: dict[int, tuple[bytes, Any]] = {}
        self._open: dict[int, int] = {}

    def of(self, value: Any) -> bytes:
        """The digest of an object.

        Raises:
            OpaqueError: if it must be exact and something in it doesn't tell what it holds.
        """
        if type(value) in SCALARS:
            return hashed(_words(value))
        found = self._known.get(id(value))
        if found is not None:
            return found[0]
        if id(value) in self._open:
            return hashed(b"around %d" % (len(self._open) - self._open[id(value)]))
        if not self._is_exact and (len(self._known) > _MOST or len(self._open) > _DEEPEST):
            return hashed(b"further", type(value).__qualname__.encode())
        self._open[id(value)] = len(self._open)
        try:
            made = self._of(value)
        finally:
            del self._open[id(value)]
        # The object is kept with its digest, so that no other can get its identity.
        self._known[id(value)] = (made, value)
        return made

    def _of(self, value: Any) -> bytes:
        kind = type(value)
        if kind in (list, tuple):
            if SCALARS.issuperset(map(type, value)):
                return hashed(kind.__name__.encode(), *map(_words, value))
            return hashed(kind.__name__.encode(), *map(self.of, value))
        if kind is dict:
            return hashed(b"dict", *(self.of(part) for pair in value.items() for part in pair))
        if kind in (set, frozenset):
            return hashed(kind.__name__.encode(), *sorted(map(self.of, value)))
        if isinstance(value, FlyteFile | FlyteDirectory):
            return self._of_files(value)
        digest = hashlib.blake2b(digest_size=16)
        if add_memory(digest, kind, value):
            return digest.digest()
        described = self._describe(self, value)
        return described if described is not None else self._of_parts(value)

    def _of_files(self, value: Any) -> bytes:
        uri = str(getattr(value, "_remote_source", None) or value.path)
        digest = hashlib.blake2b(digest_size=16)
        add_piece(digest, f"{type(value).__module__} {type(value).__qualname__} {value.extension()}".encode())
        path = local_path(uri)
        if path is None:
            add_piece(digest, uri.encode())
        else:
            add_files(digest, path)
        return digest.digest()

    def _of_parts(self, value: Any) -> bytes:
        """What copying it would be told: how it is made, of what, and its state."""
        reduce = copyreg.dispatch_table.get(type(value))
        try:
            reduced = reduce(value) if reduce is not None else value.__reduce_ex__(4)
        except Exception as e:
            if self._is_exact:
                raise OpaqueError(f"{type(value).__name__}: {e}") from e
            return hashed(b"opaque", self.of(type(value)), self.of(getattr_static(value, "func", None)))
        if isinstance(reduced, str):
            wrapped = getattr(value, "__wrapped__", None)
            return hashed(b"global", f"{getattr(value, '__module__', '')} {reduced}".encode(), self.of(wrapped))
        make, arguments, state, *items = (*reduced, None, None, None)[:5]
        parts: list[Iterable[Any]] = [tuple(more) if more is not None else () for more in items]
        return hashed(b"made", self.of(make), self.of(arguments), self._of_state(state), *map(self.of, parts))

    def _of_state(self, state: Any) -> bytes:
        """Attributes have no order."""
        if type(state) is tuple:
            return hashed(b"states", *map(self._of_state, state))
        if type(state) is not dict:
            return self.of(state)
        pairs = sorted((self.of(name), self.of(part)) for name, part in state.items())
        return hashed(b"state", *(part for pair in pairs for part in pair))


def hashed(*pieces: bytes) -> bytes:
    """The digest of a sequence of pieces."""
    digest = hashlib.blake2b(digest_size=16)
    for piece in pieces:
        add_piece(digest, piece)
    return digest.digest()


def _words(value: Any) -> bytes:
    # CPython refuses to write an int of more than 4300 digits in decimal.
    return f"{type(value).__name__} {value:#x}".encode() if type(value) is int else f"{value!r}".encode()
