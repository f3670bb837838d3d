"""The pieces of a plan: steps, the scopes that they succeed or fail in, and what a step that has run answers.

A node is one step (a task, a gate) or an opening and a closing one (a workflow, a branch, a map, a dynamic). Whatever
depends on a node waits for its closing step. A closing step waits for its opening step and for the scope between them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, Protocol

from flytenb.bridge.crossing import hash_of
from flytenb.bridge.entities.interface import short_name
from flytenb.bridge.execution.packing import explain_input
from flytenb.cache.task_cache import single_flight
from flytenb.model import CacheStatus, Phase
from flytenb.reach.state_uses import NOTHING

if TYPE_CHECKING:
    from flytenb.bridge.crossing import Value
    from flytenb.bridge.execution.calls import Call
    from flytenb.bridge.stopping import Attempt
    from flytenb.bridge.workflow.compiled import Policy
    from flytenb.cache.task_cache import TaskCache
    from flytenb.model import Graph
    from flytenb.runner.failure import Failure
    from flytenb.runner.scheduler import Scheduler


class OutputSlot:
    """The place of one output of one node; None until the node has succeeded."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value: Value | None = None


Getter = Callable[[], Any]
"""Takes an input from the slots before it, each time afresh."""
Give = Callable[[], "Value"]
"""Passes a packed value on from the slots before it."""


class State(Enum):
    """Where a step stands."""

    WAITING = auto()
    READY = auto()
    RUNNING = auto()
    DONE = auto()


class Later(Enum):
    """What a step answers when its end comes from elsewhere."""

    LATER = auto()


LATER = Later.LATER


class RunLog(Protocol):
    """Where what a node prints goes, and what is known of each node."""

    records: dict[str, Record]

    def write(self, record: Record, text: str) -> None: ...


class Record:
    """What is known of one node so far; only the scheduler, under its lock, changes it."""

    __slots__ = (
        "__weakref__", "attempts", "cache", "done", "ended", "entity", "error", "getters", "log", "log_size", "outputs",
        "path", "phase", "retries", "run_log", "started", "total", "waited_for",
    )  # fmt: skip

    def __init__(self, path: str, run_log: Callable[[], RunLog | None]) -> None:
        self.path = path
        self.run_log = run_log
        self.phase = Phase.QUEUED
        self.started: float | None = None
        self.ended: float | None = None
        self.entity: Any = None
        self.attempts = 0
        self.cache = CacheStatus.DISABLED
        self.error: Failure | None = None
        self.retries: tuple[str, ...] = ()
        self.log: list[str] = []
        self.log_size = 0
        self.getters: Sequence[tuple[str, Getter]] = ()
        self.outputs: Mapping[str, OutputSlot] = {}
        self.done = 0
        self.total = 0
        self.waited_for: tuple[str, ...] = ()

    def write(self, text: str) -> None:
        """Add to what the node prints, for as long as its run is kept."""
        log = self.run_log()
        if log is not None:
            log.write(self, text)


class Scope:
    """Steps that fail together: the inside of a workflow, a map, a dynamic, or one call of an eager task.

    Attributes:
        path: the node whose inside it is.
        parent: the scope around it; None for the whole run.
        is_fail_fast: whether one failure ends all, or only what depends on it.
        execution_is_fail_fast: the policy of the execution that it is a part of, which also holds in subworkflows and
            dynamics (propeller, 1.16.8); a launch plan and a call of an eager task are executions of their own.
        closing: the step that becomes ready, or fails, when all steps of the scope have ended.
        handler: the scope of its failure handler, which runs before a failed scope closes.
        open: how many steps haven't ended yet.
        is_execution: whether what is called in it is an execution of its own on a cluster.
    """

    is_execution = False

    def __init__(
        self, path: str, parent: Scope | None, *, is_fail_fast: bool = True, closing: Step | None = None
    ) -> None:
        self.path = path
        self.parent = parent
        self.is_fail_fast = is_fail_fast
        self.execution_is_fail_fast: bool = is_fail_fast if parent is None else parent.execution_is_fail_fast
        self.closing = closing
        self.steps: list[Step] = []
        self.children: list[Scope] = []
        self.open = 0
        self.failures: list[Failure] = []
        self.is_closed = False
        self.handler: HandlerScope | None = None

    def add(self, step: Step) -> None:
        """Take a step in."""
        self.steps.append(step)
        self.open += 1

    def attach(self) -> None:
        """Become a part of the scope around it."""
        if self.parent is not None:
            self.parent.children.append(self)

    def first(self) -> list[Step]:
        """Return the steps that wait for nothing."""
        return [s for s in self.steps if s.waits == 0 and s.state is State.WAITING]

    def let_go(self) -> None:
        """Forget the steps: they and their scope hold each other, and a run is kept for long after its end."""
        for step in self.steps:
            step.successors.clear()
            step.case_of = step.opens = None
        self.steps.clear()
        if self.handler is not None:
            self.handler.let_go()
        for child in self.children:
            child.let_go()
        self.children.clear()
        self.closing = self.handler = None

    def tolerates(self, step: Step, failure: Failure, scheduler: Scheduler) -> bool:
        """Whether the scope goes on as if the step had succeeded. Under the scheduler's lock."""
        return False

    def note_done(self, step: Step, scheduler: Scheduler) -> None:
        """Hear that a step has succeeded. Under the scheduler's lock."""

    def note_closed(self) -> None:
        """Hear that all its steps have ended. Under the scheduler's lock."""


