"""A step of a plan, what it has in common with all others, and what a step that has run answers.

A node is one step (a task, a gate) or an opening and a closing one (a workflow, a branch, a map, a dynamic). Whatever
depends on a node waits for its closing step. A closing step waits for its opening step and for the scope between them.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from flytenb.bridge.crossing import plain_primitive
from flytenb.bridge.entities.interface import short_name
from flytenb.bridge.execution.packing import explain_input
from flytenb.model.workflow import Constant
from flytenb.reach.state_uses import NOTHING
from flytenb.wording.text import class_name

if TYPE_CHECKING:
    from flytenb.bridge.crossing import CrossingValue
    from flytenb.bridge.stopping import Attempt
    from flytenb.model import Graph
    from flytenb.reach.state_uses import StateUse
    from flytenb.runner.record import Record
    from flytenb.runner.scheduler import Scheduler
    from flytenb.runner.scope import Scope


class State(Enum):
    """Where a step stands."""

    WAITING = auto()
    READY = auto()
    RUNNING = auto()
    DONE = auto()


# Looked up once: an attribute of an enumeration's class takes 0.3 µs in Python 3.11, and a node needs a dozen.
WAITING, READY, RUNNING, DONE = State.WAITING, State.READY, State.RUNNING, State.DONE


class Later(Enum):
    """What a step answers when its end comes from elsewhere."""

    LATER = auto()


LATER = Later.LATER


class Step:
    """Something to do once everything before it is done.

    Attributes:
        waits: how many steps before it aren't done yet.
        successors: steps that wait for this one.
        is_opening: whether its record begins here; `is_closing`: whether it ends here.
        opens: the scope that begins when it has succeeded.
        closes: the scope whose outputs it collects: if it fails, they have.
        may_move: whether its task calls anything that could change the working directory.
        checkpoints: where its attempts wrote their checkpoints, if it may be tried again.
        case_of: the opening step of the innermost conditional in whose cases it is.
        is_doomed: whether it can't run any more, should its case be taken.
        state_use: the process-wide state that its task uses.
        retries: how often it may be tried again.
        timeout: seconds that one attempt may take.
        tries: how often it was started; `attempt` is the one that is going on.
        holds_worker: False if it may block for long and so must not take one of the run's workers.
    """

    __slots__ = (
        "attempt", "case_of", "checkpoints", "is_closing", "is_doomed", "is_opening", "may_move", "opens", "record",
        "retries", "scope", "state", "state_use", "successors", "timeout", "timer", "tries", "waits",
    )  # fmt: skip
    holds_worker = True
    closes: Scope | None = None

    def __init__(self, record: Record, scope: Scope, *, is_opening: bool = True, is_closing: bool = True) -> None:
        self.record = record
        self.scope = scope
        self.waits = 0
        self.successors: list[Step] = []
        self.state = WAITING
        self.is_opening = is_opening
        self.is_closing = is_closing
        self.retries = 0
        self.timeout: float | None = None
        self.tries = 0
        self.attempt: Attempt | None = None
        self.timer: int | None = None
        self.opens: Scope | None = None
        self.case_of: Step | None = None
        self.is_doomed = False
        self.state_use: StateUse = NOTHING
        self.may_move = False
        self.checkpoints: list[str] | None = None
        scope.steps.append(self)
        scope.open += 1

    @property
    def path(self) -> str:
        return self.record.path

    def before(self, *others: Step) -> None:
        """Make the others wait for this one."""
        for other in others:
            self.successors.append(other)
            other.waits += 1

    def release(self) -> list[Step]:
        """Count it as done for those that wait for it; return what that readies. Under the scheduler's lock."""
        ready = []
        for successor in self.successors:
            waits = successor.waits = successor.waits - 1
            if waits == 0 and successor.state is WAITING:
                ready.append(successor)
        return ready

    def execute(self, scheduler: Scheduler) -> Answer:
        """Do it, without the scheduler's lock."""
        raise NotImplementedError

    def on_abort(self) -> None:
        """Let go of what is held outside: timers, jobs, loops. Under the scheduler's lock: it must not block."""

    def __repr__(self) -> str:
        return f"<{class_name(self)} {self.path or '(run)'} {self.state.name}>"


@dataclass(frozen=True, slots=True)
class Expansion:
    """What a running step adds to its run: built without the lock, committed under it.

    Attributes:
        scope: the new steps, all in one scope, and the scopes inside of it.
        records: the new nodes, by path.
        graph: what the node turned out to contain, if a picture doesn't know it yet.
        total: how many elements a map has.
    """

    scope: Scope
    records: Mapping[str, Record]
    graph: Graph | None = None
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Skip:
    """The steps of cases that aren't taken; `error` is what the branch fails with, if it does."""

    steps: Sequence[Step]
    error: Exception | None = None


Answer = Expansion | Skip | Later | None
"""What a step that has run answers; None if it is simply done."""


class EntityStep(Step):
    """A step that uses an entity; retries and timeout are the node's policy."""

    __slots__ = ("use", "wires")

    def __init__(self, record: Record, scope: Scope, *, is_opening: bool = True, is_closing: bool = True) -> None:
        super().__init__(record, scope, is_opening=is_opening, is_closing=is_closing)
        assert record.use is not None
        assert record.wires is not None
        self.use = record.use
        self.wires = record.wires
        policy = self.use.policy
        self.timeout = policy.timeout
        self.retries = policy.retries
        if policy.retries:
            self.checkpoints = []

    def take_inputs(self, scheduler: Scheduler) -> dict[str, Any]:
        """Take the inputs from the values before it, in a context of its own."""
        scheduler.workspace.enter()
        try:
            return {name: self.wires.take(key, number) for name, key, number in self.use.inputs}
        except Exception as e:
            self.explain_input(e)
            raise

    def explain_input(self, error: Exception) -> None:
        """Have the error of an input that can't be taken name it, the task and the type."""
        types = self.use.entity.python_interface.inputs
        for name, key, number in self.use.inputs:
            try:
                self.wires.take(key, number)
            except Exception:
                explain_input(error, short_name(self.use.entity), name, types.get(name))
                return

    def plain_inputs(self, names: Container[str]) -> dict[str, str | int]:
        """Return those of its inputs that are texts and integers, without converting anything."""
        types = self.use.entity.python_interface.inputs
        found = {}
        for name, key, _ in self.use.inputs:
            if name not in names:
                continue
            value, binding = self.wires.values.get(key), self.use.bindings.get(name)  # type: ignore[arg-type]
            if isinstance(binding, Constant):
                plain = plain_primitive(binding.literal, types[name])
            else:
                plain = None if value is None or key is None else value.plain()
            if plain is not None:
                found[name] = plain
        return found

    def put_outputs(self, outputs: Mapping[str, CrossingValue]) -> None:
        """Leave the outputs to those after it."""
        for name, key in self.use.outputs:
            self.wires.values[key] = outputs.get(name)
