"""Failures of nodes."""

from __future__ import annotations

from flyteidl.core import execution_pb2 as phases

_LONGEST = 102_400
_CUT = "... <Message Truncated> ..."
USER, SYSTEM = phases.ExecutionError.USER, phases.ExecutionError.SYSTEM


class Failure(Exception):
    """A node has failed.

    Attributes:
        error: what is recorded.
        is_retryable: whether another attempt may be made.
    """

    def __init__(self, code: str, message: str, kind: int = USER, *, is_retryable: bool = False) -> None:
        super().__init__(f"{code}: {message}")
        self.error = phases.ExecutionError(code=code, message=_shortened(message), kind=kind)
        self.is_retryable = is_retryable

    @classmethod
    def of(cls, error: phases.ExecutionError) -> Failure:
        """Return a failure with an error that was recorded elsewhere."""
        made = cls(error.code, error.message, error.kind)
        made.error.CopyFrom(error)
        made.error.message = _shortened(error.message)
        return made


def _shortened(message: str) -> str:
    """Return a message as events carry it: of a long one the start and the end."""
    half = _LONGEST // 2
    return message if len(message) <= _LONGEST else f"{message[:half]}\n{_CUT}\n{message[-half:]}"
