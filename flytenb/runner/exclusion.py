"""Mutual exclusion of tasks that use the same process-wide state, in all runs of the process.

A waiting task isn't overtaken: a later task that would delay it waits as well. Nodes of a run inside a task are
exempt, since the task that they would wait for may wait for that run.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from flytenb.locks import new_lock
from flytenb.reach.process_state import set_environment
from flytenb.reach.state_captures import Restore
from flytenb.reach.state_uses import StateUse

_LOOK_EVERY = 0.1


@dataclass(eq=False, slots=True)
class Hold:
    """A running task and the state that it uses.

    Attributes:
        run: the run that it belongs to.
        path: its node.
        use: the state.
        around: the hold of the task that started the run, if a task did and has one.
        is_nested: whether a task started the run.
    """

    run: object
    path: str
    use: StateUse
    around: Hold | None = None
    is_nested: bool = False

    def contains(self, other: Hold) -> bool:
        """Return whether the other task runs inside this one, which waits for it."""
        return other.around is not None and (other.around is self or self.contains(other.around))


@dataclass(frozen=True, slots=True)
class Blocked:
    """Reason of a wait: the state, and the node that uses it."""

    state: str
    path: str

    def __str__(self) -> str:
        return f"{self.state} (used by {self.path or 'another run'})"


@dataclass(eq=False, slots=True)
class _Waiter:
    """A waiting task: how to wake it, and whether it has been woken and is about to try again."""

    hold: Hold
    wake: Callable[[], None]
    is_woken: bool = False


@dataclass(slots=True)
class Exclusion:
    """Holds of running tasks, and waiting tasks. No other lock is acquired while its own is held.

    Tasks that wait for the same state form a line; lines are ordered by their start.
    """

    _lock: threading.Lock = field(default_factory=new_lock)
    _holds: list[Hold] = field(default_factory=list)
    _lines: dict[StateUse, dict[tuple[int, str], _Waiter]] = field(default_factory=dict)
    _environment: Restore | None = None
    _strict: int = 0
    """The number of holds that may conflict with any other."""

    def __post_init__(self) -> None:
        os.register_at_fork(after_in_child=self._start_anew)

    def _start_anew(self) -> None:
        self._lock = new_lock()
        self._holds, self._lines, self._strict = [], {}, 0

    def take(self, hold: Hold, wake: Callable[[], None]) -> Blocked | None:
        """Let a task use its state; otherwise return the reason and call `wake` once when the task should try again."""
        key = (id(hold.run), hold.path)
        with self._lock:
            blocked = self._blocked(hold, key)
            if blocked is not None:
                waiter = self._lines.get(hold.use, {}).get(key)
                if waiter is None:
                    self._lines.setdefault(hold.use, {})[key] = _Waiter(hold, wake)
                else:
                    waiter.hold, waiter.wake, waiter.is_woken = hold, wake, False
                return blocked
            if (
                self._lines
                and self._leave_line(hold.use, key)
                and hold.use in self._lines
                and hold.use.conflict_with(hold.use)
            ):
                self._lines[hold.use] = self._lines.pop(hold.use)  # after the other lines
            if hold.use.environment and not any(other.use.environment for other in self._holds):
                self._environment = set_environment(hold.use.environment)
            self._holds.append(hold)
            self._strict += not hold.use.is_peaceful
        return None

    def share(self, hold: Hold) -> bool:
        """Let a task with a peaceful use run, if that can be decided at once: most tasks of most runs."""
        with self._lock:
            if self._strict or self._lines:
                return False
            self._holds.append(hold)
        return True

    def take_or_wait(self, hold: Hold, check: Callable[[], None]) -> None:
        """Wait on this thread until a task can use its state.

        Args:
            hold: the task.
            check: called at intervals; an exception ends the wait.
        """
        while True:
            woken = threading.Event()
            if self.take(hold, woken.set) is None:
                return
            try:
                while not woken.wait(_LOOK_EVERY):
                    check()
            except BaseException:
                self.forget(hold.run, hold.path, hold.use)
                raise

    def _blocked(self, hold: Hold, key: tuple[int, str]) -> Blocked | None:
        for other in self._holds:
            state = hold.use.conflict_with(other.use)
            if state is not None and not other.contains(hold) and not self._waits_for(other, hold, set()):
                return Blocked(state, other.path if other.run is hold.run else "")
        if hold.is_nested:
            return None
        for use, line in self._lines.items():
            if key in line:
                return None  # tasks in later lines began to wait later
            first = next((w for w in line.values() if not w.is_woken or w.hold.run is hold.run), None)
            state = None if first is None else hold.use.conflict_with(use)
            if first is not None and state is not None:
                return Blocked(state, first.hold.path if first.hold.run is hold.run else "")
        return None

    def _waits_for(self, other: Hold, hold: Hold, seen: set[int]) -> bool:
        """Tell whether a task waits for a node of a run inside of it, which waits for the task around this node."""
        if not hold.is_nested or id(other) in seen:
            return False
        seen.add(id(other))
        inner = [w.hold for line in self._lines.values() for w in line.values() if other.contains(w.hold)]
        in_the_way = [h for h in self._holds if any(i.use.conflict_with(h.use) and not h.contains(i) for i in inner)]
        return any(h.contains(hold) or self._waits_for(h, hold, seen) for h in in_the_way)

    def is_written(self, state: str) -> bool:
        """Tell whether a running task changes this state."""
        with self._lock:
            return any(state in other.use.writes for other in self._holds)

    def release(self, hold: Hold) -> None:
        """End a task's use of its state. A second call does nothing."""
        with self._lock:
            if hold not in self._holds:
                return
            self._holds.remove(hold)
            self._strict -= not hold.use.is_peaceful
            if self._environment is not None and not any(other.use.environment for other in self._holds):
                restore, self._environment = self._environment, None
                restore()
            woken = list(self._wake_next()) if self._lines else []
        for wake in woken:
            wake()

    def forget(self, run: object, path: str, use: StateUse) -> None:
        """Remove a waiting task that won't run."""
        with self._lock:
            if not self._leave_line(use, (id(run), path)):
                return
            woken = list(self._wake_next())
        for wake in woken:
            wake()

    def _leave_line(self, use: StateUse, key: tuple[int, str]) -> bool:
        line = self._lines.get(use)
        if line is None or line.pop(key, None) is None:
            return False
        if not line:
            del self._lines[use]
        return True

    def _wake_next(self) -> Iterator[Callable[[], None]]:
        """Return the tasks to wake: of each line that can continue the first, or all if they don't conflict."""
        before: list[StateUse] = []
        for use, line in self._lines.items():
            is_free = not any(use.conflict_with(other.use) for other in self._holds)
            is_free = is_free and not any(use.conflict_with(earlier) for earlier in before)
            is_alone = use.conflict_with(use) is not None
            before.append(use)
            for waiter in line.values():
                if waiter.is_woken:
                    if is_alone:
                        is_free = False
                elif is_free or waiter.hold.is_nested:
                    waiter.is_woken = True
                    is_free = is_free and not is_alone
                    yield waiter.wake
