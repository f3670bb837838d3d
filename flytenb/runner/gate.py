"""Gates: steps that wait for an answer or for a duration, without reading standard input."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from flytenb.bridge.crossing import packer
from flytenb.bridge.entities.gate import Disapproved, GateFacts, read_gate, with_value
from flytenb.errors import FlytenbError
from flytenb.runner.absent import read_or_absent
from flytenb.runner.output_files import note_files
from flytenb.runner.record import Record
from flytenb.runner.resources import resources
from flytenb.runner.step import LATER, Answer, EntityStep, RunControl, Scope
from flytenb.wording.values import brief


class GateElsewhere(NamedTuple):
    """A gate inside of a node that is executed on a cluster, and what sends an answer to it."""

    facts: GateFacts
    send: Callable[[Any], None]


class Gates:
    """The gates of one run.

    Args:
        answers: answers given before the run, by path or name of the gate.
        strict: whether every value crosses as a literal.

    Attributes:
        waiting: the gates that wait for an answer, by path; changed under the scheduler's lock.
        elsewhere: those that wait on a cluster, by path.
    """

    def __init__(self, answers: Mapping[str, Any], *, strict: bool) -> None:
        self.answers = answers
        self.strict = strict
        self.waiting: dict[str, GateStep] = {}
        self.elsewhere: dict[str, GateElsewhere] = {}

    @property
    def questions(self) -> dict[str, str]:
        """The questions of the gates that wait, by path."""
        here = {path: step.question for path, step in [*self.waiting.items()]}
        return here | {path: gate.facts.question for path, gate in [*self.elsewhere.items()]}

    def answer(self, run: RunControl, path: str, answer: Any) -> None:
        """Answer a waiting gate; after a value of the wrong type the gate continues to wait.

        Raises:
            FlytenbError: if no gate waits at the path.
            ClusterError: with the message of the server, for a gate on a cluster.
            Exception: the type engine's error for a value of the wrong type.
        """
        away = {gate.facts.name: gate for gate in [*self.elsewhere.values()]} | self.elsewhere
        if path in away:
            away[path].send(answer)
            return
        with run.lock:
            named = {step.gate.name: step for step in self.waiting.values()}
            step = self.waiting.get(path) or named.get(path)
            if step is None:
                waiting = ", ".join(map(repr, self.questions)) or "none"
                raise FlytenbError(f"no gate waits at {path!r}", hint=f"waiting: {waiting}")
            attempt = step.attempt
        refusal = None
        try:
            with run.workspace.entered():
                step.take(answer, run)
        except Disapproved as e:
            refusal = e
        with run.lock:
            self.waiting.pop(step.path, None)
        if refusal is None:
            run.complete(step, attempt)
        else:
            run.fail(step, attempt, refusal)


class GateStep(EntityStep):
    """Wait: for `run.approve(path)`, for `run.set_input(path, value)`, or for a duration.

    Args:
        record: the record of the gate.
        scope: the scope that it is in.
        gates: the gates of the run.
    """

    __slots__ = ("alarm", "gate", "gates", "question")
    holds_worker = False

    def __init__(self, record: Record, scope: Scope, gates: Gates) -> None:
        super().__init__(record, scope)
        self.gate = read_gate(self.use.entity)
        self.timeout = self.gate.timeout
        self.gates = gates
        self.alarm: int | None = None
        self.question = self.gate.question

    def execute(self, run: RunControl) -> Answer:
        run.workspace.enter()
        past = self.past_of(run)
        if past is not None and (kept := past.answer_of(self.record, self.gate)) is not None:
            self.put_outputs(kept, run)
            return None
        if self.gate.kind == "sleep":
            attempt = self.attempt
            self.alarm = resources.clock.call_later(self.gate.duration, lambda: run.complete(self, attempt))
            return LATER
        for key in (self.path, self.gate.name):
            if key in self.gates.answers:
                self.take(self.gates.answers[key], run)
                return None
        self.question = self._asked()
        with run.lock:
            if self.attempt is not None:
                self.gates.waiting[self.path] = self
                run.journal.emit("gate", self.record, text=self.question)
        return LATER

    def _asked(self) -> str:
        """Return the question, with the value to be approved in short."""
        asked = self.gate.question
        if self.gate.kind != "approve":
            return asked
        try:
            for _, get in self.record.getters:
                asked = with_value(asked, brief(read_or_absent(get), 80))
        except Exception:  # it can be rejected unread
            return self.gate.question
        return asked

    def take(self, answer: Any, run: RunControl) -> None:
        """Make the answer the node's output; raise flytekit's error for a refusal or a value of another type."""
        if self.gate.kind == "approve":
            if not answer:
                raise Disapproved(f"the gate {self.gate.name!r} was rejected")
            given = dict(self.record.getters)
            self._put({name: given[name]() for name, _ in self.use.outputs if name in given})
        else:
            self._put({name: answer for name, _ in self.use.outputs})
        note_files(self.record, run.workspace)

    def _put(self, outputs: Mapping[str, Any]) -> None:
        packed = {n: packer(self.gate.outputs[n], strict=self.gates.strict)(value) for n, value in outputs.items()}
        for name, key in self.use.outputs:
            if name in packed:
                self.wires.values[key] = packed[name]

    def on_abort(self) -> None:
        self.gates.waiting.pop(self.path, None)
        if self.alarm is not None:
            resources.clock.cancel(self.alarm)
            self.alarm = None