class HandlerScope(Scope):
    """A failure handler's own scope: however it ends, the workflow's failure is what it was."""

    def __init__(self, failed: Scope) -> None:
        super().__init__(failed.path, failed)
        self.failed = failed


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
        tries: how often it was started; `attempt` is the one that is going on.
        holds_worker: False if it may block for long and so must not take one of the run's workers.
    """

    __slots__ = (
        "attempt", "case_of", "checkpoints", "is_closing", "is_doomed", "is_opening", "may_move", "opens", "record",
        "scope", "state", "state_use", "successors", "timer", "tries", "waits",
    )  # fmt: skip
    holds_worker = True
    closes: Scope | None = None

    def __init__(self, record: Record, scope: Scope, *, is_opening: bool = True, is_closing: bool = True) -> None:
        self.record = record
        self.scope = scope
        self.waits = 0
        self.successors: list[Step] = []
        self.state = State.WAITING
        self.is_opening = is_opening
        self.is_closing = is_closing
        self.tries = 0
        self.attempt: Attempt | None = None
        self.timer: int | None = None
        self.opens: Scope | None = None
        self.case_of: Step | None = None
        self.is_doomed = False
        self.state_use = NOTHING
        self.may_move = False
        self.checkpoints: list[str] | None = None
        scope.add(self)

    @property
    def path(self) -> str:
        return self.record.path

    @property
    def retries(self) -> int:
        """How often it may be tried again."""
        return 0

    @property
    def timeout(self) -> float | None:
        """Seconds that one attempt may take."""
        return None

    def before(self, *others: Step) -> None:
        """Make the others wait for this one."""
        for other in others:
            self.successors.append(other)
            other.waits += 1

    def release(self) -> list[Step]:
        """Count it as done for those that wait for it; return what that readies. Under the scheduler's lock."""
        ready = []
        for successor in self.successors:
            successor.waits -= 1
            if successor.waits == 0 and successor.state is State.WAITING:
                ready.append(successor)
        return ready

    def execute(self, scheduler: Scheduler) -> Answer:
        """Do it, without the scheduler's lock."""
        raise NotImplementedError

    def on_abort(self) -> None:
        """Let go of what is held outside: timers, jobs, loops. Under the scheduler's lock: it must not block."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.path or '(run)'} {self.state.name}>"


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


@dataclass(slots=True)
class Use:
    """One use of an entity: where it is, what fills its inputs, where its outputs go, its policy.

    `sources` are the values that fill inputs of a cached task as they are.

    Not frozen, since a run makes one per node and freezing costs more than all else that is done there.
    """

    record: Record
    scope: Scope
    entity: Any
    getters: Sequence[tuple[str, Getter]]
    slots: Mapping[str, OutputSlot]
    policy: Policy
    sources: Sequence[tuple[str, Callable[[], Value | None]]] = ()

    @property
    def path(self) -> str:
        """The node's path."""
        return self.record.path

    def hashes(self) -> dict[str, str]:
        """Return the hashes that producers gave to inputs by a `HashMethod`: a cluster's cache knows these alone."""
        given = ((name, value()) for name, value in self.sources)
        found = ((name, hash_of(value)) for name, value in given if value is not None)
        return {name: said for name, said in found if said is not None}


