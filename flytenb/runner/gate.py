"""A gate: waits for an answer or for time to pass; never asks on standard input."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from flytenb.bridge.crossing import packer
from flytenb.bridge.entities.gate import Disapproved, read_gate
from flytenb.errors import FlytenbError
from flytenb.runner.clock import clock
from flytenb.runner.record import Record
from flytenb.runner.scope import Scope
from flytenb.runner.step import LATER, Answer, EntityStep

if TYPE_CHECKING:
    from flytenb.runner.scheduler import Scheduler


class GateStep(EntityStep):
    """Wait: for `run.approve(path)`, for `run.set_input(path, value)`, or for a duration.

    Args:
        record: the gate's.
        scope: what it fails with.
        answers: what gates are answered with, by path or name.
        strict: whether every value crosses as a literal.
    """

    __slots__ = ("alarm", "answers", "gate", "strict")
    holds_worker = False

    def __init__(self, record: Record, scope: Scope, answers: Mapping[str, Any], strict: bool) -> None:
        super().__init__(record, scope)
        self.gate = read_gate(self.use.entity)
        self.timeout = self.gate.timeout
        self.answers = answers
        self.strict = strict
        self.alarm: int | None = None

    def execute(self, scheduler: Scheduler) -> Answer:
        scheduler.workspace.enter()
        if self.gate.kind == "sleep":
            attempt = self.attempt
            self.alarm = clock.call_later(self.gate.duration, lambda: scheduler.complete(self, attempt))
            return LATER
        for key in (self.path, self.gate.name):
            if key in self.answers:
                self.take(self.answers[key])
                return None
        with scheduler.lock:
            if self.attempt is not None:
                scheduler.waiting_gates[self.path] = self
                scheduler.journal.emit("gate", self.record, text=self.gate.question)
        return LATER

    def take(self, answer: Any) -> None:
        """Make the answer the node's output; raise what flytekit raises for a no, or for a value of another type."""
        if self.gate.kind == "approve":
            if not answer:
                raise Disapproved(f"User did not approve the transaction for gate node {self.gate.name}")
            given = dict(self.record.getters)
            self._put({name: given[name]() for name, _ in self.use.outputs if name in given})
            return
        self._put({name: answer for name, _ in self.use.outputs})

    def _put(self, outputs: Mapping[str, Any]) -> None:
        packed = {n: packer(self.gate.outputs[n], strict=self.strict)(value) for n, value in outputs.items()}
        for name, key in self.use.outputs:
            if name in packed:
                self.wires.values[key] = packed[name]

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
        named = {s.gate.name: s for s in scheduler.waiting_gates.values()}
        step = scheduler.waiting_gates.get(path) or named.get(path)
        if step is None:
            waiting = ", ".join(repr(p) for p in scheduler.waiting_gates) or "none"
            raise FlytenbError(f"no gate waits at {path!r}", hint=f"waiting: {waiting}")
        attempt = step.attempt
    refusal = None
    try:
        with scheduler.workspace.entered():
            step.take(answer)
    except Disapproved as e:
        refusal = e
    with scheduler.lock:
        scheduler.waiting_gates.pop(step.path, None)
    if refusal is None:
        scheduler.complete(step, attempt)
    else:
        scheduler.fail(step, attempt, refusal)
