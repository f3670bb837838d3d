"""Process-wide state of an eager task's own code: in place while that code runs, and set aside while the task waits for
its calls, so that the called tasks don't see it and aren't blocked by it."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from flytenb.bridge.stopping import Attempt, NodeStopped, shielded
from flytenb.locks import new_lock
from flytenb.reach.process_state import save_state, set_environment
from flytenb.reach.state_captures import Restore
from flytenb.runner.exclusion import Hold
from flytenb.runner.resources import resources


class EagerState:
    """State of one attempt. Calls on several threads may set it aside at the same time.

    Args:
        hold: the hold of the state while the task's own code runs.
        attempt: the attempt; if it is asked to stop, it doesn't wait for its state any longer.
    """

    def __init__(self, hold: Hold, attempt: Attempt) -> None:
        self._hold = hold
        self._attempt = attempt
        self._lock = new_lock()
        self._absences = 1
        self._own: Restore | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._outer: Restore | None = None

    def begin(self) -> None:
        """Put the state in place: that of the notebook, with the variables of `@eager(environment=…)`."""
        self.come_back()

    def leave(self) -> None:
        """Set the state aside."""
        with self._lock:
            self._absences += 1
            if self._absences == 1:
                self._own = self._save()
                self._put_back()

    def come_back(self) -> None:
        """Put the state in place again, as soon as no other task uses it.

        Raises:
            NodeStopped: if the attempt is asked to stop during the wait; the state remains aside.
        """
        with self._lock:
            if self._absences == 1:
                resources.exclusion.take_or_wait(self._hold, self._attempt.check)
                self._outer = self._save()
                if self._own is not None:
                    self._own()
                elif self._hold.use.environment:
                    set_environment(self._hold.use.environment)
            self._absences -= 1

    def end(self) -> None:
        """Restore the notebook's state permanently."""
        with self._lock:
            self._absences += 1_000_000  # `come_back` has no effect any more
            self._put_back()

    def _save(self) -> Restore:
        return save_state(self._hold.use.writes, self._hold.use.assigned)

    def _put_back(self) -> None:
        outer, self._outer = self._outer, None
        if outer is not None:
            outer()
            resources.exclusion.release(self._hold)

    def new_loop(self) -> asyncio.AbstractEventLoop:
        """Return an event loop that sets the state aside while it waits."""
        self._loop = asyncio.SelectorEventLoop(_Selector(self))
        return self._loop

    @asynccontextmanager
    async def aside(self) -> AsyncIterator[None]:
        """Set the state aside during a call that the task's thread waits for outside of its own event loop."""
        if asyncio.get_running_loop() is self._loop:
            yield
            return
        self.leave()
        try:
            yield
        finally:
            try:
                self.come_back()
            except NodeStopped:
                raise asyncio.CancelledError from None  # anything else would end the thread of this loop


class _Selector(selectors.DefaultSelector):
    """Selector that sets the state aside while it waits for events."""

    def __init__(self, state: EagerState) -> None:
        super().__init__()
        self._state = state

    def select(self, timeout: float | None = None) -> Any:
        if timeout is not None and timeout <= 0:
            return super().select(timeout)
        with shielded():
            self._state.leave()
        try:
            return super().select(timeout)
        finally:
            with shielded():
                self._state.come_back()