class EntityStep(Step):
    """A step that uses an entity; retries and timeout are the node's policy."""

    __slots__ = ("use",)

    def __init__(self, use: Use, *, is_opening: bool = True, is_closing: bool = True) -> None:
        super().__init__(use.record, use.scope, is_opening=is_opening, is_closing=is_closing)
        self.use = use
        if use.policy.retries:
            self.checkpoints = []

    @property
    def retries(self) -> int:
        return self.use.policy.retries

    @property
    def timeout(self) -> float | None:
        return self.use.policy.timeout

    def take_inputs(self, scheduler: Scheduler) -> dict[str, Any]:
        """Take the inputs from the values before it, in a context of its own."""
        scheduler.workspace.enter()
        try:
            return {name: get() for name, get in self.use.getters}
        except Exception as e:
            self.explain_input(e)
            raise

    def explain_input(self, error: Exception) -> None:
        """Have the error of an input that can't be taken name it, the task and the type."""
        types = self.use.entity.python_interface.inputs
        for name, get in self.use.getters:
            try:
                get()
            except Exception:
                explain_input(error, short_name(self.use.entity), name, types.get(name))
                return

    def put_outputs(self, outputs: Mapping[str, Value]) -> None:
        """Leave the outputs to those after it."""
        for name, slot in self.use.slots.items():
            slot.value = outputs.get(name)


class TaskStep(EntityStep):
    """Call a task: inputs taken from the values before it, outputs packed for those after it."""

    __slots__ = ("cache", "call")

    def __init__(self, use: Use, call: Call, cache: TaskCache | None = None) -> None:
        super().__init__(use)
        self.call = call
        self.cache = cache

    def execute(self, scheduler: Scheduler) -> None:
        # Written out: this is what a run does most, and the call enters a context of its own anyway.
        use = self.use
        try:
            inputs = {name: get() for name, get in use.getters}
        except Exception as e:
            self.explain_input(e)
            raise
        if self.cache is None:
            outputs = self.call(scheduler.workspace, inputs)
        else:
            outputs = call_cached(self.cache, use, scheduler, inputs, self.call)
        for name, slot in use.slots.items():
            slot.value = outputs.get(name)


def call_cached(
    cache: TaskCache, use: Use, scheduler: Scheduler, inputs: dict[str, Any], call: Call
) -> dict[str, Value]:
    """Take what is stored, else call and store; equal calls wait for the first one's result.

    A cache that fails (a full disk, a value that can't be read) costs time, never the run.
    """
    scheduler.workspace.enter()
    record = use.record
    try:
        key = cache.key(inputs, use.hashes())
    except Exception as e:
        return _call_uncached(record, scheduler, inputs, call, e)
    with single_flight(key):
        try:
            found = cache.get(key)
        except Exception as e:
            return _call_uncached(record, scheduler, inputs, call, e)
        if found is not None:
            record.cache = CacheStatus.HIT
            return found
        record.cache = CacheStatus.MISS
        outputs = call(scheduler.workspace, inputs)
        try:
            cache.put(key, outputs)
            record.cache = CacheStatus.POPULATED
        except Exception as e:
            scheduler.note(record, f"the cache could not store this: {type(e).__name__}: {e}\n")
        return outputs


def _call_uncached(
    record: Record, scheduler: Scheduler, inputs: dict[str, Any], call: Call, why: Exception
) -> dict[str, Value]:
    record.cache = CacheStatus.SKIPPED
    scheduler.note(record, f"the cache was not asked: {type(why).__name__}: {why}\n")
    return call(scheduler.workspace, inputs)


@dataclass(slots=True)
class Passes:
    """Values that go through a workflow's boundary: for each slot, what gives its value."""

    pairs: Sequence[tuple[OutputSlot, Give]] = field(default_factory=tuple)

    def __call__(self) -> None:
        for slot, give in self.pairs:
            slot.value = give()


class EnterStep(Step):
    """Give a workflow its inputs, as the types that it declares."""

    __slots__ = ("passes",)

    def __init__(self, record: Record, scope: Scope, passes: Passes) -> None:
        super().__init__(record, scope, is_closing=False)
        self.passes = passes

    def execute(self, scheduler: Scheduler) -> None:
        scheduler.workspace.enter()
        self.passes()


class ExitStep(Step):
    """Collect a workflow's outputs when everything inside has ended."""

    __slots__ = ("closes", "passes")

    def __init__(self, record: Record, scope: Scope) -> None:
        super().__init__(record, scope, is_opening=False)
        self.passes = Passes()
        self.closes: Scope | None = None

    def execute(self, scheduler: Scheduler) -> None:
        scheduler.workspace.enter()
        self.passes()
