"""Why a node failed: the user's exception, unchanged, with the node and what it was given."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flytenb.errors import full_traceback, own_frames, say
from flytenb.locks import cached_property
from flytenb.model import Phase
from flytenb.reach.code_parts import with_cell_names
from flytenb.wording.text import class_name, without_code

if TYPE_CHECKING:
    from flytenb.bridge.context import Workspace


@dataclass(frozen=True)
class Failure:
    """One node's failure.

    Attributes:
        path: the node.
        exception: the exception object that the task raised, as it was raised.
        phase: FAILED or TIMED_OUT.
        message: the message of the exception when it was raised.
        retries: the errors of earlier attempts.
    """

    path: str
    exception: BaseException
    phase: Phase
    message: str = ""
    retries: tuple[str, ...] = ()
    _getters: Sequence[tuple[str, Callable[[], Any]]] = field(default=(), repr=False, compare=False)
    _workspace: Workspace | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.message:
            object.__setattr__(self, "message", describe(self.exception))

    @cached_property
    def inputs(self) -> Mapping[str, Any]:
        """The inputs as Python values: copies, made once; without those that can't be read."""
        found: dict[str, Any] = {}
        if self._workspace is None:
            return found
        with self._workspace.entered():
            for name, get in self._getters:
                try:
                    found[name] = get()
                except Exception:
                    continue
        return found

    def within(self, failures: Iterable[Failure | None]) -> Failure:
        """Return the innermost failure with the same exception, as an eager task passes it on; else this one."""
        inner = [f for f in failures if f is not None and f.exception is self.exception]
        return max((f for f in inner if f.path.startswith(f"{self.path}/")), key=lambda f: len(f.path), default=self)

    @property
    def frames(self) -> list[traceback.FrameSummary]:
        """The user's frames, outermost first."""
        return own_frames(self.exception.__traceback__)

    def full(self) -> str:
        """Return the whole traceback, with every frame, cause and context."""
        return with_cell_names(full_traceback(self.exception))

    def __str__(self) -> str:
        name, message = class_name(self.exception), without_code(self.message)
        return f"{name}: {message}" if message else name


def describe(error: BaseException) -> str:
    """Return the message of an exception, even if its `__str__` raises."""
    try:
        return say(error)
    except BaseException as e:
        return f"(its message can't be read: {class_name(e)})"
