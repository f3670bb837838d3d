"""Digests of code and of values: what functions, classes and tasks do, by everything in them and all they reach."""

from __future__ import annotations

from typing import Any

from flytenb.reach.code_description import describe
from flytenb.reach.code_reader import CodeReader
from flytenb.reach.moment import Moment, current_moment
from flytenb.reach.object_digest import OpaqueError, Walker, hashed
from flytenb.reach.object_state import state_as_copied, state_as_read


class UnreadableCodeError(Exception):
    """Code reaches an unreadable object, so it can't be proven unchanged."""


class CodeDigest:
    """The digest of a task's code, kept while everything that the code reaches is unchanged."""

    def __init__(self, task: Any) -> None:
        self._task = task
        self._made: tuple[CodeReader, bytes, Moment | None] = (*_walk_task(task), None)

    @property
    def is_asking(self) -> bool:
        """Whether the code may query files without an audit event."""
        return self._made[0].external_state.is_asking()

    @property
    def may_open(self) -> bool:
        """Whether the code itself, and not a library that it calls, may open a file."""
        return "open" in self._made[0].external_state.names

    def names(self) -> list[tuple[dict[str, Any], str, Any]]:
        """Return the globals that the code reads: the scope, the name and the value of each."""
        return self._made[0].noted_names()

    def is_current(self) -> bool:
        """Return whether nothing that the code reaches has changed since it was last read."""
        return not self._made[0].doubts and self._made[0].is_current()

    def is_holding(self) -> bool:
        """Return whether what the code reaches are still the objects that were read; their files aren't asked for."""
        return not self._made[0].doubts and self._made[0].is_holding()

    def now(self, *, in_moment: bool = False) -> bytes:
        """Return the digest of what the code reaches now.

        Args:
            in_moment: whether what was compared earlier in the current moment isn't compared again.

        Raises:
            UnreadableCodeError: if something that it reaches can't be read.
        """
        moment = current_moment()
        walker, digest, compared = self._made
        if in_moment and compared is moment:
            return digest
        if not walker.doubts and not walker.is_current():
            walker, digest = _walk_task(self._task)
        self._made = (walker, digest, None if walker.doubts else moment)
        if walker.doubts:
            raise UnreadableCodeError("; ".join(map(str, walker.doubts)))
        return digest


def _walk_task(task: Any) -> tuple[CodeReader, bytes]:
    walker = CodeReader(describe, state_as_read)
    digest = walker.of(task)
    return walker, walker.with_external_state(digest)


def digest_of_code(value: Any) -> bytes:
    """Return the digest of a task, function or class as it is now, by its code and what that reaches.

    Raises:
        UnreadableCodeError: if something that it reaches can't be read.
    """
    return CodeDigest(value).now()


def structure_of(value: Any) -> bytes:
    """Return the digest of a value by what it holds.

    Raises:
        OpaqueError: if the content of an object in it can't be read.
        UnreadableCodeError: if code in it reaches what can't be read.
    """
    walker = _ValueWalker(describe, state_as_copied)
    try:
        digest = walker.of(value)
        return walker.with_external_state(digest) if walker.external_state.names else hashed(digest)
    except RecursionError as e:
        raise OpaqueError("it is nested too deeply") from e


class _ValueWalker(CodeReader):
    """Walker over a value that crosses between tasks, once; an unreadable object is an error."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._is_recording = False

    def of(self, value: Any) -> bytes:
        return Walker.of(self, value)

    def layout(self, value: Any) -> bytes:
        return b""

    def of_libraries(self) -> list[bytes]:
        return []  # they count in the digest of the code that takes the value

    def doubt(self, what: str) -> None:
        super().doubt(what)
        raise UnreadableCodeError("; ".join(map(str, self.doubts)))
