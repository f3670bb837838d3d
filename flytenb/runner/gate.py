"""A gate: waits for an answer or for time to pass; never asks on standard input."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flytenb.bridge.crossing import packer
from flytenb.bridge.gates import Disapproved, read_gate
from flytenb.errors import FlytenbError
from flytenb.runner.pool import clock
from flytenb.runner.steps import LATER, EntityStep, Use

if TYPE_CHECKING:
    from flytenb.runner.plan import Planner
    from flytenb.runner.scheduler import Scheduler


class GateStep(EntityStep):
    """Wait: for `run.approve(path)`, for `run.set_input(path, value)`, or for a duration."""

    __slots__ = ("alarm", "gate", "planner")
    holds_worker = False

    def __init__(self, planner: Planner, use: Use) -> None:
        super().__init__(use)
        self.planner = planner
        self.gate = read_gate(use.entity)
        self.alarm: int | None = None

    @property
    def timeout(self) -> float | None:
        return self.gate.timeout

    def execute(self, scheduler: Scheduler) -> Any:
        scheduler.workspace.enter()
        if self.gate.kind == "sleep":
            self.alarm = clock.call_later(self.gate.duration, lambda: scheduler.complete(self))
            return LATER
        answers = self.planner.settings.answers
        for key in (self.path, self.gate.name):
            if key in answers:
                self.take(scheduler, answers[key])
                return None
        with scheduler.lock:
            scheduler.waiting_gates[self.path] = self
            scheduler.emit("gate", self.record, text=self.gate.question)
        return LATER

    def take(self, scheduler: Scheduler, answer: Any) -> None:
        """Make the answer the node's output; raise what flytekit raises for a no, or for a value of another type."""
        if self.gate.kind == "approve":
            if not answer:
                raise Disapproved(f"User did not approve the transaction for gate node {self.gate.name}")
            for name, get in self.use.getters:
                if name in self.use.slots:
                    declared = self.gate.outputs[name]
                    pack = packer(declared, strict=self.planner.settings.strict)
                    scheduler.env[self.use.slots[name]] = pack(get(scheduler.env))
            return
        for name, slot in self.use.slots.items():
            scheduler.env[slot] = packer(self.gate.outputs[name], strict=self.planner.settings.strict)(answer)

    def on_abort(self) -> None:
        if self.alarm is not None:
            clock.cancel(self.alarm)
            self.alarm = None


def answer_gate(scheduler: Scheduler, path: str, answer: Any) -> None:
    """Answer a waiting gate; a value of the wrong type is refused and the gate goes on waiting.

    Raises:
        FlytenbError: if no gate waits there.
        Exception: whatever the type engine says of a value of the wrong type.
    """
    with scheduler.lock:
        named = {s.gate.name: s for s in scheduler.waiting_gates.values() if isinstance(s, GateStep)}
        step = scheduler.waiting_gates.get(path) or named.get(path)
        if not isinstance(step, GateStep):
            waiting = ", ".join(repr(p) for p in scheduler.waiting_gates) or "none"
            raise FlytenbError(f"no gate waits at {path!r}", hint=f"waiting: {waiting}")
    try:
        with scheduler.workspace.entered():
            step.take(scheduler, answer)
    except Disapproved as e:
        with scheduler.lock:
            scheduler.waiting_gates.pop(step.path, None)
        scheduler.fail_later(step, e)
        return
    with scheduler.lock:
        scheduler.waiting_gates.pop(step.path, None)
    scheduler.complete(step)
