"""Tasks that use the same process-wide state never run at the same time, in whichever runs of the process they are."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from flytenb.reach.state_uses import StateUse
from flytenb.runner.process_state import Restore, set_environment


@dataclass(eq=False, slots=True)
class Hold:
    """One task that runs, and the state that it uses.

    Attributes:
        run: the run that it belongs to.
        path: its node; the nodes inside of it, which an eager task waits for, may use the same.
        use: the state.
        around: the task inside of which the run was started, if it was.
    """

    run: object
    path: str
    use: StateUse
    around: Hold | None = None

    def contains(self, other: Hold) -> bool:
        """Whether the other runs inside of this one, which waits for it."""
        if self.run is other.run and other.path.startswith(f"{self.path}/"):
            return True
        return other.around is not None and (other.around is self or self.contains(other.around))


@dataclass(frozen=True, slots=True)
class Blocked:
    """Why a task has to wait: the state, and the node that uses it."""

    state: str
    path: str

    def __str__(self) -> str:
        return f"{self.state}, which {self.path or 'another run'} uses"


@dataclass(slots=True)
class Exclusion:
    """Who uses which state, and who waits for it. Takes no other lock while it holds its own."""

    _lock: threading.Lock = field(default_factory=threading.Lock)
    _holds: list[Hold] = field(default_factory=list)
    _waiting: list[Callable[[], None]] = field(default_factory=list)
    _environment: Restore | None = None

    def __post_init__(self) -> None:
        os.register_at_fork(after_in_child=self._start_anew)

    def _start_anew(self) -> None:
        self._lock = threading.Lock()
        self._holds, self._waiting = [], []

    def take(self, hold: Hold, wake: Callable[[], None]) -> Blocked | None:
        """Let a task use its state, or return why not and call `wake` when it is worth another try."""
        with self._lock:
            for other in self._holds:
                state = hold.use.conflict_with(other.use)
                if state is not None and not other.contains(hold):
                    self._waiting.append(wake)
                    return Blocked(state, other.path if other.run is hold.run else "")
            if hold.use.environment and not any(other.use.environment for other in self._holds):
                self._environment = set_environment(hold.use.environment)
            self._holds.append(hold)
        return None

    def is_written(self, state: str) -> bool:
        """Tell whether a task that runs changes this state."""
        with self._lock:
            return any(state in other.use.writes for other in self._holds)

    def release(self, hold: Hold) -> None:
        """End a task's use of its state. A second call does nothing."""
        with self._lock:
            if not any(other is hold for other in self._holds):
                return
            self._holds = [other for other in self._holds if other is not hold]
            if self._environment is not None and not any(other.use.environment for other in self._holds):
                restore, self._environment = self._environment, None
                restore()
            waiting, self._waiting = self._waiting, []
        for wake in waiting:
            wake()


exclusion = Exclusion()
