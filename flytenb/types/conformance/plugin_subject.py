"""The subject of a plugin's checks: a task, run once and serialised once for all of them."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flytenb.bridge.entities.interface import function_of
from flytenb.bridge.execution import pod
from flytenb.locks import cached_property
from flytenb.runner.run import Run
from flytenb.runner.settings import Settings
from flytenb.types.conformance.subject import NotCheckedError
from flytenb.types.conformance.time_limit import place_in


@dataclass(frozen=True)
class PluginSubject:
    """A task under test, its inputs, a directory for files, and the seconds that one check may take."""

    task: Any
    inputs: Mapping[str, Any]
    folder: Path
    patience: float

    @cached_property
    def begun(self) -> Run:
        """A run here, in which every value is converted as on a cluster."""
        return Run(self.task, dict(self.inputs), Settings(strict=True))._begin()

    @property
    def run(self) -> Run:
        """That run, ended."""
        return self.begun.wait()

    def stop(self) -> bool:
        """Cancel the run; return False if it had ended or hadn't begun."""
        run = vars(self).get("begun")
        return run is not None and not run.phase.is_terminal and bool(run.cancel())

    def place(self) -> str:
        """Return which method of the task, or its function, is executed now."""
        function = function_of(self.task)
        return place_in(self.task, getattr(inspect.unwrap(function), "__code__", None) if function else None)

    @property
    def outputs(self) -> Mapping[str, Any]:
        """The outputs of the run."""
        if self.run.error is not None:
            raise NotCheckedError("it doesn't run here")
        return self.run.outputs

    @cached_property
    def serialised(self) -> Any:
        """What is registered of the task, or the exception that this raised."""
        if pod.builds_image(self.task):
            raise NotCheckedError("flytekit builds the image of an ImageSpec when it serialises a task")
        if pod.is_of_cell(self.task) and function_of(self.task) is None:
            raise NotCheckedError(
                "flytekit can't register a task of a cell that has no function: define it in a module"
            )
        try:
            return pod.serialise(self.task)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            return error

    @property
    def template(self) -> Any:
        """What is registered of the task."""
        if isinstance(self.serialised, BaseException):
            raise NotCheckedError("it can't be serialised")
        return self.serialised

    @property
    def container(self) -> Any:
        """The container of what is registered."""
        if self.template.container is None:
            raise NotCheckedError("it has no container: a backend runs it")
        return self.template.container
