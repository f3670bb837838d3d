"""One replaced attribute of flytekit: applied until it is undone, or for as long as a thread needs it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flytenb.locks import new_lock

_ABSENT = object()


@dataclass(frozen=True)
class Patch:
    """A replacement of one attribute.

    Attributes:
        owner: the class or module.
        name: the attribute.
        replace: takes what the owner has and returns what it gets instead; its docstring says why.
        upstream: file and line in flytekit 1.16.31 of what is replaced: `core/workflow.py:822`.
    """

    owner: Any
    name: str
    replace: Callable[[Any], Any]
    upstream: str

    def apply(self) -> Callable[[], None]:
        """Replace the attribute; return a function that puts it back."""
        return set_attribute(self.owner, self.name, self.replace(getattr(self.owner, self.name)))


def set_attribute(owner: Any, name: str, value: Any) -> Callable[[], None]:
    """Set an attribute; return a function that makes it what it was."""
    before = vars(owner).get(name, _ABSENT)
    setattr(owner, name, value)

    def undo() -> None:
        if before is _ABSENT:
            delattr(owner, name)
        else:
            setattr(owner, name, before)

    return undo


class SharedPatch:
    """A patch that is applied while at least one thread is inside of it, and serves all threads."""

    def __init__(self, patch: Patch) -> None:
        self.patch = patch
        self._lock = new_lock()
        self._undo: Callable[[], None] | None = None
        self._made: tuple[Any, Any] = (None, None)
        self._users = 0

    def __enter__(self) -> None:
        with self._lock:
            self._users += 1
            if self._users == 1:
                self._undo = set_attribute(self.patch.owner, self.patch.name, self._value())

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._users -= 1
            if self._users == 0 and self._undo is not None:
                self._undo()

    def _value(self) -> Any:
        """Return the replacement, made again only if something else has replaced the original meanwhile."""
        original = vars(self.patch.owner).get(self.patch.name)
        if self._made[1] is None or self._made[0] is not original:
            self._made = (original, self.patch.replace(getattr(self.patch.owner, self.patch.name)))
        return self._made[1]
