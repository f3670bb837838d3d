"""Nodes that are executed on a cluster: one step that starts an execution, which another thread ends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from flytenb.bridge.crossing import packer
from flytenb.bridge.stopping import current_attempt
from flytenb.runner.gate import Gates
from flytenb.runner.record import Record
from flytenb.runner.step import LATER, Answer, EntityStep, RunControl, Scope

if TYPE_CHECKING:
    from flytenb.bridge.crossing import CrossingValue
    from flytenb.bridge.stopping import Attempt


class Execution(Protocol):
    """An execution for a node."""

    def start(self) -> None:
        """Start it without waiting for it. Under the scheduler's lock: it must not block."""

    def terminate(self) -> None:
        """Abort it and report no more. Under the scheduler's lock: it must not block."""


class ClusterTarget(Protocol):
    """What a node is executed as on a cluster."""

    def prepare(
        self, run: RunControl, step: ClusterStep, attempt: Attempt, inputs: Mapping[str, CrossingValue]
    ) -> Execution:
        """Return an execution that hasn't started; it may read workflows, and so run a user's code."""


class ClusterTargets(Protocol):
    """The nodes of a run that are executed on a cluster."""

    def find(self, path: str, entity: Any) -> ClusterTarget | None:
        """Return what a node is executed as, None if it is run here."""


class ClusterStep(EntityStep):
    """Take the inputs and start an execution. The cluster itself retries, limits the time, and says when it begins."""

    __slots__ = ("_execution", "gates", "target")
    holds_worker = False

    def __init__(self, record: Record, scope: Scope, target: ClusterTarget, gates: Gates) -> None:
        super().__init__(record, scope, is_opening=False)
        self.retries, self.timeout, self.checkpoints = 0, None, None
        self.target = target
        self.gates = gates
        self._execution: Execution | None = None

    def execute(self, run: RunControl) -> Answer:
        attempt = current_attempt()
        taken = self.take_inputs(run)
        types = self.use.entity.python_interface.inputs
        inputs = {name: packer(types[name], strict=True)(value) for name, value in taken.items()}
        execution = self.target.prepare(run, self, attempt, inputs)
        with run.lock:
            if self.attempt is attempt:  # else it was aborted meanwhile
                self._execution = execution
                execution.start()
        return LATER

    def on_abort(self) -> None:
        if self._execution is not None:
            self._execution.terminate()
