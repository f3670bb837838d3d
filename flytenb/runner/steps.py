"""The pieces of a plan: one step per thing that happens at a node; when they happen is left to the scheduler.

A node is one step (a task, a gate) or an opening and a closing one (a workflow, a branch, a map, a dynamic). Whatever
depends on a node waits for its closing step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from flytenb.bridge.cache import single_flight
from flytenb.model import CacheStatus, Phase

if TYPE_CHECKING:
    from flytenb.bridge.cache import TaskCache
    from flytenb.bridge.calls import Call
    from flytenb.bridge.compiled import Policy
    from flytenb.bridge.crossing import Value
    from flytenb.runner.failure import Failure
    from flytenb.runner.scheduler import Scheduler

Env = list["Value | None"]
Getter = Callable[[Env], Any]


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


class Record:
    """What is known of one node so far; only the scheduler, under its lock, changes it."""

    __slots__ = (
        "__weakref__", "attempts", "cache", "done", "ended", "entity", "error", "getters", "log", "log_size", "outputs",
        "path", "phase", "retries", "started", "total",
    )  # fmt: skip

    def __init__(self, path: str) -> None:
        self.path = path
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
        self.outputs: dict[str, int] = {}
        self.done = 0
        self.total = 0


class Scope:
    """The inside of one workflow: what fails together, and who is told."""

    def __init__(self, path: str, parent: Scope | None, *, is_fail_fast: bool = True) -> None:
        self.path = path
        self.parent = parent
        self.is_fail_fast = is_fail_fast
        self.steps: list[Step] = []
        self.children: list[Scope] = []
        self.open = 0
        self.failures: list[Failure] = []
        self.is_closed = False
        self.closing: Step | None = None
        self.handler: Callable[[Failure], Sequence[Step]] | None = None
        if parent is not None:
            parent.children.append(self)

    def add(self, step: Step) -> None:
        """Take a step in."""
        self.steps.append(step)
        self.open += 1

    def let_go(self) -> None:
        """Forget the steps: they and their scope hold each other, and a run is kept for long after its end."""
        for step in self.steps:
            step.successors.clear()
        self.steps.clear()
        for child in self.children:
            child.let_go()
        self.children.clear()
        self.closing = self.handler = None

    def tolerates(self, step: Step, failure: Failure, scheduler: Scheduler) -> bool:
        """Whether the scope goes on as if the step had ended."""
        return False

    def note_done(self, step: Step, scheduler: Scheduler) -> None:
        """Hear that a step has ended well. Under the scheduler's lock."""


class Step:
    """Something to do once everything before it is done.

    Attributes:
        waits: how many steps before it aren't done yet.
        successors: steps that wait for this one.
        is_opening: whether its record begins here; `is_closing`: whether it ends here.
        holds_worker: False if it may block for long and so must not take one of the run's workers.
    """

    __slots__ = ("attempt", "inside", "is_closing", "is_opening", "record", "scope", "state", "successors", "thread",
                 "timer", "waits")  # fmt: skip
    holds_worker = True

    def __init__(self, record: Record, scope: Scope, *, is_opening: bool = True, is_closing: bool = True) -> None:
        self.record = record
        self.scope = scope
        self.waits = 0
        self.successors: list[Step] = []
        self.state = State.WAITING
        self.is_opening = is_opening
        self.is_closing = is_closing
        self.attempt = 0
        self.thread: int | None = None
        self.timer: int | None = None
        self.inside: Scope | None = None
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

    def execute(self, scheduler: Scheduler) -> Any:
        """Do it; return LATER if the end comes from elsewhere."""
        raise NotImplementedError

    def on_abort(self) -> None:
        """Let go of what is held outside: timers, jobs, loops. Called under the scheduler's lock."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.path or '(run)'} {self.state.name}>"


@dataclass(slots=True)
class Use:
    """One use of an entity: where it stands, what fills its inputs, where its outputs go, what it was promised.

    Not frozen, since a run makes one per node and freezing costs more than all else that is done there.
    """

    record: Record
    scope: Scope
    entity: Any
    getters: Sequence[tuple[str, Getter]]
    slots: dict[str, int]
    policy: Policy

    @property
    def path(self) -> str:
        """The node's path."""
        return self.record.path


