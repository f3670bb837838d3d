"""What a run is read from and controlled by, whether it runs here or on a cluster."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from flytenb.bridge.context import Workspace
from flytenb.bridge.crossing import CrossingValue
from flytenb.runner.ending import Ending
from flytenb.runner.failure import Failure
from flytenb.runner.journal import Journal


class Course(Protocol):
    """What a run is read from and controlled by: the scheduler of a local run, the watch of one on a cluster."""

    @property
    def journal(self) -> Journal: ...

    @property
    def workspace(self) -> Workspace: ...

    @property
    def ending(self) -> Ending: ...

    @property
    def outcomes(self) -> Failures: ...

    @property
    def process(self) -> int: ...

    def cancel(self) -> None: ...


class Failures(Protocol):
    """The failures of a run."""

    failure: Failure | None
    also_failed: tuple[Failure, ...]


class Answerable(Protocol):
    """The gates of a run; `questions` has those of the gates that wait, by path."""

    @property
    def questions(self) -> Mapping[str, str]: ...

    def answer(self, run: Any, path: str, answer: Any) -> None: ...


class Results(Protocol):
    """The outputs of a run that has succeeded."""

    @property
    def outputs(self) -> Mapping[str, CrossingValue | None]: ...
