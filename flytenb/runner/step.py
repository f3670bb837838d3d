"""Steps of a plan and their scopes, what a step may use of its run, and what it answers.

A node is one step (a task, a gate) or an opening and a closing one (a workflow, a branch, a map, a dynamic). Whatever
depends on a node waits for its closing step. A closing step waits for its opening step and for the scope between them.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, Protocol

from flytenb.bridge.crossing import plain_primitive
from flytenb.bridge.entities.interface import short_name
from flytenb.bridge.execution.packing import explain_input
from flytenb.model.workflow import Constant
from flytenb.reach.state_uses import NOTHING
from flytenb.runner.nesting import level_around
from flytenb.runner.output_files import note_files
from flytenb.wording.text import class_name

if TYPE_CHECKING:
    from flytenb.bridge.context import Workspace
    from flytenb.bridge.crossing import CrossingValue
    from flytenb.bridge.stopping import Attempt
    from flytenb.model import Graph
    from flytenb.reach.state_uses import StateUse
    from flytenb.runner.exclusion import Hold
    from flytenb.runner.failure import Failure
    from flytenb.runner.journal import Journal
    from flytenb.runner.past import Past
    from flytenb.runner.record import Record
    from flytenb.runner.shared_nodes import SweepRow


class State(Enum):
    """State of a step."""

    WAITING = auto()
    READY = auto()
    RUNNING = auto()
    DONE = auto()


# Looked up once: an attribute of an enumeration's class takes 0.3 µs in Python 3.11, and a node needs a dozen.
WAITING, READY, RUNNING, DONE = State.WAITING, State.READY, State.RUNNING, State.DONE


class Later(Enum):
    """Answer of a step that is ended later by `RunControl.complete` or `fail`."""

    LATER = auto()


LATER = Later.LATER


class Step:
    """A unit of work that runs once all steps before it are done.

    Attributes:
        waits: the number of steps before it that aren't done yet.
        successors: steps that wait for this one.
        is_opening: whether its node begins with it.
        is_closing: whether its node ends with it.
        opens: the scope that begins when it has succeeded.
        closes: the scope with the outputs that it collects; if it fails, the scope has failed.
        may_move: whether its task may change the working directory.
        checkpoints: the checkpoint directories of its attempts, if it may be retried.
        case_of: the opening step of the innermost conditional that contains it in a case.
        is_doomed: whether it can't run even if its case is taken.
        state_use: the process-wide state that its task uses.
        retries: the number of retries.
        timeout: the timeout of one attempt in seconds.
        tries: the number of attempts that were started.
        attempt: the current attempt.
        holds_worker: False if it may block for long and so isn't counted as one of the run's workers.
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
        self.successors: Sequence[Step] = ()  # few elements of a map have any
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
            self.lead_to(other)
            other.waits += 1

    def lead_to(self, other: Step) -> None:
        """Add a successor, which counts this step among those that it waits for."""
        if isinstance(self.successors, list):
            self.successors.append(other)
        else:
            self.successors = [other]

    def release(self) -> list[Step]:
        """Count it as done for the steps that wait for it; return those that it readies. Under the scheduler's lock."""
        ready = []
        for successor in self.successors:
            waits = successor.waits = successor.waits - 1
            if waits == 0 and successor.state is WAITING:
                ready.append(successor)
        return ready

    def execute(self, run: RunControl) -> Answer:
        """Run the step, without the scheduler's lock."""
        raise NotImplementedError

    def on_abort(self) -> None:
        """Release timers, jobs and loops. Under the scheduler's lock: it must not block."""

    def __repr__(self) -> str:
        return f"<{class_name(self)} {self.path or '(run)'} {self.state.name}>"