class EntityStep(Step):
    """A step that uses an entity; when it is tried again and for how long is the node's policy."""

    __slots__ = ("use",)

    def __init__(self, use: Use, *, is_opening: bool = True, is_closing: bool = True) -> None:
        super().__init__(use.record, use.scope, is_opening=is_opening, is_closing=is_closing)
        self.use = use

    @property
    def retries(self) -> int:
        return self.use.policy.retries

    @property
    def timeout(self) -> float | None:
        return self.use.policy.timeout

    def take_inputs(self, scheduler: Scheduler) -> dict[str, Any]:
        """Take the inputs from the values before it, in a context of its own."""
        scheduler.workspace.enter()
        return {name: get(scheduler.env) for name, get in self.use.getters}

    def put_outputs(self, scheduler: Scheduler, outputs: Mapping[str, Value]) -> None:
        """Leave the outputs to those after it."""
        for name, slot in self.use.slots.items():
            scheduler.env[slot] = outputs.get(name)


class TaskStep(EntityStep):
    """Call a task: inputs taken from the values before it, outputs packed for those after it."""

    __slots__ = ("cache", "call")

    def __init__(self, use: Use, call: Call, cache: TaskCache | None = None) -> None:
        super().__init__(use)
        self.call = call
        self.cache = cache

    def execute(self, scheduler: Scheduler) -> None:
        # Written out: this is what a run does most, and the call enters a context of its own anyway.
        env, use = scheduler.env, self.use
        inputs = {name: get(env) for name, get in use.getters}
        if self.cache is None:
            outputs = self.call(scheduler.workspace, inputs)
        else:
            outputs = self._call_cached(self.cache, scheduler, inputs)
        for name, slot in use.slots.items():
            env[slot] = outputs.get(name)

    def _call_cached(self, cache: TaskCache, scheduler: Scheduler, inputs: dict[str, Any]) -> dict[str, Value]:
        """Take what is stored, else call and store; equal calls wait for the first one's result."""
        scheduler.workspace.enter()
        try:
            key = cache.key(inputs)
        except Exception as e:
            return self._call_uncached(scheduler, inputs, e)
        with single_flight(key):
            try:
                found = cache.get(key)
            except Exception as e:
                return self._call_uncached(scheduler, inputs, e)
            if found is not None:
                self.record.cache = CacheStatus.HIT
                return found
            self.record.cache = CacheStatus.MISS
            outputs = self.call(scheduler.workspace, inputs)
            try:
                cache.put(key, outputs)
                self.record.cache = CacheStatus.POPULATED
            except Exception as e:
                scheduler.note(self.record, f"the cache could not store this: {type(e).__name__}: {e}\n")
            return outputs

    def _call_uncached(self, scheduler: Scheduler, inputs: dict[str, Any], why: Exception) -> dict[str, Value]:
        """A cache that fails (a full disk, a value that can't be read) costs time, never the run."""
        self.record.cache = CacheStatus.SKIPPED
        scheduler.note(self.record, f"the cache was not asked: {type(why).__name__}: {why}\n")
        return self.call(scheduler.workspace, inputs)


class EnterStep(Step):
    """Give a workflow its inputs, as the types that it declares."""

    __slots__ = ("passes",)

    def __init__(self, record: Record, scope: Scope, passes: Sequence[tuple[int, Callable[[Env], Value]]]) -> None:
        super().__init__(record, scope, is_closing=False)
        self.passes = passes

    def execute(self, scheduler: Scheduler) -> None:
        env = scheduler.env
        for slot, give in self.passes:
            env[slot] = give(env)


class ExitStep(Step):
    """Collect a workflow's outputs when everything inside has ended."""

    __slots__ = ("passes",)

    def __init__(self, record: Record, scope: Scope) -> None:
        super().__init__(record, scope, is_opening=False)
        self.passes: Sequence[tuple[int, Callable[[Env], Value]]] = ()

    def execute(self, scheduler: Scheduler) -> None:
        env = scheduler.env
        for slot, give in self.passes:
            env[slot] = give(env)
