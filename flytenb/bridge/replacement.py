"""Methods of flytekit that are replaced for as long as anybody needs it, by something that serves all threads."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Any


class Replacement:
    """Replaces one method while at least one thread is inside of it.

    Args:
        owner: the class.
        name: of the method.
        replace: makes the replacement of the original, which it may call.
    """

    def __init__(self, owner: type, name: str, replace: Callable[[Any], Any]) -> None:
        self._lock = threading.Lock()
        os.register_at_fork(after_in_child=self._lock._at_fork_reinit)  # type: ignore[attr-defined]
        self._owner = owner
        self._name = name
        self._replace = replace
        self._original: Any = None
        self._made: tuple[Any, Any] = (None, None)
        self._users = 0

    def __enter__(self) -> None:
        with self._lock:
            self._users += 1
            if self._users == 1:
                self._original = vars(self._owner)[self._name]
                if self._made[0] is not self._original:  # made once, unless somebody has replaced the original
                    self._made = (self._original, self._replace(getattr(self._owner, self._name)))
                setattr(self._owner, self._name, self._made[1])

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._users -= 1
            if self._users == 0:
                setattr(self._owner, self._name, self._original)
