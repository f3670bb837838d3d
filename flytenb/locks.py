"""Locks that are free in a forked process, and properties that need none.

A forked process has one thread of its parent. What the others held there, nothing would ever release.
"""

from __future__ import annotations

import functools
import os
import threading
from typing import Any, TypeVar, overload
from weakref import WeakSet

T = TypeVar("T")

_locks: WeakSet[Any] = WeakSet()
_reentrant: WeakSet[Any] = WeakSet()


def new_lock() -> threading.Lock:
    """Return a lock that is free in a forked process."""
    lock = threading.Lock()
    _locks.add(lock)
    return lock


def new_rlock() -> threading.RLock:
    """Return a reentrant lock that is free in a forked process, unless the thread that forks holds it."""
    lock = threading.RLock()
    _reentrant.add(lock)
    return lock


def _start_anew() -> None:
    for lock in _locks:
        lock._at_fork_reinit()
    for lock in _reentrant:
        if not lock._is_owned():
            lock._at_fork_reinit()


os.register_at_fork(after_in_child=_start_anew)

no_forks = new_rlock()
"""While a thread holds it, no other one can fork: a forked process would keep the ends of pipes that are being given to
another one, and who reads would wait for both."""
os.register_at_fork(before=no_forks.acquire, after_in_parent=no_forks.release, after_in_child=no_forks.release)


class cached_property(functools.cached_property[T]):  # noqa: N801 - as the one of functools
    """A property that is computed once; threads that compute it at the same time all get what one of them computed.

    That of functools (3.11) holds a lock of the class meanwhile: the same property of another object waits, for ever if
    the computation waits for its thread. In 3.12 it has no lock, and each thread gets a value of its own.
    """

    @overload
    def __get__(self, instance: None, owner: type[Any] | None = None) -> cached_property[T]: ...
    @overload
    def __get__(self, instance: object, owner: type[Any] | None = None) -> T: ...
    def __get__(self, instance: object, owner: type[Any] | None = None) -> Any:
        """Return the value, of None the property."""
        if instance is None:
            return self
        return vars(instance).setdefault(str(self.attrname), self.func(instance))
