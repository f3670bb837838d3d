"""A node that is executed elsewhere: prepared without the lock of its run, then started."""

from __future__ import annotations

from typing import Any

from flytekit import task

from flytenb.bridge.crossing import packer
from flytenb.runner.resources import resources
from flytenb.runner.run import Run
from flytenb.runner.settings import Settings


@task
def add(x: int) -> int:
    return x + 1


class Elsewhere:
    """All that is executed elsewhere, an execution of it, and whether it was prepared under the lock of its run."""

    is_locked = True

    def find(self, path: str, entity: Any) -> Elsewhere:
        return self

    def prepare(self, run: Any, step: Any, attempt: Any, inputs: Any) -> Elsewhere:
        self.is_locked = run.lock._is_owned()
        self.run, self.step, self.attempt, self.inputs = run, step, attempt, inputs
        return self

    def start(self) -> None:
        resources.workers.submit(self.end)

    def end(self) -> None:
        self.step.put_outputs({"o0": packer(int)(10 * self.inputs["x"].native())}, self.run)
        self.run.complete(self.step, self.attempt)

    def terminate(self) -> None:
        """Do nothing."""


def test_an_execution_is_prepared_without_the_lock_of_its_run() -> None:
    elsewhere = Elsewhere()
    assert Run(add, {"x": 4}, Settings(), targets=elsewhere)._begin().wait().result == 40
    assert not elsewhere.is_locked