class Scope:
    """Steps that fail together: the inside of a workflow, a map, a dynamic, or one call of an eager task.

    Attributes:
        path: the path of the node that contains it.
        parent: the scope around it; None for the whole run.
        is_fail_fast: whether one failure ends all steps, or only those that depend on it.
        execution_is_fail_fast: the policy of the execution that it is a part of, which also holds in subworkflows and
            dynamics (propeller, 1.16.8); a launch plan and a call of an eager task are executions of their own.
        is_resumable: whether its nodes may be re-used; those of a failure handler aren't.
        closing: the step that becomes ready, or fails, when all steps of the scope have ended.
        handler: the scope of its failure handler, which runs before a failed scope closes.
        open: the number of steps that haven't ended yet.
        is_execution: whether what is called in it is a separate execution on a cluster.
        level: the number of scopes around it, including those of a run whose task started this one.
    """

    is_execution = False

    def __init__(
        self, path: str, parent: Scope | None, *, is_fail_fast: bool = True, closing: Step | None = None
    ) -> None:
        self.path = path
        self.parent = parent
        self.is_fail_fast = is_fail_fast
        self.execution_is_fail_fast: bool = is_fail_fast if parent is None else parent.execution_is_fail_fast
        self.is_resumable: bool = parent is None or parent.is_resumable
        self.level: int = level_around() if parent is None else parent.level + 1
        self.closing = closing
        self.steps: list[Step] = []
        self.children: list[Scope] = []
        self.open = 0
        self.failures: list[Failure] = []
        self.is_closed = False
        self.handler: HandlerScope | None = None

    def attach(self) -> None:
        """Add this scope to its parent."""
        if self.parent is not None:
            self.parent.children.append(self)

    def first(self) -> list[Step]:
        """Return the steps that wait for nothing."""
        return [s for s in self.steps if s.waits == 0 and s.state is WAITING]

    def let_go(self) -> None:
        """Drop the steps: they and their scope refer to each other, and a run is kept for long after its end."""
        for step in self.steps:
            step.successors = ()
            step.case_of = step.opens = None
        self.steps.clear()
        if self.handler is not None:
            self.handler.let_go()
        for child in self.children:
            child.let_go()
        self.children.clear()
        self.closing = self.handler = None

    def tolerates(self, step: Step, failure: Failure, run: RunControl) -> bool:
        """Tell whether the scope continues as if the step had succeeded. Under the scheduler's lock."""
        return False

    def note_done(self, step: Step, run: RunControl) -> None:
        """Note that a step has succeeded. Under the scheduler's lock."""

    def note_closed(self) -> None:
        """Note that all steps have ended. Under the scheduler's lock."""


class HandlerScope(Scope):
    """The scope of a failure handler; its end doesn't change the workflow's failure."""

    def __init__(self, failed: Scope) -> None:
        super().__init__(failed.path, failed)
        self.failed = failed
        self.is_resumable = False


class RunControl(Protocol):
    """A run as its steps use it."""

    @property
    def lock(self) -> AbstractContextManager[Any]:
        """The lock that protects the state of the run; never held while a user's code runs."""

    @property
    def journal(self) -> Journal:
        """The records and events of the run."""

    @property
    def workspace(self) -> Workspace:
        """The directory and the flytekit contexts of the run."""

    past: Past | None
    row: SweepRow | None

    def add(self, step: Step, attempt: Attempt, expansion: Expansion) -> bool:
        """Add steps while a step goes on; return whether it still does."""

    def complete(self, step: Step, attempt: Attempt | None) -> None:
        """End an attempt that answered `LATER`."""

    def fail(self, step: Step, attempt: Attempt | None, error: BaseException) -> None:
        """Fail an attempt that answered `LATER`."""

    def fail_with(self, step: Step, attempt: Attempt | None, failure: Failure) -> None:
        """Fail an attempt that answered `LATER`, without a retry."""

    def hold_for(self, step: Step, use: StateUse) -> Hold:
        """Return a hold of process-wide state for a step that takes it itself."""


@dataclass(frozen=True, slots=True)
class Expansion:
    """Steps that a running step adds to its run: built without the lock, committed under it.

    Attributes:
        scope: the new steps, all in one scope, and the scopes inside of it.
        records: the new nodes, by path.
        graph: the nodes that were added, if the run's graph doesn't contain them yet.
        total: the number of elements of a map.
    """

    scope: Scope
    records: Mapping[str, Record]
    graph: Graph | None = None
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Skip:
    """The steps of cases that aren't taken, and the error that the branch fails with, if it does."""

    steps: Sequence[Step]
    error: Exception | None = None


Answer = Expansion | Skip | Later | None
"""The result of running a step; None if it is done."""


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
        self.timeout, self.retries = policy.timeout, policy.retries
        if policy.retries:
            self.checkpoints = []

    def take_inputs(self, run: RunControl) -> dict[str, Any]:
        """Take the inputs from the values of earlier nodes, in a new context."""
        run.workspace.enter()
        try:
            return {name: self.wires.take(key, number) for name, key, number in self.use.inputs}
        except Exception as e:
            self.explain_input(e)
            raise

    def explain_input(self, error: Exception) -> None:
        """Add the names of the input, the task and the type to the error of an input that can't be taken."""
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

    def past_of(self, run: RunControl) -> Past | None:
        """Return what the run takes from an earlier one, if this node may be re-used."""
        return run.past if self.scope.is_resumable else None

    def put_outputs(self, outputs: Mapping[str, CrossingValue], run: RunControl) -> None:
        """Store the outputs for later nodes."""
        for name, key in self.use.outputs:
            self.wires.values[key] = outputs.get(name)
        note_files(self.record, run.workspace)
