"""Failures of nodes."""

from __future__ import annotations

from flyteidl.core import execution_pb2 as phases

USER, SYSTEM = phases.ExecutionError.USER, phases.ExecutionError.SYSTEM


class Failure(Exception):
    """A node has failed.

    Attributes:
        error: what is recorded.
        is_retryable: whether another attempt may be made.
    """

    def __init__(self, code: str, message: str, kind: int = USER, *, is_retryable: bool = False) -> None:
        super().__init__(f"{code}: {message}")
        self.error = phases.ExecutionError(code=code, message=message, kind=kind)
        self.is_retryable = is_retryable

    @classmethod
    def of(cls, error: phases.ExecutionError) -> Failure:
        """Return a failure with an error that was recorded elsewhere."""
        made = cls(error.code, error.message, error.kind)
        made.error.CopyFrom(error)
        return made
