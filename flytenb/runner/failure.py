"""Why a node failed: the user's exception untouched, where it stood, what it was given; showing it is the display's."""

from __future__ import annotations

import contextlib
import traceback
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flytenb.errors import own_frames, say
from flytenb.model import Phase

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flytenb.runner.steps import Env, Step


@dataclass(frozen=True)
class Failure:
    """One node's failure.

    Attributes:
        path: the node.
        exception: the exception object that the task raised, as it was raised.
        phase: FAILED or TIMED_OUT.
        inputs: what the node was given, as Python values; missing where even that can't be read.
        retries: what earlier attempts failed with.
    """

    path: str
    exception: BaseException
    phase: Phase
    inputs: dict[str, Any] = field(default_factory=dict)
    retries: tuple[str, ...] = ()

    @classmethod
    def read(cls, step: Step, error: BaseException, phase: Phase, env: Env) -> Failure:
        """Gather what is known at the moment of the failure."""
        inputs: dict[str, Any] = {}
        for name, get in step.record.getters:
            with contextlib.suppress(Exception):
                inputs[name] = get(env)
        return cls(step.path, error, phase, inputs, step.record.retries)

    def within(self, failures: Iterable[Failure | None]) -> Failure:
        """Return the failure deepest inside this node that it let through, as an eager task does; else itself."""
        inner = [f for f in failures if f is not None and f.exception is self.exception]
        return max((f for f in inner if f.path.startswith(f"{self.path}/")), key=lambda f: len(f.path), default=self)

    @property
    def frames(self) -> list[traceback.FrameSummary]:
        """The user's own frames, outermost first."""
        return own_frames(self.exception.__traceback__)

    @property
    def message(self) -> str:
        """What the exception says, or that it says nothing: a user's `__str__` may raise."""
        return say(self.exception)

    def full(self) -> str:
        """The whole traceback, with every frame, cause and context."""
        try:
            return "".join(traceback.format_exception(self.exception))
        except Exception:
            return "".join(traceback.format_tb(self.exception.__traceback__)) + str(self)

    def __str__(self) -> str:
        return f"{type(self.exception).__name__}: {self.message}"
